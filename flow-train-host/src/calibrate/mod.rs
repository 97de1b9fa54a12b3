//! From benign scores to a gate with a stated false-alarm rate (split conformal; `flow_infer::gate` says why it holds).
//!
//! The guarantee asks that the calibration scores and those to come are exchangeable. The typicality score has a
//! centre, the mean log_prob, and a centre that was computed from the very scores it is compared with lies a little
//! too close to them; so for that score the first half of the data gives the centre and the second the threshold. The
//! combined score is made of tables, and a [`Split`] keeps those apart from the threshold.

mod blocks;
mod choice;
pub mod exchange;
mod next_stretch;
mod p_values;
mod pooled;
mod promise;
mod split;
mod tables;

pub use blocks::Blocks;
pub use choice::{Candidate, Choice, LogProbAlone, Perturbed, choose, choose_across, power};
pub use next_stretch::Weighed;
pub use pooled::{combined_crossed, gain_of_all, tests_of_folds};
pub use promise::Promise;
pub use split::{Split, WANTED_FOR_TABLES};
pub use tables::{TestTable, to_bytes as tests_section};

use flow_infer::gate::{Calibration, QUANTILES};
use flow_infer::score::combined::{Rule, TestKind, Tests};
use flow_infer::score::{ScoreKind, Scores};
use std::collections::HashSet;
use std::fmt;

/// Why there is no gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CalibrateError {
    /// A false-alarm rate that is not between 0 and 1.
    Alpha,
    /// Fewer inputs than the false-alarm rate needs.
    TooFew {
        /// Inputs there are.
        samples: usize,
        /// Inputs that are needed.
        needed: usize,
        /// The false-alarm rate, parts per million.
        alpha_ppm: u32,
    },
    /// Fewer different scores than the false-alarm rate needs inputs: the inputs repeat each other.
    TooFewDistinct {
        /// Different scores.
        distinct: usize,
        /// Inputs there are.
        samples: usize,
        /// Different scores that are needed.
        needed: usize,
        /// The false-alarm rate, parts per million.
        alpha_ppm: u32,
    },
    /// Fewer blocks than the promise needs.
    TooFewBlocks {
        /// Blocks there are.
        blocks: usize,
        /// Blocks that are needed.
        needed: usize,
    },
    /// More blocks than inputs.
    EmptyBlock {
        /// Inputs there are.
        inputs: usize,
        /// Blocks that are wanted.
        blocks: usize,
    },
    /// A score that these inputs do not have.
    NoScore(ScoreKind),
    /// A test that these inputs do not have.
    NoTest(TestKind),
    /// So many inputs that the model's numbers cannot follow, that no threshold keeps the rate.
    Saturated {
        /// Inputs that saturate.
        saturated: usize,
        /// Inputs at all.
        samples: usize,
    },
}

impl fmt::Display for CalibrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Alpha => write!(f, "the false-alarm rate must lie between 0 and 1"),
            Self::TooFew {
                samples,
                needed,
                alpha_ppm,
            } => {
                let alpha = f64::from(alpha_ppm) / 1e6;
                let (missing, verb) = match needed.saturating_sub(samples) {
                    1 => (1, "is"),
                    missing => (missing, "are"),
                };
                write!(
                    f,
                    "{samples} inputs are too few for a false-alarm rate of {alpha}: it takes at least {needed}, so {missing} {verb} missing"
                )
            }
            Self::TooFewDistinct {
                distinct,
                samples,
                needed,
                alpha_ppm,
            } => {
                let alpha = f64::from(alpha_ppm) / 1e6;
                write!(
                    f,
                    "{samples} inputs have only {distinct} different scores: a false-alarm rate of {alpha} takes at \
                     least {needed}, of inputs that do not repeat each other"
                )
            }
            Self::TooFewBlocks { blocks, needed } => write!(
                f,
                "{blocks} blocks are too few: that promise takes at least {needed}"
            ),
            Self::EmptyBlock { inputs, blocks } => {
                write!(f, "{inputs} inputs cannot be cut into {blocks} blocks")
            }
            Self::NoScore(kind) => write!(f, "these inputs have no {} score", kind.name()),
            Self::NoTest(kind) => write!(f, "these inputs have nothing for a {} test", kind.name()),
            Self::Saturated { saturated, samples } => write!(
                f,
                "{saturated} of {samples} inputs leave the range of the model's numbers: more than the false-alarm rate allows"
            ),
        }
    }
}

