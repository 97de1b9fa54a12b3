//! One row of a convolution.
//!
//! Pixels of a row lie side by side with their channels innermost, so the part of a window that lies in one row is one
//! contiguous run, and a convolution is a few dot products: all multiplication happens in [`Arithmetic::single`] and
//! [`Arithmetic::pair`], four output channels at a time over the same activations, for two columns at a time wherever
//! there are two. Columns that a mask does not change are left out, so of a checkerboard's row every other one.

use super::{Arithmetic, MAX_WINDOW_ROWS};
use crate::kernels::{Row, Run, Tile, Window};
use crate::plan::{self, Activation, Buffer, LANES};
use crate::spec::Columns;

/// Where finished sums go.
pub(super) trait Sink<A: Arithmetic> {
    /// The columns of a row of this width whose sums are needed.
    fn columns(&self, width: usize) -> Columns;
    /// Whether a column must be finished before the next one begins: floats are added up in the order they come.
    fn in_order(&self) -> bool;
    /// Takes the whole row at once, if it can.
    fn take_row(&mut self, _: &Inputs<'_, A>, _: &mut A::PackedWeights) -> bool {
        false
    }
    /// Takes four output channels of one pixel, and their records.
    fn emit(&mut self, x: usize, block: usize, sums: &[A::Accumulator; LANES], records: &[u8]);
}

/// What a row of outputs is computed from; see [`crate::kernels::Row`] for the fields.
pub(super) struct Inputs<'s, A: Arithmetic> {
    pub(super) window: &'s Window<'s>,
    pub(super) weights: &'s [u8],
    pub(super) row_bytes: usize,
    pub(super) records: &'s [u8],
    pub(super) blocks: usize,
    pub(super) activations: &'s [A::Activation],
    /// Distance of two neighbouring columns in the activations.
    pub(super) step: usize,
    pub(super) columns: Columns,
}

/// A convolution layer with its source and tensors.
#[derive(Debug)]
pub(super) struct Convolution<'s, A: Arithmetic> {
    pub(super) window: plan::Window,
    pub(super) source: &'s Buffer,
    pub(super) activations: &'s [A::Activation],
    pub(super) weights: &'s [u8],
    pub(super) records: &'s [u8],
    /// Output columns and channel blocks.
    pub(super) columns: usize,
    pub(super) blocks: usize,
}

impl<'s, A: Arithmetic> Inputs<'s, A> {
    /// As a kernel takes them.
    #[inline(always)]
    pub(super) fn row<'r>(
        &self,
        activation: Activation,
        residual: &'r [A::Activation],
        target: &'r mut [A::Activation],
    ) -> Row<'r, A::Activation>
    where
        's: 'r,
    {
        Row {
            window: self.window,
            weights: self.weights,
            row_bytes: self.row_bytes,
            records: self.records,
            blocks: self.blocks,
            activations: self
                .activations
                .get(self.columns.first() * self.step..)
                .unwrap_or(&[]),
            step: self.step * self.columns.stride(),
            columns: self.columns.count(),
            activation,
            residual,
            target,
        }
    }
}

impl<A: Arithmetic> Convolution<'_, A> {
    pub(super) fn fan_in(&self) -> usize {
        usize::from(self.window.height) * usize::from(self.window.width) * self.source.pixel_len()
    }

    /// Computes output row y.
    pub(super) fn row(&self, y: usize, packed: &mut A::PackedWeights, sink: &mut impl Sink<A>) {
        let pixel = self.source.pixel_len();
        let run_len = usize::from(self.window.width) * pixel;
        // The window begins `pad` columns left of the pixel, inside the margin.
        let shift =
            usize::from(self.source.margin) - usize::from(self.window.pad.min(self.source.margin));
        let top = y * usize::from(self.window.stride);
        let mut rows = (0..usize::from(self.window.height)).filter_map(|ky| {
            let row = (top + ky).checked_sub(usize::from(self.window.pad));
            let row = row.filter(|&r| r < usize::from(self.source.shape.height))?;
            Some(Run {
                weights: ky * run_len,
                activations: self.source.row_start(row) + shift * pixel,
            })
        });
        let mut list = [Run::default(); MAX_WINDOW_ROWS];
        let window = Window::new(fill(&mut list, &mut rows), run_len);
        let step = usize::from(self.window.stride) * pixel;
        let inputs = Inputs {
            window: &window,
            weights: self.weights,
            row_bytes: self.fan_in() * A::FORMAT.sizes().weight,
            records: self.records,
            blocks: self.blocks,
            activations: self.activations,
            step,
            columns: sink.columns(self.columns),
        };
        if sink.take_row(&inputs, packed) {
            return;
        }
        let may_pair = self.blocks == 1 || !sink.in_order();
        let mut wanted = inputs.columns;
        while let Some(first) = wanted.next() {
            let second = if may_pair { wanted.next() } else { None };
            let at = self.activations.get(first * step..).unwrap_or(&[]);
            match second {
                Some(second) => self.pair(&window, at, [first, second], step, sink),
                None => self.single(&window, at, first, sink),
            }
        }
    }

    /// All channels of one column.
    fn single(
        &self,
        window: &Window<'_>,
        activations: &[A::Activation],
        x: usize,
        sink: &mut impl Sink<A>,
    ) {
        for (block, weights, records) in self.blocks() {
            let mut sums = A::biases(records);
            if let Some(tile) = Tile::new(window, weights, (activations, 0)) {
                A::single(&tile, &mut sums);
            }
            sink.emit(x, block, &sums, records);
        }
    }

    /// All channels of two columns, whose windows are `step` activations a column apart.
    fn pair(
        &self,
        window: &Window<'_>,
        activations: &[A::Activation],
        [first, second]: [usize; 2],
        step: usize,
        sink: &mut impl Sink<A>,
    ) {
        for (block, weights, records) in self.blocks() {
            let mut sums = [A::biases(records); 2];
            if let Some(tile) = Tile::new(window, weights, (activations, (second - first) * step)) {
                A::pair(&tile, &mut sums);
            }
            sink.emit(first, block, &sums[0], records);
            sink.emit(second, block, &sums[1], records);
        }
    }

    /// Weights, as a tile takes them, and records of each block of four output channels.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, (&[u8], usize, usize), &[u8])> {
        let sizes = A::FORMAT.sizes();
        let row = self.fan_in() * sizes.weight;
        let mut rest = self.weights;
        let records = self.records.chunks_exact(LANES * sizes.output);
        (0..self.blocks).zip(records).map(move |(block, records)| {
            let (weights, others) = rest.split_at_checked(LANES * row).unwrap_or_default();
            rest = others;
            (block, (weights, row, sizes.weight), records)
        })
    }
}

/// As many runs as there is room for, in `list`.
pub(super) fn fill<'l>(
    list: &'l mut [Run; MAX_WINDOW_ROWS],
    runs: &mut impl Iterator<Item = Run>,
) -> &'l [Run] {
    let mut count = 0;
    for (slot, run) in list.iter_mut().zip(runs) {
        *slot = run;
        count += 1;
    }
    list.get(..count).unwrap_or(&[])
}
