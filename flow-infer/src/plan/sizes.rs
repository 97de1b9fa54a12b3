//! Sizes of the records of each number format, and where they lie; `documents/format.md` says what is in them.

use super::{NumberFormat, PlanError};

/// Sizes of the records of a number format, in bytes.
pub(crate) struct RecordSizes {
    pub(crate) weight: usize,
    pub(crate) output: usize,
    pub(crate) input: usize,
    pub(crate) map: usize,
    pub(crate) actnorm: usize,
    pub(crate) linear: usize,
    pub(crate) standardization: usize,
    /// In front of a row of a whitening, and each of its weights.
    pub(crate) whitening: [usize; 2],
    pub(crate) bound: usize,
    pub(crate) image_entry: usize,
}

impl NumberFormat {
    pub(crate) const fn sizes(self) -> RecordSizes {
        let weight = match self {
            Self::Q8 => 1,
            Self::F32 => 4,
            Self::F16 => 2,
        };
        let fixed = matches!(self, Self::Q8);
        RecordSizes {
            weight,
            output: if fixed { 8 } else { 4 },
            input: 8,
            map: 8,
            actnorm: if fixed { 12 } else { 8 },
            linear: 4,
            standardization: if fixed { 16 } else { 8 },
            whitening: if fixed { [4, 2] } else { [0, 4] },
            bound: 4,
            image_entry: 8,
        }
    }
}

impl RecordSizes {
    /// Bytes of a row of a whitening: whole words.
    pub(crate) const fn whitening_row(&self, measured: usize) -> usize {
        let [head, weight] = self.whitening;
        head + (measured * weight).next_multiple_of(4)
    }
}

/// `count` records of `size` bytes within the tensors.
pub(super) fn tensor(
    tensors: &[u8],
    offset: u32,
    count: usize,
    size: usize,
) -> Result<&[u8], PlanError> {
    let start = offset as usize;
    let len = count.checked_mul(size).ok_or(PlanError::Tensor)?;
    let end = start.checked_add(len).ok_or(PlanError::Tensor)?;
    tensors.get(start..end).ok_or(PlanError::Tensor)
}