impl std::error::Error for CalibrateError {}

/// What calibration puts into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calibrated {
    /// The gate's section.
    pub gate: Calibration,
    /// The section of p-values.
    pub p_values: Vec<u8>,
    /// The section of tests; empty where the gate decides by another score.
    pub tests: Vec<u8>,
    /// What the threshold promises.
    pub promise: Promise,
    /// The threshold's place among the scores that it was taken from, from below.
    pub rank: usize,
}

/// The gate that decides by several tests: tables from one part of the scores, threshold from the other.
///
/// # Errors
/// [`CalibrateError`].
pub fn combined(
    kinds: &[TestKind],
    rule: Rule,
    alpha_ppm: u32,
    scores: &[Scores],
    split: &Split,
) -> Result<Calibrated, CalibrateError> {
    let section = learned(kinds, rule, scores, &split.tables)?;
    let threshold = judged(&section, scores, &split.threshold)?;
    let calibrated = gate(ScoreKind::Combined, alpha_ppm, &threshold)?;
    Ok(Calibrated {
        tests: section,
        ..calibrated
    })
}

/// [`combined`] across blocks: every block is judged by tables of all the others, and the file's tables are those of
/// all blocks. Without a promise the scores decide which.
///
/// # Errors
/// [`CalibrateError`].
pub fn combined_across(
    kinds: &[TestKind],
    rule: Rule,
    alpha_ppm: u32,
    scores: &[Scores],
    blocks: &Blocks,
    promise: Option<Promise>,
) -> Result<Calibrated, CalibrateError> {
    let mut held_out = scores.to_vec();
    for block in 0..blocks.count() {
        let section = learned(kinds, rule, scores, &blocks.others(block))?;
        let members = blocks.members(block);
        let judged = judged(&section, scores, &members)?;
        for (&member, scores) in members.iter().zip(judged) {
            held_out[member] = scores;
        }
    }
    let all: Vec<usize> = (0..scores.len()).collect();
    let calibrated = gate_across(ScoreKind::Combined, alpha_ppm, &held_out, blocks, promise)?;
    Ok(Calibrated {
        tests: learned(kinds, rule, scores, &all)?,
        ..calibrated
    })
}

/// The section of tests whose tables are learned from some of the inputs.
fn learned(
    kinds: &[TestKind],
    rule: Rule,
    scores: &[Scores],
    from: &[usize],
) -> Result<Vec<u8>, CalibrateError> {
    let from = from.iter().map(|&i| &scores[i]);
    let from: Vec<&Scores> = from.filter(|s| !s.saturated).collect();
    let table = |&kind: &TestKind| TestTable::fit(kind, &from).ok_or(CalibrateError::NoTest(kind));
    let tables = kinds.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    Ok(tables::to_bytes(rule, &tables))
}

/// Some of the inputs with the combined score that tests give them.
fn judged(
    section: &[u8],
    scores: &[Scores],
    which: &[usize],
) -> Result<Vec<Scores>, CalibrateError> {
    let tests = Tests::parse(section, scores.iter().all(|s| s.code_length_raw.is_some()));
    let tests = tests.ok_or(CalibrateError::NoScore(ScoreKind::Combined))?;
    let judged = which.iter().map(|&i| Scores {
        combined: tests.combine(&scores[i]),
        ..scores[i]
    });
    Ok(judged.collect())
}

