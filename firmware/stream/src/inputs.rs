//! The head of the inputs file.

use crate::take;

const MAGIC: [u8; 4] = *b"FGI1";

/// How many inputs follow, and how long each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputsHeader {
    /// Number of inputs.
    pub count: u32,
    /// Bytes of one input.
    pub input_bytes: u32,
}

impl InputsHeader {
    /// Bytes of the encoded header.
    pub const BYTES: usize = 12;
    /// In place of the bytes of an input: frames follow, each behind its own header.
    pub const FRAMES: u32 = 0;

    /// `magic, count, input_bytes`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (magic, rest) = bytes.split_at_mut(4);
        let (count, input_bytes) = rest.split_at_mut(4);
        magic.copy_from_slice(&MAGIC);
        count.copy_from_slice(&self.count.to_le_bytes());
        input_bytes.copy_from_slice(&self.input_bytes.to_le_bytes());
        bytes
    }

    /// `None` where the bytes do not start with the magic number.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut bytes = bytes.as_slice();
        (take(&mut bytes)? == MAGIC).then_some(())?;
        Some(Self {
            count: u32::from_le_bytes(take(&mut bytes)?),
            input_bytes: u32::from_le_bytes(take(&mut bytes)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_bytes_are_literal() {
        let header = InputsHeader {
            count: 0x0102_0304,
            input_bytes: 784,
        };
        assert_eq!(header.to_bytes(), *b"FGI1\x04\x03\x02\x01\x10\x03\0\0");
        assert_eq!(InputsHeader::from_bytes(header.to_bytes()), Some(header));
    }

    #[test]
    fn other_magic_is_refused() {
        assert_eq!(
            InputsHeader::from_bytes(*b"FGI2\x04\x03\x02\x01\x10\x03\0\0"),
            None
        );
    }
}
