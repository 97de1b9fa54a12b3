//! The end of the answers file.

use crate::take;

const MAGIC: [u8; 4] = *b"FGS1";

/// What the board used and did, over the whole run.
///
/// A file without it comes from a run that stopped half-way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number of answers before this summary.
    pub answers: u32,
    /// Deepest use of the stack, in bytes, from reset to here.
    pub stack_bytes: u32,
    /// Scratch memory of the engine for this model, in bytes.
    pub scratch_bytes: u32,
    /// Level changes that the decision pin saw.
    pub pin_changes: u32,
}

impl Summary {
    /// Bytes of the encoded summary.
    pub const BYTES: usize = 20;

    /// `magic, answers, stack_bytes, scratch_bytes, pin_changes`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let words = [
            u32::from_le_bytes(MAGIC),
            self.answers,
            self.stack_bytes,
            self.scratch_bytes,
            self.pin_changes,
        ];
        let mut bytes = [0; Self::BYTES];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// `None` where the bytes do not start with the magic number.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut bytes = bytes.as_slice();
        (take(&mut bytes)? == MAGIC).then_some(())?;
        let mut word = || take(&mut bytes).map(u32::from_le_bytes);
        Some(Self {
            answers: word()?,
            stack_bytes: word()?,
            scratch_bytes: word()?,
            pin_changes: word()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_bytes_are_literal() {
        let summary = Summary {
            answers: 1,
            stack_bytes: 2,
            scratch_bytes: 3,
            pin_changes: 0x0403_0201,
        };
        assert_eq!(
            summary.to_bytes(),
            *b"FGS1\x01\0\0\0\x02\0\0\0\x03\0\0\0\x01\x02\x03\x04"
        );
        assert_eq!(Summary::from_bytes(summary.to_bytes()), Some(summary));
    }
}