/// The gate that rejects benign inputs like these with probability at most `alpha_ppm` / 10^6.
///
/// # Errors
/// [`CalibrateError`].
pub fn gate(
    kind: ScoreKind,
    alpha_ppm: u32,
    scores: &[Scores],
) -> Result<Calibrated, CalibrateError> {
    let (centre, threshold) = match kind {
        ScoreKind::Typicality => scores.split_at(scores.len() / 2),
        _ => (scores, scores),
    };
    let typical_raw = mean_log_prob(centre);
    let deciding = deciding_scores(kind, typical_raw, threshold)?;
    let found = calibrated(
        kind,
        alpha_ppm,
        typical_raw,
        vec![deciding],
        Promise::Inputs,
    );
    found.map_err(|error| match error {
        CalibrateError::TooFew { .. } => too_few(kind, alpha_ppm, scores),
        error => error,
    })
}

/// [`gate`] with a promise of blocks to come; without one, blocks that score alike are pooled. The typical log_prob comes from the first half of the blocks, the threshold
/// from the second, where the score has one.
///
/// # Errors
/// [`CalibrateError`].
pub fn gate_across(
    kind: ScoreKind,
    alpha_ppm: u32,
    scores: &[Scores],
    blocks: &Blocks,
    promise: Option<Promise>,
) -> Result<Calibrated, CalibrateError> {
    let mut grouped = blocks.group(scores);
    let threshold = match kind {
        ScoreKind::Typicality => grouped.split_off(grouped.len() / 2),
        _ => grouped.clone(),
    };
    let typical_raw = mean_log_prob(&grouped.concat());
    let deciding = threshold
        .iter()
        .map(|block| deciding_scores(kind, typical_raw, block));
    let deciding: Vec<Vec<i64>> = deciding.collect::<Result<_, _>>()?;
    let promise =
        promise.unwrap_or_else(|| pooled::suited(&deciding, blocks.in_order(), alpha_ppm));
    calibrated(kind, alpha_ppm, typical_raw, deciding, promise)
}

/// The deciding scores of calibration inputs block by block: what the threshold was, or will be, taken from.
///
/// # Errors
/// [`CalibrateError::NoScore`].
pub fn deciding_blocks(
    gate: &Calibration,
    scores: &[Scores],
    blocks: &Blocks,
) -> Result<Vec<Vec<i64>>, CalibrateError> {
    Ok(blocks.group(&deciding(gate, scores)?))
}

/// The deciding score of each input; of one that saturates, which every gate rejects, one below all others.
///
/// # Errors
/// [`CalibrateError::NoScore`].
pub fn deciding(gate: &Calibration, scores: &[Scores]) -> Result<Vec<i64>, CalibrateError> {
    deciding_scores(gate.score, gate.typical_raw, scores)
}

/// The share of deciding scores that a threshold rejects.
fn share_below(scores: &[i64], threshold: i64) -> f64 {
    // What saturates is rejected by a threshold below all scores too.
    let rejected = scores.iter().filter(|&&s| s < threshold || s == i64::MIN);
    rejected.count() as f64 / scores.len().max(1) as f64
}

/// The gate of deciding scores, block by block.
fn calibrated(
    kind: ScoreKind,
    alpha_ppm: u32,
    typical_raw: i64,
    mut blocks: Vec<Vec<i64>>,
    promise: Promise,
) -> Result<Calibrated, CalibrateError> {
    if alpha_ppm == 0 || alpha_ppm >= 1_000_000 {
        return Err(CalibrateError::Alpha);
    }
    promise.check(blocks.len(), alpha_ppm)?;
    blocks.iter_mut().for_each(|block| block.sort_unstable());
    let mut deciding = blocks.concat();
    deciding.sort_unstable();
    let (samples, needed) = (deciding.len(), fewest(alpha_ppm));
    let few = CalibrateError::TooFew {
        samples,
        needed,
        alpha_ppm,
    };
    if samples < needed {
        return Err(few);
    }
    let promised = promise.scores(&blocks, alpha_ppm);
    let threshold_raw = promise.threshold(&promised, alpha_ppm).ok_or(few)?;
    if threshold_raw == i64::MIN {
        return Err(CalibrateError::Saturated {
            saturated: deciding.iter().filter(|&&s| s == i64::MIN).count(),
            samples,
        });
    }
    let distinct = distinct(&deciding);
    if distinct < needed {
        return Err(CalibrateError::TooFewDistinct {
            distinct,
            samples,
            needed,
            alpha_ppm,
        });
    }
    let mut lowered = promised.concat();
    lowered.sort_unstable();
    Ok(Calibrated {
        p_values: p_values::section(&lowered, threshold_raw, |score| {
            promise.ppm_below(&promised, score)
        }),
        tests: Vec::new(),
        promise,
        rank: 1 + deciding.partition_point(|&score| score < threshold_raw),
        gate: Calibration {
            score: kind,
            alpha_ppm,
            samples: u32::try_from(samples).unwrap_or(u32::MAX),
            threshold_raw,
            typical_raw,
            quantiles_raw: quantiles(&deciding).collect(),
        },
    })
}

