//! What the board says about one input.

use crate::take;

/// The gate's decision, as the board took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Like the data the model was made for.
    Accept,
    /// Unlike it.
    Reject,
    /// Not an input at all (NaN, infinity, out of the scaler's range).
    Invalid,
}

/// One answer: the decision, the pin, and the raw integers of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The gate's decision.
    pub decision: Decision,
    /// The level read back from the decision pin after the decision.
    pub pin_high: bool,
    /// The integers of the scores, in the order of [`Answer::RAW_NAMES`].
    pub raw: [i64; Answer::RAW],
}

impl Answer {
    /// Number of raw integers.
    pub const RAW: usize = 3;
    /// What each raw integer is.
    pub const RAW_NAMES: [&'static str; Self::RAW] = ["log_prob", "code_length", "score"];
    /// Bytes of one encoded answer.
    pub const BYTES: usize = 2 + 8 * Self::RAW;

    /// `decision, pin, raw[0], raw[1], ...`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let decision = match self.decision {
            Decision::Accept => 0,
            Decision::Reject => 1,
            Decision::Invalid => 2,
        };
        let mut bytes = [0; Self::BYTES];
        let (head, raw) = bytes.split_at_mut(2);
        head.copy_from_slice(&[decision, u8::from(self.pin_high)]);
        for (place, value) in raw.chunks_exact_mut(8).zip(self.raw) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// `None` where the decision or the pin is no known value.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut bytes = bytes.as_slice();
        let [decision, pin] = take(&mut bytes)?;
        let mut raw = [0; Self::RAW];
        for value in &mut raw {
            *value = i64::from_le_bytes(take(&mut bytes)?);
        }
        Some(Self {
            decision: match decision {
                0 => Decision::Accept,
                1 => Decision::Reject,
                2 => Decision::Invalid,
                _ => return None,
            },
            pin_high: match pin {
                0 => false,
                1 => true,
                _ => return None,
            },
            raw,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Answer = Answer {
        decision: Decision::Reject,
        pin_high: true,
        raw: [-1, 2, 0x0102_0304_0506_0708],
    };

    #[test]
    fn answer_bytes_are_literal() {
        let mut expected = [0; Answer::BYTES];
        expected[..2].copy_from_slice(&[1, 1]);
        expected[2..10].copy_from_slice(&[255; 8]);
        expected[10] = 2;
        expected[18..].copy_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(ANSWER.to_bytes(), expected);
        assert_eq!(Answer::from_bytes(expected), Some(ANSWER));
    }

    #[test]
    fn unknown_values_are_refused() {
        for (index, value) in [(0, 3), (1, 2)] {
            let mut bytes = ANSWER.to_bytes();
            bytes[index] = value;
            assert_eq!(Answer::from_bytes(bytes), None);
        }
    }
}
