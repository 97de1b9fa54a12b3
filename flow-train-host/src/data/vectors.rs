//! Feature vectors: table rows, embeddings, windows of a sensor.
//!
//! f32, because embeddings are computed in f32 and sensors give fewer bits still; and finite,
//! because a NaN in one training vector poisons every weight.

use std::ops::Range;

use super::shape::{ShapeMismatch, item_len, value_range};

/// N vectors of D values, laid out N x D.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    dims: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// Vectors of `dims` values from all `values`, N x D. The readers of this module refuse NaN
    /// and infinity before they come here.
    ///
    /// # Errors
    /// [`ShapeMismatch`] when `dims` is zero or `values` is not a whole number of vectors.
    pub fn new(dims: usize, values: Vec<f32>) -> Result<Self, ShapeMismatch> {
        item_len(&[dims], values.len())?;
        Ok(Self { dims, values })
    }

    /// D, the values of one vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Number of vectors N.
    pub fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Vector `index`.
    ///
    /// # Panics
    /// When `index` is not less than [`len`](Self::len).
    pub fn get(&self, index: usize) -> &[f32] {
        &self.values[index * self.dims..][..self.dims]
    }

    /// The vectors in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.dims)
    }

    /// All values, N x D.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The vectors at these indices.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    pub fn pick(&self, indices: &[usize]) -> Self {
        let vectors = indices.iter().flat_map(|&index| self.get(index));
        Self {
            dims: self.dims,
            values: vectors.copied().collect(),
        }
    }

    /// The vectors of `range`, as far as there are any.
    pub fn take(&self, range: Range<usize>) -> Self {
        let range = value_range(range, self.len(), self.dims);
        Self {
            dims: self.dims,
            values: self.values[range].to_vec(),
        }
    }
}