/// Inputs whose scores are those of an input before them: where there are many, the inputs are hardly those of a
/// gate's life, and the false-alarm rate says little.
pub fn repeats(scores: &[Scores]) -> usize {
    let mut seen = HashSet::new();
    let of_input = |s: &Scores| (s.log_prob_raw, s.code_length_raw);
    scores.iter().filter(|s| !seen.insert(of_input(s))).count()
}

/// Different scores of a sorted list. Saturated ones say nothing of each other: none repeats another.
fn distinct(sorted: &[i64]) -> usize {
    let saturated = sorted.iter().filter(|&&s| s == i64::MIN).count();
    let usable = sorted[saturated..].chunk_by(|a, b| a == b).count();
    saturated + usable
}

/// Fewest scores from which a threshold can keep the rate.
pub fn fewest(alpha_ppm: u32) -> usize {
    1_000_000usize.div_ceil(alpha_ppm.max(1) as usize) - 1
}

/// What the gate decides on; a saturated input, which every gate rejects, lies below all others.
fn deciding_scores(
    kind: ScoreKind,
    typical_raw: i64,
    scores: &[Scores],
) -> Result<Vec<i64>, CalibrateError> {
    let deciding = scores.iter().map(|s| match s.saturated {
        true => Ok(i64::MIN),
        false => s
            .raw(kind, typical_raw)
            .ok_or(CalibrateError::NoScore(kind)),
    });
    deciding.collect()
}

fn too_few(kind: ScoreKind, alpha_ppm: u32, scores: &[Scores]) -> CalibrateError {
    let needed = fewest(alpha_ppm);
    CalibrateError::TooFew {
        samples: scores.len(),
        needed: match kind {
            // The second half is the larger one of an odd number.
            ScoreKind::Typicality => 2 * needed - 1,
            _ => needed,
        },
        alpha_ppm,
    }
}

/// Mean log_prob of the inputs that do not saturate.
fn mean_log_prob(scores: &[Scores]) -> i64 {
    let usable = || scores.iter().filter(|s| !s.saturated);
    let sum: i128 = usable().map(|s| i128::from(s.log_prob_raw)).sum();
    let count = usable().count().max(1) as i128;
    // A mean of i64 is an i64.
    (sum / count) as i64
}

fn quantiles(sorted: &[i64]) -> impl Iterator<Item = i64> + '_ {
    let last = sorted.len() - 1;
    let rank = move |i: usize| (i * last + (QUANTILES - 1) / 2) / (QUANTILES - 1);
    (0..QUANTILES).map(move |i| sorted[rank(i)])
}

