//! Stand-in until the engine lands.

use flowgate_stream::{Answer, Decision};

/// A loaded model with its scratch.
pub struct Model<'a> {
    bytes: &'a [u8],
    scratch: &'a mut [u8],
}

impl<'a> Model<'a> {
    /// Loads.
    #[must_use]
    pub fn new(bytes: &'a [u8], scratch: &'a mut [u8]) -> Self {
        Self { bytes, scratch }
    }

    /// Scores.
    pub fn score(&mut self, input: &[u8]) -> (Decision, [i64; Answer::RAW]) {
        for (s, x) in self.scratch.iter_mut().zip(input) {
            *s = x.wrapping_mul(3);
        }
        let sum = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(7i64, |h, &b| h.wrapping_mul(31).wrapping_add(b.into()))
        };
        let raw = [sum(input), sum(self.bytes), sum(self.scratch)];
        let decision = if raw[0] & 1 == 0 {
            Decision::Accept
        } else {
            Decision::Reject
        };
        (decision, raw)
    }

    /// Bytes.
    #[must_use]
    pub fn input_bytes(&self) -> usize {
        784
    }

    /// Bytes.
    #[must_use]
    pub fn scratch_bytes(&self) -> usize {
        self.scratch.len()
    }
}
