//! A whole row of a convolution, from activations to the next layer's activations.
//!
//! Where requantization costs as much as a third of the products (the vector extension of Cortex-M55: 0.2 of 0.6
//! instructions a product), a kernel does both at once; processors that gain nothing have no such kernel. On a host a
//! row also shares its layer's weights, in the order in which they are multiplied, with the layer's other rows.

use super::tile::Window;
use crate::plan::{Activation, LANES};

/// Bytes of a weight and of an output channel's record (bias and multiplier) in `NumberFormat::Q8`.
const WEIGHT_BYTES: usize = 1;
const RECORD_BYTES: usize = 8;

/// What is multiplied for one row of outputs, and where the requantized sums go.
#[derive(Debug)]
pub struct Row<'t, T> {
    /// Its place among its layer's rows: of those that share what a kernel keeps, the next one's window is the next
    /// one on the same source.
    pub y: usize,
    /// The window at the first column.
    pub window: &'t Window<'t>,
    /// Rows of weights, one an output channel, block after block of [`LANES`].
    pub weights: &'t [u8],
    /// Bytes of a row of weights.
    pub row_bytes: usize,
    /// Of a window whose pixels have their weights in reverse order, run by run: elements of a pixel.
    pub mirrored: Option<usize>,
    /// Whether pixels have two channels at most: of every four activations and their weights the last two are zero.
    pub half_empty: bool,
    /// One record an output channel.
    pub records: &'t [u8],
    /// Blocks of output channels.
    pub blocks: usize,
    /// What the window's runs count from.
    pub activations: &'t [T],
    /// Distance of two columns in the activations.
    pub step: usize,
    /// Output columns.
    pub columns: usize,
    /// Applied to the scaled sums.
    pub activation: Activation,
    /// Added after the activation: the same pixels as the target, or nothing.
    pub residual: &'t [T],
    /// The output's pixels, side by side.
    pub target: &'t mut [T],
}

impl<T> Row<'_, T> {
    /// Elements of one output pixel.
    pub fn pixel_len(&self) -> usize {
        self.blocks * LANES
    }

    /// Whether everything that is multiplied is there, weights and records having so many bytes.
    pub fn inputs_fit(&self, weight_bytes: usize, record_bytes: usize) -> bool {
        let weights_fit = || {
            let reach = self.window.weights_reach().checked_mul(weight_bytes)?;
            Some(reach <= self.row_bytes)
        };
        let records = self.records.len() / (record_bytes * LANES);
        self.reach().is_some_and(|(weights, activations, _)| {
            weights_fit().unwrap_or(false)
                && weights <= self.weights.len()
                && self.blocks <= records
                && activations <= self.activations.len()
        })
    }

    /// Ends of the weights, activations and outputs; `None` where there are none, or too many to count.
    fn reach(&self) -> Option<(usize, usize, usize)> {
        let channels = self.blocks.checked_mul(LANES).filter(|&n| n > 0)?;
        let last = self.columns.checked_sub(1)?.checked_mul(self.step)?;
        Some((
            channels.checked_mul(self.row_bytes)?,
            self.window.activations_reach().checked_add(last)?,
            channels.checked_mul(self.columns)?,
        ))
    }
}

impl Row<'_, i16> {
    /// Whether everything that the row names is there.
    pub fn fits(&self) -> bool {
        self.fits_in(self.target.len())
    }

    /// The same with a target of so many elements.
    #[inline]
    pub fn fits_in(&self, target_len: usize) -> bool {
        self.sums_fit_in(target_len)
            && (self.residual.is_empty() || self.sums_fit_in(self.residual.len()))
    }

    /// Whether everything that is multiplied is there, and so many elements hold the sums.
    #[inline]
    pub fn sums_fit_in(&self, len: usize) -> bool {
        self.inputs_fit(WEIGHT_BYTES, RECORD_BYTES)
            && self.reach().is_some_and(|(_, _, outputs)| outputs <= len)
    }
}
