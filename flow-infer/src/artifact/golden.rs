//! Golden vectors: inputs with the raw scores that this very file must give, on any target.

use super::LoadError;

/// Bytes of the expected results behind each input.
const EXPECTED_LEN: usize = 16;
/// Bytes of a combined score.
const COMBINED_LEN: usize = 8;

/// One input and what it must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoldenVector<'b> {
    /// The input's bytes.
    pub input: &'b [u8],
    /// Expected log_prob, units of 2^-24 nats.
    pub log_prob_raw: i64,
    /// Expected code length of the input, units of 2^-24 nats; zero for vectors.
    pub code_length_raw: i64,
    /// Expected combined score; none in a file without tests.
    pub combined_raw: Option<i64>,
}

/// The golden vectors of a file: an iterator.
#[derive(Clone, Debug)]
pub struct Golden<'b> {
    bytes: &'b [u8],
    /// The combined scores, of a section of their own.
    combined: &'b [u8],
    input_len: usize,
}

impl<'b> Golden<'b> {
    pub(super) fn new(bytes: &'b [u8], combined: &'b [u8], input_len: usize) -> Self {
        Self {
            bytes,
            combined,
            input_len,
        }
    }

    /// The section is a whole number of vectors, and where there are tests, each has a combined score.
    pub(super) fn check(&self, has_tests: bool) -> Result<(), LoadError> {
        let len = self.input_len + EXPECTED_LEN;
        let whole = self.bytes.len().checked_rem(len) == Some(0);
        let vectors = self.bytes.len().checked_div(len).unwrap_or(0);
        let wanted = if has_tests { vectors * COMBINED_LEN } else { 0 };
        match whole && self.combined.len() == wanted {
            true => Ok(()),
            false => Err(LoadError::Golden),
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
        let combined = self.combined.split_first_chunk::<COMBINED_LEN>();
        if let Some((_, rest)) = combined {
            self.combined = rest;
        }
        Some(GoldenVector {
            input,
            log_prob_raw: i64::from_le_bytes(*log_prob),
            code_length_raw: i64::from_le_bytes(*code_length),
            combined_raw: combined.map(|(raw, _)| i64::from_le_bytes(*raw)),
        })
    }
}
