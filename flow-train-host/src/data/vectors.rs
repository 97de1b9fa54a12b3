//! Feature vectors: table rows, embeddings, windows of a sensor.
//!
//! f32, because embeddings are computed in f32 and sensors give fewer bits still; and finite,
//! because a NaN in one training vector poisons every weight.

use std::ops::Range;
use std::sync::Arc;

use flow_infer::front_end::windows::Windows;

use rayon::prelude::*;

use super::shape::{ShapeMismatch, item_len, value_range};
use crate::windows::WindowSpec;

/// N vectors of D values, laid out N x D.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    dims: usize,
    values: Vec<f32>,
    windows: Option<WindowSet>,
}

/// The windows of a sensor's samples that vectors were measured in.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSet {
    spec: Arc<WindowSpec>,
    /// Window by window, sample by sample.
    samples: Vec<i16>,
}

impl WindowSet {
    /// All samples of windows, window by window and sample by sample.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where they are no whole windows.
    pub fn new(spec: Arc<WindowSpec>, samples: Vec<i16>) -> Result<Self, ShapeMismatch> {
        item_len(&[spec.length.into(), spec.channels.len()], samples.len())?;
        Ok(Self { spec, samples })
    }

    /// What windows they are.
    pub fn spec(&self) -> &Arc<WindowSpec> {
        &self.spec
    }

    /// Samples and channels of a window.
    pub fn shape(&self) -> [usize; 2] {
        [self.spec.length.into(), self.spec.channels.len()]
    }

    /// Number of windows.
    pub fn len(&self) -> usize {
        self.samples.len() / self.item_len()
    }

    /// Whether there is no window.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// All samples.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Window `index`, sample by sample.
    ///
    /// # Panics
    /// When `index` is not less than [`len`](Self::len).
    pub fn get(&self, index: usize) -> &[i16] {
        &self.samples[index * self.item_len()..][..self.item_len()]
    }

    /// Window `index` as a file and a board have it.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    pub fn bytes(&self, index: usize) -> Vec<u8> {
        self.get(index)
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect()
    }

    fn item_len(&self) -> usize {
        let [length, channels] = self.shape();
        (length * channels).max(1)
    }

    fn pick(&self, indices: &[usize]) -> Self {
        let windows = indices.iter().flat_map(|&index| self.get(index));
        Self {
            spec: self.spec.clone(),
            samples: windows.copied().collect(),
        }
    }

    fn take(&self, range: Range<usize>) -> Self {
        let range = value_range(range, self.len(), self.item_len());
        Self {
            spec: self.spec.clone(),
            samples: self.samples[range].to_vec(),
        }
    }

    /// The values that a model reads, window by window, and how many each has.
    fn values(&self) -> (usize, Vec<f32>) {
        // A spec that no file can hold has no values.
        let section = self.spec.to_bytes().unwrap_or_default();
        let Some(windows) = Windows::parse(&section) else {
            return (1, vec![0.0; self.len()]);
        };
        let of_window = |index: usize| -> Vec<f32> {
            let bytes = self.bytes(index);
            let spec = Windows::parse(&section);
            let window = spec.and_then(|spec| Some((spec, spec.window(&bytes)?)));
            window.map_or_else(Vec::new, |(spec, window)| {
                (0..spec.dims())
                    .map(|i| spec.value(window, i) as f32)
                    .collect()
            })
        };
        let values: Vec<Vec<f32>> = (0..self.len()).into_par_iter().map(of_window).collect();
        (windows.dims(), values.concat())
    }
}

impl Vectors {
    /// What the features of windows measure.
    pub fn of_windows(windows: WindowSet) -> Self {
        let (dims, values) = windows.values();
        Self {
            dims,
            values,
            windows: Some(windows),
        }
    }

    /// The windows that they were measured in, where they were measured in such.
    pub fn windows(&self) -> Option<&WindowSet> {
        self.windows.as_ref()
    }

    /// Vectors of `dims` values from all `values`, N x D. The readers of this module refuse NaN
    /// and infinity before they come here.
    ///
    /// # Errors
    /// [`ShapeMismatch`] when `dims` is zero or `values` is not a whole number of vectors.
    pub fn new(dims: usize, values: Vec<f32>) -> Result<Self, ShapeMismatch> {
        item_len(&[dims], values.len())?;
        Ok(Self {
            dims,
            values,
            windows: None,
        })
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
            windows: self.windows.as_ref().map(|windows| windows.pick(indices)),
        }
    }

    /// All vectors of sets that are like this one, one set after another.
    pub(super) fn joined<'s>(&self, sets: impl Iterator<Item = &'s Self> + Clone) -> Self {
        let samples = sets.clone().filter_map(|set| set.windows.as_ref());
        let samples = samples.flat_map(|windows| windows.samples.iter().copied());
        Self {
            dims: self.dims,
            values: sets.flat_map(|set| set.values.iter().copied()).collect(),
            windows: self.windows.as_ref().map(|windows| WindowSet {
                spec: windows.spec.clone(),
                samples: samples.collect(),
            }),
        }
    }

    /// The vectors of `range`, as far as there are any.
    pub fn take(&self, range: Range<usize>) -> Self {
        let values = value_range(range.clone(), self.len(), self.dims);
        Self {
            dims: self.dims,
            values: self.values[values].to_vec(),
            windows: self.windows.as_ref().map(|windows| windows.take(range)),
        }
    }
}
