//! One row of a convolution, or a part of it.
//!
//! Pixels of a row lie side by side with their channels innermost, so the part of a window that lies in one row is one
//! contiguous run, and a convolution is a few dot products: all multiplication happens in [`Arithmetic::single`] and
//! [`Arithmetic::pair`], four output channels at a time over the same activations, for two columns at a time wherever
//! there are two. Columns that a mask does not change are left out, so of a checkerboard's row every other one.

use super::span::Span;
use super::{Arithmetic, Runs};
use crate::bytes::checked;
use crate::kernels::{Row, Run, Tile, Window};
use crate::plan::{self, Activation, Buffer, LANES};
use crate::spec::Columns;
use core::ops::Range;

/// Where a row's sums go.
pub(super) trait Sink<A: Arithmetic> {
    /// The columns of a row of this width whose sums are needed.
    fn columns(&self, width: usize) -> Columns;
    /// Whether a column must be finished before the next one begins: floats are added up in the order they come.
    fn in_order(&self) -> bool;
    /// Takes a part of a row: all at once where a kernel computes rows, else [tile by tile](Inputs::tiles), if that
    /// [may be](Inputs::at_once_only); says whether it has.
    fn take(&mut self, inputs: &Inputs<'_, A>, packed: &mut A::PackedWeights) -> bool;
}

/// Gets four output channels of one pixel: its column, the block, the sums, and the channels' records.
pub(super) type Emit<'e, A> =
    dyn FnMut(usize, usize, &[<A as Arithmetic>::Accumulator; LANES], &[u8]) + 'e;

/// What a part of a row of outputs is computed from; see [`crate::kernels::Row`] for the fields.
pub(super) struct Inputs<'s, A: Arithmetic> {
    pub(super) y: usize,
    pub(super) window: &'s Window<'s>,
    pub(super) mirrored: Option<usize>,
    pub(super) half_empty: bool,
    /// Whether only a kernel that computes rows shall take it: tiles would multiply by zeros, or not in this order.
    pub(super) at_once_only: bool,
    pub(super) channels: Channels<'s>,
    pub(super) activations: &'s [A::Activation],
    /// The column at which the activations begin.
    pub(super) origin: usize,
    /// Distance of two neighbouring columns in the activations.
    pub(super) step: usize,
    pub(super) columns: Columns,
}

/// Output channels, in blocks of four.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channels<'s> {
    /// Rows of weights, one a channel, and their length in bytes.
    pub(super) weights: &'s [u8],
    pub(super) row_bytes: usize,
    /// Records, one a channel.
    pub(super) records: &'s [u8],
    /// Index of the first block, and how many blocks there are.
    pub(super) first: usize,
    pub(super) blocks: usize,
}

/// A convolution layer with its source and tensors.
#[derive(Debug)]
pub(super) struct Convolution<'s, A: Arithmetic> {
    pub(super) window: plan::Window,
    pub(super) source: &'s Buffer,
    pub(super) activations: &'s [A::Activation],
    pub(super) channels: Channels<'s>,
    /// Output columns.
    pub(super) columns: usize,
}

/// What a tile costs beside its products: biases, and what becomes of the sums.
const TILE_PRODUCTS: usize = 128;

