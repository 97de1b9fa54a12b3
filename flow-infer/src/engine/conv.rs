//! One row of a convolution or transposed convolution.
//!
//! Pixels of a row lie side by side with their channels innermost, so the part of a window that lies in one row is one
//! contiguous run, and a convolution is a few dot products: all multiplication happens in [`Arithmetic::tile`], four
//! output channels at a time over the same activations.

use super::slices::run;
use super::{Arithmetic, MAX_WINDOW_ROWS};
use crate::plan::{Buffer, LANES, Window};

/// Where finished sums go.
pub(super) trait Sink<A: Arithmetic> {
    /// Whether the sums of this column are needed.
    fn wants(&self, x: usize) -> bool;
    /// Takes four output channels of one pixel, and their records.
    fn emit(&mut self, x: usize, block: usize, sums: [A::Accumulator; LANES], records: &[u8]);
}

/// A convolution layer with its source and tensors.
pub(super) struct Convolution<'s, A: Arithmetic> {
    pub(super) window: Window,
    pub(super) source: &'s Buffer,
    pub(super) activations: &'s [A::Activation],
    pub(super) weights: &'s [u8],
    pub(super) records: &'s [u8],
    /// Output columns and channel blocks.
    pub(super) columns: usize,
    pub(super) blocks: usize,
}

impl<A: Arithmetic> Convolution<'_, A> {
    fn fan_in(&self) -> usize {
        usize::from(self.window.height) * usize::from(self.window.width) * self.source.pixel_len()
    }

    /// The weights and records of each block of four output channels.
    fn blocks(&self) -> impl Iterator<Item = (usize, (&[u8], &[u8]))> {
        let sizes = A::FORMAT.sizes();
        let weights = self
            .weights
            .chunks_exact((LANES * self.fan_in() * sizes.weight).max(1));
        let records = self.records.chunks_exact(LANES * sizes.output);
        (0..self.blocks).zip(weights.zip(records))
    }

    /// Computes output row y.
    pub(super) fn row(&self, y: usize, sink: &mut impl Sink<A>) {
        let mut starts = [None; MAX_WINDOW_ROWS];
        let rows = starts.iter_mut().take(usize::from(self.window.height));
        let top = y * usize::from(self.window.stride);
        for (ky, start) in rows.enumerate() {
            let row = (top + ky).checked_sub(usize::from(self.window.pad));
            let row = row.filter(|&r| r < usize::from(self.source.shape.height));
            *start = row.map(|r| self.source.row_start(r));
        }
        let pixel = self.source.pixel_len();
        let run_len = usize::from(self.window.width) * pixel;
        // The window begins `pad` columns left of the pixel, inside the margin.
        let shift =
            usize::from(self.source.margin) - usize::from(self.window.pad.min(self.source.margin));
        for x in 0..self.columns {
            if !sink.wants(x) {
                continue;
            }
            let column = (x * usize::from(self.window.stride) + shift) * pixel;
            for (block, (weights, records)) in self.blocks() {
                let mut sums = bias::<A>(records);
                for (ky, start) in starts
                    .iter()
                    .take(usize::from(self.window.height))
                    .enumerate()
                {
                    let Some(start) = start else { continue };
                    let window = run(self.activations, start + column, run_len);
                    sums = A::tile(weights, self.fan_in(), ky * run_len, window, sums);
                }
                sink.emit(x, block, sums, records);
            }
        }
    }

    /// Computes output row y of the transposed convolution: every input pixel spreads over a window of the output.
    pub(super) fn transposed_row(&self, y: usize, sink: &mut impl Sink<A>) {
        let pixel = self.source.pixel_len();
        let margin = usize::from(self.source.margin);
        for x in 0..self.columns {
            if !sink.wants(x) {
                continue;
            }
            for (block, (weights, records)) in self.blocks() {
                let mut sums = bias::<A>(records);
                for ky in 0..usize::from(self.window.height) {
                    let height = usize::from(self.source.shape.height);
                    let Some(row) = self.origin(y, ky).filter(|&r| r < height) else {
                        continue;
                    };
                    let start = self.source.row_start(row);
                    for kx in 0..usize::from(self.window.width) {
                        let width = usize::from(self.source.shape.width);
                        let Some(column) = self.origin(x, kx).filter(|&c| c < width) else {
                            continue;
                        };
                        let input = run(self.activations, start + (margin + column) * pixel, pixel);
                        let at = (ky * usize::from(self.window.width) + kx) * pixel;
                        sums = A::tile(weights, self.fan_in(), at, input, sums);
                    }
                }
                sink.emit(x, block, sums, records);
            }
        }
    }

    /// The input index whose window reaches output index `at` with kernel index `k`.
    fn origin(&self, at: usize, k: usize) -> Option<usize> {
        let reach = (at + usize::from(self.window.pad)).checked_sub(k)?;
        let stride = usize::from(self.window.stride);
        (reach.checked_rem(stride)? == 0).then_some(reach.checked_div(stride)?)
    }
}

fn bias<A: Arithmetic>(records: &[u8]) -> [A::Accumulator; LANES] {
    let mut sums = [A::Accumulator::default(); LANES];
    for (sum, record) in sums
        .iter_mut()
        .zip(records.chunks_exact(A::FORMAT.sizes().output))
    {
        *sum = A::bias(record);
    }
    sums
}
