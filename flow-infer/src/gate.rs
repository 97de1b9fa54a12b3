//! From a score to a decision with a stated false-alarm rate.
//!
//! Split conformal: with n benign calibration scores, exchangeable with the benign scores to come, and the k-th
//! smallest of them as the threshold, a benign input scores below it with probability at most k / (n + 1). So
//! k = floor(alpha (n + 1)) keeps the false-alarm rate at or below alpha, whatever the score's distribution and
//! however bad the flow; the flow decides only how many foreign inputs are caught (Vovk et al. 2005, ch. 4).

mod adaptive;
mod hold;
pub mod p_values;
mod sequence;
#[cfg(test)]
mod simulation;

pub use adaptive::AdaptiveThreshold;
pub use hold::HoldAlarm;
pub use p_values::PValues;
pub use sequence::SequenceAlarm;

use crate::plan::{Reader, read_list, take};
use crate::score::{ScoreKind, Scores};
use heapless::Vec;
use serde::{Deserialize, Serialize};

/// Points of the stored table of calibration quantiles: 0, 1/16, ..., 1.
pub const QUANTILES: usize = 17;

/// What the gate says of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Like the data the model was built for.
    Accept,
    /// Unlike it.
    Reject,
    /// Not an input: wrong size, NaN, a sensor that is stuck or saturated, or a score that the model cannot compute.
    Invalid,
}

impl Decision {
    /// Whether it is [`Decision::Accept`].
    #[must_use]
    pub const fn accepted(self) -> bool {
        matches!(self, Self::Accept)
    }
}

/// A calibrated threshold and what it was calibrated on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// The score that decides.
    pub score: ScoreKind,
    /// Bound on the false-alarm rate, parts per million.
    pub alpha_ppm: u32,
    /// Number n of benign calibration scores.
    pub samples: u32,
    /// Scores below it are rejected, units of 2^-24 nats.
    pub threshold_raw: i64,
    /// Mean log_prob of the calibration data: the centre of the typicality score.
    pub typical_raw: i64,
    /// Quantiles 0, 1/16, ..., 1 of the deciding score on the calibration data, for drift checks and displays.
    pub quantiles_raw: Vec<i64, QUANTILES>,
}

impl Calibration {
    /// Decodes the gate section; none if it is absent or empty.
    pub(crate) fn decode(bytes: Option<&[u8]>) -> Result<Option<Self>, postcard::Error> {
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        // Field by field, as steps are: half of the code of a derived decoder.
        let mut from = Reader::from_bytes(bytes);
        let mut gate = Self {
            score: take(&mut from)?,
            alpha_ppm: take(&mut from)?,
            samples: take(&mut from)?,
            threshold_raw: take(&mut from)?,
            typical_raw: take(&mut from)?,
            quantiles_raw: Vec::new(),
        };
        read_list(&mut from, &mut gate.quantiles_raw)?;
        match from.finalize()? {
            [] => Ok(Some(gate)),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    /// The deciding score of an input.
    pub fn score_raw(&self, scores: &Scores) -> Option<i64> {
        scores.raw(self.score, self.typical_raw)
    }

    /// Accepts scores at or above the threshold. A saturated evaluation is rejected: its input lies beyond the
    /// numbers of the model, which no benign input does.
    pub fn decide(&self, scores: &Scores) -> Decision {
        match self.score_raw(scores) {
            None => Decision::Invalid,
            Some(_) if scores.fault().is_some() => Decision::Invalid,
            Some(_) if scores.saturated => Decision::Reject,
            Some(score) if score < self.threshold_raw => Decision::Reject,
            Some(_) => Decision::Accept,
        }
    }
}

/// The rank k of the threshold among n calibration scores, counted from 1; `None` if n is too small for alpha.
pub fn conformal_rank(alpha_ppm: u32, samples: u32) -> Option<u32> {
    let rank = u64::from(alpha_ppm) * (u64::from(samples) + 1) / 1_000_000;
    u32::try_from(rank).ok().filter(|&k| k > 0 && k <= samples)
}

/// m-of-n debouncing: an alarm only when at least m of the last n decisions were not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debounce {
    needed: u32,
    window: u32,
    /// One bit a decision, newest lowest.
    history: u32,
}

impl Debounce {
    /// An alarm after `needed` of the last `window` decisions; `window` at most 32, `needed` from 1 to `window`.
    pub const fn new(needed: u32, window: u32) -> Option<Self> {
        if needed == 0 || needed > window || window > 32 {
            return None;
        }
        Some(Self {
            needed,
            window,
            history: 0,
        })
    }

    /// Takes a decision and says whether there is an alarm now.
    pub fn push(&mut self, decision: Decision) -> bool {
        let alarm = u32::from(decision != Decision::Accept);
        self.history = (self.history << 1) | alarm;
        let seen = u32::MAX >> (32 - self.window);
        (self.history & seen).count_ones() >= self.needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(score: ScoreKind, threshold_raw: i64) -> Calibration {
        Calibration {
            score,
            alpha_ppm: 10_000,
            samples: 999,
            threshold_raw,
            typical_raw: -50,
            quantiles_raw: Vec::new(),
        }
    }

    #[test]
    fn the_rank_keeps_the_false_alarm_rate_below_alpha() {
        assert_eq!(conformal_rank(10_000, 98), None);
        assert_eq!(conformal_rank(10_000, 99), Some(1));
        assert_eq!(conformal_rank(10_000, 199), Some(2));
        assert_eq!(conformal_rank(10_000, 9_999), Some(100));
        assert_eq!(conformal_rank(1_000_000, 9), None);
    }

    #[test]
    fn scores_at_the_threshold_are_accepted() {
        let scores = |log_prob_raw, saturated| Scores {
            log_prob_raw,
            saturated,
            ..Scores::default()
        };
        let likelihood = gate(ScoreKind::Likelihood, -100);
        assert_eq!(likelihood.decide(&scores(-100, false)), Decision::Accept);
        assert_eq!(likelihood.decide(&scores(-101, false)), Decision::Reject);
        assert_eq!(likelihood.decide(&scores(-100, true)), Decision::Reject);
        let typicality = gate(ScoreKind::Typicality, -10);
        assert_eq!(typicality.decide(&scores(-60, false)), Decision::Accept);
        assert_eq!(typicality.decide(&scores(-39, false)), Decision::Reject);
        let complexity = gate(ScoreKind::Complexity, 0);
        assert_eq!(complexity.decide(&scores(-60, false)), Decision::Invalid);
    }

    #[test]
    fn the_alarm_needs_m_of_n() {
        let mut debounce = Debounce::new(2, 3).unwrap();
        let pushed = [true, false, true, false, false, true].map(|bad| {
            debounce.push(if bad {
                Decision::Reject
            } else {
                Decision::Accept
            })
        });
        assert_eq!(pushed, [false, false, true, false, false, false]);
        assert_eq!(Debounce::new(0, 3), None);
        assert_eq!(Debounce::new(4, 3), None);
    }
}
