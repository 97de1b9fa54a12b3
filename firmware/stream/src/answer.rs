//! What the board says about one input.

use crate::take;
use flow_infer::artifact::Artifact;
use flow_infer::engine::InputError;
use flow_infer::gate::Decision;
use flow_infer::score::combined::{Combined, TestKind};
use flow_infer::score::{Exposure, Scores};

/// One answer: the scores, the gate's decision, and the pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was computed; `None` where the bytes are no input for the model (NaN, infinity).
    pub scores: Option<Scores>,
    /// The deciding score; `None` without scores, or where the model has no gate.
    pub score_raw: Option<i64>,
    /// The conformal p-value of the deciding score, parts per million; `None` where the file has no p-values.
    pub p_value_ppm: Option<u32>,
    /// The gate's decision; `None` where the model has no gate.
    pub decision: Option<Decision>,
    /// The level read back from the decision pin after the decision.
    pub pin_high: bool,
}

/// Bits of the flags byte.
mod flag {
    pub(super) const SCORES: u8 = 1;
    pub(super) const CODE_LENGTH: u8 = 2;
    pub(super) const SCORE: u8 = 4;
    pub(super) const SATURATED: u8 = 8;
    pub(super) const PIN_HIGH: u8 = 16;
    pub(super) const EXPOSURE: u8 = 32;
    pub(super) const COMBINED: u8 = 64;
    pub(super) const P_VALUE: u8 = 128;
}

impl Answer {
    /// Bytes of one encoded answer.
    pub const BYTES: usize = 34 + EXPOSURE_BYTES + COMBINED_BYTES + 4;

    /// What follows from an evaluation, before anything is done about it: the pin is low.
    #[must_use]
    pub fn new(artifact: &Artifact<'_>, evaluated: Result<Scores, InputError>) -> Self {
        let scores = evaluated.ok();
        let gate = artifact.calibration();
        Self {
            scores,
            p_value_ppm: scores.and_then(|scores| artifact.p_value_ppm(&scores)),
            score_raw: gate.and_then(|gate| gate.score_raw(scores.as_ref()?)),
            decision: gate.map(|gate| match &scores {
                Some(scores) => gate.decide(scores),
                None => Decision::Invalid,
            }),
            pin_high: false,
        }
    }

    /// `decision, flags, log_prob_raw, code_length_raw, squares_raw, score_raw`, exposure, combined score and p-value;
    /// what is absent is zero.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let scores = self.scores.unwrap_or_default();
        let flags = [
            (self.scores.is_some(), flag::SCORES),
            (scores.code_length_raw.is_some(), flag::CODE_LENGTH),
            (self.score_raw.is_some(), flag::SCORE),
            (scores.saturated, flag::SATURATED),
            (self.pin_high, flag::PIN_HIGH),
            (scores.exposure.is_some(), flag::EXPOSURE),
            (scores.combined.is_some(), flag::COMBINED),
            (self.p_value_ppm.is_some(), flag::P_VALUE),
        ];
        let raw = [
            scores.log_prob_raw,
            scores.code_length_raw.unwrap_or(0),
            scores.squares_raw,
            self.score_raw.unwrap_or(0),
        ];
        let mut bytes = [0; Self::BYTES];
        let (head, rest) = bytes.split_at_mut(2);
        head.copy_from_slice(&[
            decision_code(self.decision),
            flags
                .iter()
                .filter(|(set, _)| *set)
                .fold(0, |flags, (_, bit)| flags | bit),
        ]);
        let (words, rest) = rest.split_at_mut(32);
        for (place, value) in words.chunks_exact_mut(8).zip(raw) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        let (exposure, rest) = rest.split_at_mut(EXPOSURE_BYTES);
        exposure.copy_from_slice(&exposure_bytes(scores.exposure.unwrap_or_default()));
        let (combined, p_value) = rest.split_at_mut(COMBINED_BYTES);
        if let Some(found) = scores.combined {
            combined.copy_from_slice(&combined_bytes(found));
        }
        p_value.copy_from_slice(&self.p_value_ppm.unwrap_or(0).to_le_bytes());
        bytes
    }

    /// `None` where a byte is none that [`Answer::to_bytes`] writes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let [decision, flags] = take(&mut rest)?;
        let mut raw = || take(&mut rest).map(i64::from_le_bytes);
        let (log_prob_raw, code_length_raw) = (raw()?, raw()?);
        let (squares_raw, score_raw) = (raw()?, raw()?);
        let exposure = exposure_from(take(&mut rest)?);
        let combined = combined_from(take(&mut rest)?);
        let p_value_ppm = u32::from_le_bytes(take(&mut rest)?);
        let has = |bit| flags & bit != 0;
        let answer = Self {
            scores: has(flag::SCORES).then_some(Scores {
                log_prob_raw,
                code_length_raw: has(flag::CODE_LENGTH).then_some(code_length_raw),
                squares_raw,
                exposure: has(flag::EXPOSURE).then_some(exposure),
                combined: match has(flag::COMBINED) {
                    true => Some(combined?),
                    false => None,
                },
                saturated: has(flag::SATURATED),
            }),
            score_raw: has(flag::SCORE).then_some(score_raw),
            decision: decision_from(decision)?,
            p_value_ppm: has(flag::P_VALUE).then_some(p_value_ppm),
            pin_high: has(flag::PIN_HIGH),
        };
        (answer.to_bytes() == bytes).then_some(answer)
    }
}

