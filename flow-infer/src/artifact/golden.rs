//! Golden vectors: inputs with the raw scores that this very file must give, on any target.

use super::LoadError;
use crate::plan::PlannedInput;

/// Bytes of the expected results behind each input.
const EXPECTED_LEN: usize = 16;

/// One input and what it must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoldenVector<'b> {
    /// The input's bytes.
    pub input: &'b [u8],
    /// Expected log_prob, units of 2^-24 nats.
    pub log_prob_raw: i64,
    /// Expected code length of the input, units of 2^-24 nats; zero for vectors.
    pub code_length_raw: i64,
}

/// The golden vectors of a file: an iterator.
#[derive(Clone, Debug)]
pub struct Golden<'b> {
    bytes: &'b [u8],
    input_len: usize,
}

impl<'b> Golden<'b> {
    pub(super) fn new(bytes: &'b [u8], input_len: usize) -> Self {
        Self { bytes, input_len }
    }

    /// The section is a whole number of vectors.
    pub(super) fn check(bytes: &[u8], input: &PlannedInput) -> Result<(), LoadError> {
        let len = input.byte_len() + EXPECTED_LEN;
        match bytes.len().checked_rem(len) {
            Some(0) => Ok(()),
            _ => Err(LoadError::Golden),
        }
    }
}

impl<'b> Iterator for Golden<'b> {
    type Item = GoldenVector<'b>;

    fn next(&mut self) -> Option<GoldenVector<'b>> {
        let (input, rest) = self.bytes.split_at_checked(self.input_len)?;
        let (log_prob, rest) = rest.split_first_chunk::<8>()?;
        let (code_length, rest) = rest.split_first_chunk::<8>()?;
        self.bytes = rest;
        Some(GoldenVector {
            input,
            log_prob_raw: i64::from_le_bytes(*log_prob),
            code_length_raw: i64::from_le_bytes(*code_length),
        })
    }
}
