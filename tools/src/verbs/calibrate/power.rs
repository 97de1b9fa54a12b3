//! What a gate rejects of perturbed inputs at its own threshold.
//!
//! Tests are chosen at the threshold of single inputs. A promise of blocks to come takes a lower one, how much lower the
//! blocks decide: of a scene that changes from stretch to stretch (`mire-2`, `records/fixed-camera.md`) tests that see
//! 92 % of the perturbed inputs were shipped with a threshold at which it is 76 %, and none of what is blurred.

use super::with_tests;
use crate::number;
use flow_infer::score::Scores;
use flow_train_host::calibrate::{Calibrated, Perturbed};
use flow_train_host::files::one_line;
use std::path::Path;

/// A gate that keeps less than this share of what its tests see is worth a warning.
const MOST: f64 = 0.9;

/// Shares of perturbed inputs that a gate rejects.
pub(super) struct Power {
    pub(super) mean: f64,
    pub(super) families: Vec<(&'static str, f64)>,
}

impl Power {
    /// Of a gate as it is shipped; `None` without families.
    pub(super) fn of(calibrated: &Calibrated, perturbed: &[Perturbed]) -> Option<Self> {
        let rejected = |family: &Perturbed| {
            let scores = with_tests(calibrated, &family.scores);
            let rejects = |scores: &&Scores| !calibrated.gate.decide(scores).accepted();
            scores.iter().filter(rejects).count() as f64 / scores.len().max(1) as f64
        };
        let families: Vec<_> = perturbed.iter().map(|f| (f.name, rejected(f))).collect();
        let sum: f64 = families.iter().map(|(_, share)| share).sum();
        (!families.is_empty()).then(|| Self {
            mean: sum / families.len() as f64,
            families,
        })
    }

    /// Says where the promise leaves little of what the tests see.
    pub(super) fn warning(&self, tests: f64, data: &Path) -> Option<String> {
        (self.mean < MOST * tests).then(|| {
            format!(
                "{}: the tests see {} of the perturbed inputs, but at the threshold of this promise the gate rejects {}: the \
                 blocks differ, and what is no stranger than a block to come may be passes (more blocks, of more kinds of \
                 time, or a weaker --promise)",
                one_line(data),
                number::percent(tests),
                number::percent(self.mean)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::score::ScoreKind;
    use flow_train_host::calibrate::{self, Blocks, Promise};

    fn scores(thousandths: impl Iterator<Item = i64>) -> Vec<Scores> {
        let of = |thousandths: i64| Scores {
            log_prob_raw: (thousandths << 24) / 1000,
            ..Scores::default()
        };
        thousandths.map(of).collect()
    }

    #[test]
    fn a_threshold_of_blocks_that_differ_keeps_little_of_what_single_inputs_show() {
        // Three stretches of 100, each ten nats below the one before.
        let benign = scores((0..300).map(|i| -(i / 100) * 10_000 - i % 100 * 20));
        let perturbed = [Perturbed {
            name: "ten to thirty nats stranger than the last stretch",
            scores: scores((0..200).map(|i| -32_000 - i * 100)),
        }];
        let blocks = Blocks::stretches(300, 3).map(|blocks| blocks.following(true));
        let blocks = blocks.expect("three stretches");
        let power = |promise| {
            let kind = ScoreKind::Likelihood;
            let found = calibrate::gate_across(kind, 10_000, &benign, &blocks, Some(promise));
            Power::of(&found.expect("enough inputs"), &perturbed).map(|power| power.mean)
        };
        assert_eq!(power(Promise::Inputs), Some(1.0));
        let next = power(Promise::NextStretch).expect("a family");
        assert!(next < 0.5, "{next}");
        let at = |mean| Power {
            mean,
            families: Vec::new(),
        };
        assert!(at(0.82).warning(0.92, Path::new("lens")).is_some());
        assert!(at(0.83).warning(0.92, Path::new("lens")).is_none());
    }
}