const EXPOSURE_BYTES: usize = 6;
const TESTS: usize = TestKind::ALL.len();
const COMBINED_BYTES: usize = 10 + 4 * TESTS;

fn exposure_bytes(exposure: Exposure) -> [u8; EXPOSURE_BYTES] {
    let [a, b, c, d] = exposure.sum.to_le_bytes();
    [a, b, c, d, exposure.greatest, exposure.least]
}

fn exposure_from([a, b, c, d, greatest, least]: [u8; EXPOSURE_BYTES]) -> Exposure {
    Exposure {
        sum: u32::from_le_bytes([a, b, c, d]),
        greatest,
        least,
    }
}

/// `score_raw, smallest, tests`, then the logarithms of all tests.
fn combined_bytes(combined: Combined) -> [u8; COMBINED_BYTES] {
    let mut bytes = [0; COMBINED_BYTES];
    let (score, rest) = bytes.split_at_mut(8);
    let (names, tails) = rest.split_at_mut(2);
    score.copy_from_slice(&combined.score_raw.to_le_bytes());
    names.copy_from_slice(&[combined.smallest.code(), combined.tests]);
    for (place, tail) in tails.chunks_exact_mut(4).zip(combined.log_tails) {
        place.copy_from_slice(&tail.to_le_bytes());
    }
    bytes
}

fn combined_from(bytes: [u8; COMBINED_BYTES]) -> Option<Combined> {
    let mut rest = bytes.as_slice();
    let score_raw = i64::from_le_bytes(take(&mut rest)?);
    let [smallest, tests] = take(&mut rest)?;
    let mut log_tails = [0; TESTS];
    for tail in &mut log_tails {
        *tail = i32::from_le_bytes(take(&mut rest)?);
    }
    Some(Combined {
        score_raw,
        smallest: TestKind::from_code(smallest)?,
        log_tails,
        tests,
    })
}

fn decision_code(decision: Option<Decision>) -> u8 {
    match decision {
        None => 0,
        Some(Decision::Accept) => 1,
        Some(Decision::Reject) => 2,
        Some(Decision::Invalid) => 3,
    }
}

fn decision_from(code: u8) -> Option<Option<Decision>> {
    Some(match code {
        0 => None,
        1 => Some(Decision::Accept),
        2 => Some(Decision::Reject),
        3 => Some(Decision::Invalid),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Answer = Answer {
        scores: Some(Scores {
            log_prob_raw: -1,
            code_length_raw: Some(2),
            squares_raw: 3,
            exposure: Some(Exposure {
                sum: 0x0403_0201,
                greatest: 5,
                least: 6,
            }),
            combined: Some(Combined {
                score_raw: -2,
                smallest: TestKind::Shadows,
                log_tails: [1, 0, 0, 0, 0, 0, 0, -1],
                tests: 0x81,
            }),
            saturated: true,
        }),
        p_value_ppm: Some(0x0102_0304),
        score_raw: Some(0x0102_0304_0506_0708),
        decision: Some(Decision::Reject),
        pin_high: true,
    };

    #[test]
    fn answer_bytes_are_literal() {
        let mut expected = [0; Answer::BYTES];
        expected[..2].copy_from_slice(&[2, 255]);
        expected[2..10].copy_from_slice(&[255; 8]);
        expected[10] = 2;
        expected[18] = 3;
        expected[26..34].copy_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
        expected[34..40].copy_from_slice(&[1, 2, 3, 4, 5, 6]);
        expected[40..48].copy_from_slice(&[254, 255, 255, 255, 255, 255, 255, 255]);
        expected[48..51].copy_from_slice(&[7, 0x81, 1]);
        expected[78..82].copy_from_slice(&[255; 4]);
        expected[82..].copy_from_slice(&[4, 3, 2, 1]);
        assert_eq!(ANSWER.to_bytes(), expected);
        assert_eq!(Answer::from_bytes(expected), Some(ANSWER));
    }

    #[test]
    fn absent_parts_come_back_absent() {
        let empty = Answer {
            scores: None,
            score_raw: None,
            p_value_ppm: None,
            decision: None,
            pin_high: false,
        };
        assert_eq!(empty.to_bytes(), [0; Answer::BYTES]);
        assert_eq!(Answer::from_bytes(empty.to_bytes()), Some(empty));
    }

    #[test]
    fn bytes_that_nothing_writes_are_refused() {
        let with = |index: usize, value| {
            let mut bytes = ANSWER.to_bytes();
            bytes[index] = value;
            Answer::from_bytes(bytes)
        };
        assert_eq!(with(0, 4), None, "decision");
        assert_eq!(with(1, 254), None, "log_prob without its flag");
        assert_eq!(with(1, 127), None, "p-value without its flag");
        assert_eq!(with(48, 8), None, "unknown test");
    }
}
