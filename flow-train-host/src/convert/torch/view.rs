//! Tensors as views of storages: offset, shape and strides, in elements.

use super::storage::Storage;
use crate::convert::dtype::Dtype;
use crate::convert::fault::{MAX_AXES, TensorFault};
use crate::model::Tensor;

/// A tensor that has not been copied out of the file yet.
///
/// The element at (i, j, ...) is that of the storage at offset + i stride_0 + j stride_1 + ...; a tensor that is not
/// contiguous (a transposed matrix, say) is stored like that.
#[derive(Clone, Debug)]
pub struct TensorView<'a> {
    storage: Storage<'a>,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl<'a> TensorView<'a> {
    /// A view whose elements all lie inside of the storage.
    pub(super) fn new(
        storage: Storage<'a>,
        offset: u64,
        shape: &[u64],
        strides: &[u64],
    ) -> Result<Self, TensorFault> {
        if shape.len() != strides.len() || shape.len() > MAX_AXES {
            return Err(TensorFault::Axes(shape.len(), strides.len()));
        }
        let outside = || TensorFault::Outside {
            elements: storage.elements() as u64,
        };
        let elements = shape.iter().try_fold(1u64, |len, &n| len.checked_mul(n));
        if elements.ok_or_else(outside)? > 0 {
            let last = last_element(offset, shape, strides).ok_or_else(outside)?;
            if last >= storage.elements() as u64 {
                return Err(outside());
            }
        }
        let sizes = |values: &[u64]| -> Option<Vec<usize>> {
            values.iter().map(|&v| usize::try_from(v).ok()).collect()
        };
        let view = || {
            Some(Self {
                storage,
                offset: usize::try_from(offset).ok()?,
                shape: sizes(shape)?,
                strides: sizes(strides)?,
            })
        };
        view().ok_or_else(outside)
    }

    /// Subtracts the number of elements from what all tensors together may still have.
    ///
    /// Strides of zero let a few bytes claim any number of elements.
    pub(super) fn within(self, budget: &mut usize) -> Result<Self, TensorFault> {
        *budget = budget
            .checked_sub(self.len())
            .ok_or(TensorFault::TooLarge)?;
        Ok(self)
    }

    /// Size along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Type of the elements.
    pub const fn dtype(&self) -> Dtype {
        self.storage.dtype
    }

    /// A copy in row-major order, rounded to f32; `None` if the elements are integers.
    pub fn to_tensor(&self) -> Option<Tensor> {
        let values = (0..self.len())
            .map(|index| {
                self.storage
                    .dtype
                    .f32_at(self.storage.bytes, self.place(index))
            })
            .collect::<Option<Vec<f32>>>()?;
        let shape = self.shape.clone();
        Some(Tensor { shape, values })
    }

    /// A copy in row-major order; `None` if the elements are not 64-bit integers.
    pub fn to_integers(&self) -> Option<Vec<i64>> {
        let bytes = |index: usize| -> Option<[u8; 8]> {
            let start = index.checked_mul(8)?;
            self.storage.bytes.get(start..start + 8)?.try_into().ok()
        };
        if self.dtype() != Dtype::I64 {
            return None;
        }
        let values = (0..self.len()).map(|index| bytes(self.place(index)).map(i64::from_le_bytes));
        values.collect()
    }

    /// A copy in row-major order; `None` if the elements are not booleans, or bytes of 0 and 1.
    pub fn to_booleans(&self) -> Option<Vec<bool>> {
        if !matches!(self.dtype(), Dtype::Bool | Dtype::U8) {
            return None;
        }
        let values =
            (0..self.len()).map(|index| match self.storage.bytes.get(self.place(index))? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            });
        values.collect()
    }

    /// Where the element of a row-major index lies in the storage.
    fn place(&self, index: usize) -> usize {
        let axes = self.shape.iter().zip(&self.strides).rev();
        let (_, place) = axes.fold((index, self.offset), |(rest, place), (&size, &stride)| {
            (rest / size, place + rest % size * stride)
        });
        place
    }
}

/// Storage index of the last element of a view with no empty axis.
fn last_element(offset: u64, shape: &[u64], strides: &[u64]) -> Option<u64> {
    let axes = shape.iter().zip(strides);
    axes.clone().try_fold(offset, |last, (&size, &stride)| {
        last.checked_add((size - 1).checked_mul(stride)?)
    })
}
