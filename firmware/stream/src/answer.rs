//! What the board says about one input.

use crate::take;
use flow_infer::engine::InputError;
use flow_infer::gate::{Decision, Gate};
use flow_infer::score::Scores;

/// One answer: the scores, the gate's decision, and the pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was computed; `None` where the bytes are no input for the model (NaN, infinity).
    pub scores: Option<Scores>,
    /// The deciding score; `None` without scores, or where the model has no gate.
    pub score_raw: Option<i64>,
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
    pub(super) const ALL: u8 = 31;
}

impl Answer {
    /// Bytes of one encoded answer.
    pub const BYTES: usize = 26;

    /// What follows from an evaluation, before anything is done about it: the pin is low.
    #[must_use]
    pub fn new(gate: Option<&Gate>, evaluated: Result<Scores, InputError>) -> Self {
        let scores = evaluated.ok();
        Self {
            scores,
            score_raw: gate.and_then(|gate| gate.score_raw(scores.as_ref()?)),
            decision: gate.map(|gate| match &scores {
                Some(scores) => gate.decide(scores),
                None => Decision::Invalid,
            }),
            pin_high: false,
        }
    }

    /// `decision, flags, log_prob_raw, code_length_raw, score_raw`; what is absent is zero.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let code_length_raw = self.scores.and_then(|scores| scores.code_length_raw);
        let flags = [
            (self.scores.is_some(), flag::SCORES),
            (code_length_raw.is_some(), flag::CODE_LENGTH),
            (self.score_raw.is_some(), flag::SCORE),
            (
                self.scores.is_some_and(|scores| scores.saturated),
                flag::SATURATED,
            ),
            (self.pin_high, flag::PIN_HIGH),
        ];
        let raw = [
            self.scores.map_or(0, |scores| scores.log_prob_raw),
            code_length_raw.unwrap_or(0),
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
        for (place, value) in rest.chunks_exact_mut(8).zip(raw) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// `None` where a byte is none that [`Answer::to_bytes`] writes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let [decision, flags] = take(&mut rest)?;
        let mut raw = || take(&mut rest).map(i64::from_le_bytes);
        let (log_prob_raw, code_length_raw, score_raw) = (raw()?, raw()?, raw()?);
        let has = |bit| flags & bit != 0;
        let answer = Self {
            scores: has(flag::SCORES).then_some(Scores {
                log_prob_raw,
                code_length_raw: has(flag::CODE_LENGTH).then_some(code_length_raw),
                saturated: has(flag::SATURATED),
            }),
            score_raw: has(flag::SCORE).then_some(score_raw),
            decision: decision_from(decision)?,
            pin_high: has(flag::PIN_HIGH),
        };
        (flags <= flag::ALL && answer.to_bytes() == bytes).then_some(answer)
    }
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
            saturated: true,
        }),
        score_raw: Some(0x0102_0304_0506_0708),
        decision: Some(Decision::Reject),
        pin_high: true,
    };

    #[test]
    fn answer_bytes_are_literal() {
        let mut expected = [0; Answer::BYTES];
        expected[..2].copy_from_slice(&[2, 31]);
        expected[2..10].copy_from_slice(&[255; 8]);
        expected[10] = 2;
        expected[18..].copy_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(ANSWER.to_bytes(), expected);
        assert_eq!(Answer::from_bytes(expected), Some(ANSWER));
    }

    #[test]
    fn absent_parts_come_back_absent() {
        let empty = Answer {
            scores: None,
            score_raw: None,
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
        assert_eq!(with(1, 63), None, "unknown flag");
        assert_eq!(with(1, 30), None, "log_prob without its flag");
    }

    #[test]
    fn no_input_is_invalid_only_for_a_gate() {
        let answer = Answer::new(None, Err(InputError::NotFinite));
        assert_eq!((answer.decision, answer.scores), (None, None));
    }
}