#[cfg(test)]
mod block_tests;
#[cfg(test)]
mod combined_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::gate::Decision;

    fn scores(log_probs: impl IntoIterator<Item = i64>) -> Vec<Scores> {
        let one = |log_prob_raw| Scores {
            log_prob_raw,
            code_length_raw: Some(1000),
            ..Scores::default()
        };
        log_probs.into_iter().map(one).collect()
    }

    #[test]
    fn the_threshold_is_the_kth_smallest() {
        let gate = gate(
            ScoreKind::Complexity,
            50_000,
            &scores((0..99).rev().map(|i| i * 10)),
        )
        .unwrap()
        .gate;
        // k = floor(0.05 100) = 5: scores 1000, 1010, 1020, 1030, 1040.
        assert_eq!((gate.threshold_raw, gate.samples), (1040, 99));
        assert_eq!(gate.typical_raw, 490);
        assert_eq!(
            (
                gate.quantiles_raw[0],
                gate.quantiles_raw[8],
                gate.quantiles_raw[16]
            ),
            (1000, 1490, 1980)
        );
    }

    #[test]
    fn exactly_the_promised_share_of_the_calibration_data_lies_below() {
        let data = scores((0..999).map(|i| i * 7919 % 999));
        let gate = gate(ScoreKind::Likelihood, 10_000, &data).unwrap().gate;
        let rejected = data
            .iter()
            .filter(|s| gate.decide(s) == Decision::Reject)
            .count();
        assert_eq!(rejected, 9, "k - 1 of them, the k-th is the threshold");
    }

    #[test]
    fn too_few_inputs_are_counted() {
        let error = gate(ScoreKind::Likelihood, 10_000, &scores(0..98)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "98 inputs are too few for a false-alarm rate of 0.01: it takes at least 99, so 1 is missing"
        );
        assert!(gate(ScoreKind::Likelihood, 10_000, &scores(0..99)).is_ok());
        let error = gate(ScoreKind::Typicality, 10_000, &scores(0..196)).unwrap_err();
        assert!(matches!(error, CalibrateError::TooFew { needed: 197, .. }));
        assert!(gate(ScoreKind::Typicality, 10_000, &scores(0..197)).is_ok());
    }

    #[test]
    fn the_centre_of_typicality_comes_from_the_other_half() {
        let data = scores((0..50).chain(100..150));
        let gate = gate(ScoreKind::Typicality, 100_000, &data).unwrap().gate;
        // The mean of 0 to 49, towards zero; k = floor(0.1 51) = 5, and -|log_prob - 24| runs from -125 to -76.
        assert_eq!(
            (gate.typical_raw, gate.samples, gate.threshold_raw),
            (24, 50, -121)
        );
    }

    #[test]
    fn inputs_that_repeat_each_other_are_no_calibration() {
        let same = scores([7; 300]);
        let error = gate(ScoreKind::Likelihood, 10_000, &same).unwrap_err();
        assert_eq!(
            error.to_string(),
            "300 inputs have only 1 different scores: a false-alarm rate of 0.01 takes at least 99, of inputs that do \
             not repeat each other"
        );
        assert_eq!(repeats(&same), 299);
        // 98 different ones are too few, 99 enough, however often each comes.
        let cycle = |n: i64| scores((0..500).map(|i| i % n));
        let few = gate(ScoreKind::Likelihood, 10_000, &cycle(98));
        assert!(matches!(
            few,
            Err(CalibrateError::TooFewDistinct { distinct: 98, .. })
        ));
        assert!(gate(ScoreKind::Likelihood, 10_000, &cycle(99)).is_ok());
        assert_eq!(repeats(&cycle(99)), 401);
        assert_eq!(repeats(&scores(0..99)), 0);
    }

    #[test]
    fn saturated_inputs_lie_below_all_others() {
        let mut data = scores(0..99);
        data[50].saturated = true;
        let error = gate(ScoreKind::Likelihood, 10_000, &data).unwrap_err();
        assert_eq!(
            error,
            CalibrateError::Saturated {
                saturated: 1,
                samples: 99
            }
        );
        assert_eq!(
            gate(ScoreKind::Likelihood, 20_000, &scores(0..99))
                .unwrap()
                .gate
                .threshold_raw,
            1
        );
        assert_eq!(
            gate(ScoreKind::Likelihood, 20_000, &data)
                .unwrap()
                .gate
                .threshold_raw,
            0
        );
    }

    #[test]
    fn missing_scores_and_senseless_rates_are_refused() {
        let mut data = scores(0..999);
        data[7].code_length_raw = None;
        assert_eq!(
            gate(ScoreKind::Complexity, 10_000, &data),
            Err(CalibrateError::NoScore(ScoreKind::Complexity))
        );
        for alpha_ppm in [0, 1_000_000] {
            assert_eq!(
                gate(ScoreKind::Likelihood, alpha_ppm, &data),
                Err(CalibrateError::Alpha)
            );
        }
    }
}