impl<'s> Channels<'s> {
    /// Weights, as a tile takes them, and records of each block.
    pub(super) fn blocks<A: Arithmetic>(
        self,
    ) -> impl Iterator<Item = (usize, (&'s [u8], usize, usize), &'s [u8])> {
        let sizes = A::FORMAT.sizes();
        let mut rest = self.weights;
        let records = self.records.chunks_exact(LANES * sizes.output);
        let blocks = self.first..self.first + self.blocks;
        blocks.zip(records).map(move |(block, records)| {
            let weights = rest.split_at_checked(LANES * self.row_bytes);
            let (weights, others) = weights.unwrap_or_default();
            rest = others;
            (block, (weights, self.row_bytes, sizes.weight), records)
        })
    }

    /// Some of the blocks.
    #[inline(always)]
    fn part<A: Arithmetic>(self, blocks: Range<usize>) -> Self {
        let before = LANES * blocks.start;
        let tail = |bytes: &'s [u8], len: usize| bytes.get(before * len..).unwrap_or(&[]);
        Self {
            weights: tail(self.weights, self.row_bytes),
            records: tail(self.records, A::FORMAT.sizes().output),
            first: self.first + blocks.start,
            blocks: blocks.len(),
            ..self
        }
    }
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
            y: self.y,
            window: self.window,
            weights: self.channels.weights,
            row_bytes: self.channels.row_bytes,
            mirrored: self.mirrored,
            half_empty: self.half_empty,
            records: self.channels.records,
            blocks: self.channels.blocks,
            activations: self
                .activations
                .get(self.place(self.columns.first())..)
                .unwrap_or(&[]),
            step: self.step * self.columns.stride(),
            columns: self.columns.count(),
            activation,
            residual,
            target,
        }
    }

    /// Where a column's window begins in the activations.
    #[inline(always)]
    fn place(&self, x: usize) -> usize {
        (x - self.origin) * self.step
    }

    /// The sums of all tiles, column by column if need be: code that all sinks share, which is half a kilobyte of a
    /// board's flash.
    pub(super) fn tiles(&self, in_order: bool, emit: &mut Emit<'_, A>) {
        let may_pair = self.channels.blocks == 1 || !in_order;
        let mut wanted = self.columns;
        while let Some(first) = wanted.next() {
            let second = if may_pair { wanted.next() } else { None };
            let at = self.activations.get(self.place(first)..).unwrap_or(&[]);
            match second {
                Some(second) => self.pair(at, [first, second], emit),
                None => self.single(at, first, emit),
            }
        }
    }

    /// All channels of one column.
    fn single(&self, activations: &[A::Activation], x: usize, emit: &mut Emit<'_, A>) {
        for (block, weights, records) in self.channels.blocks::<A>() {
            let mut sums = A::biases(records);
            let tile = Tile::new(self.window, weights, (activations, 0));
            if let Some(tile) = checked(tile) {
                A::single(&tile, &mut sums);
            }
            emit(x, block, &sums, records);
        }
    }

    /// All channels of two columns.
    fn pair(
        &self,
        activations: &[A::Activation],
        [first, second]: [usize; 2],
        emit: &mut Emit<'_, A>,
    ) {
        let distance = (second - first) * self.step;
        for (block, weights, records) in self.channels.blocks::<A>() {
            let mut sums = [A::biases(records); 2];
            let tile = Tile::new(self.window, weights, (activations, distance));
            if let Some(tile) = checked(tile) {
                A::pair(&tile, &mut sums);
            }
            emit(first, block, &sums[0], records);
            emit(second, block, &sums[1], records);
        }
    }
}

impl<'s, A: Arithmetic> Convolution<'s, A> {
    /// Columns and channels that a step computes: as many of the columns as it may, or of one column some blocks.
    #[inline(always)]
    pub(super) fn part(&self, wanted: Columns, span: &mut Span) -> (Columns, Channels<'s>) {
        let Some(most) = span.most() else {
            return (wanted, self.channels);
        };
        let (blocks, row_bytes) = (self.channels.blocks, self.channels.row_bytes);
        let tile = LANES * (row_bytes / A::FORMAT.sizes().weight) + TILE_PRODUCTS;
        if blocks * tile <= most {
            let columns = span.take(wanted.count(), blocks * tile);
            return (wanted.part(columns), self.channels);
        }
        let tiles = span.take_of(blocks, wanted.count() * blocks, tile);
        let column = tiles.start.checked_div(blocks).unwrap_or(0);
        let first = tiles.start - column * blocks;
        let channels = self.channels.part::<A>(first..first + tiles.len());
        (wanted.part(column..column + 1), channels)
    }

    /// Computes a part of output row y.
    pub(super) fn row(
        &self,
        y: usize,
        (columns, channels): (Columns, Channels<'_>),
        packed: &mut A::PackedWeights,
        sink: &mut dyn Sink<A>,
    ) {
        let pixel = self.source.pixel_len();
        let run_len = usize::from(self.window.width) * pixel;
        // The window begins `pad` columns left of the pixel, inside the margin.
        let shift =
            usize::from(self.source.margin) - usize::from(self.window.pad.min(self.source.margin));
        // Of the window's rows those that lie in the source.
        let (top, pad) = (
            y * usize::from(self.window.stride),
            usize::from(self.window.pad),
        );
        let (above, first) = (pad.saturating_sub(top), top.saturating_sub(pad));
        let height = usize::from(self.source.shape.height).saturating_sub(first);
        let rows = (above..usize::from(self.window.height)).take(height);
        let mut runs = Runs::new();
        for (ky, start) in rows.zip(self.source.row_starts(first)) {
            let run = Run {
                weights: ky * run_len,
                activations: start + shift * pixel,
            };
            checked(runs.push(run).ok());
        }
        let window = Window::new(&runs, run_len);
        let inputs = Inputs {
            y,
            window: &window,
            mirrored: None,
            half_empty: self.source.shape.channels <= LANES as u16 / 2,
            at_once_only: false,
            channels,
            activations: self.activations,
            origin: 0,
            step: usize::from(self.window.stride) * pixel,
            columns,
        };
        let taken = sink.take(&inputs, packed);
        debug_assert!(taken, "tiles take what no kernel does");
    }
}
