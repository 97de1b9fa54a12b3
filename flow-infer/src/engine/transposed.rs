//! A row of a transposed convolution, column by column: each has a window of its own on the input.

use super::conv::{Convolution, Sink, fill};
use super::dilated::{self, origins};
use super::span::Span;
use super::{Arithmetic, MAX_WINDOW_ROWS};
use crate::bytes::checked;
use crate::kernels::{Run, Tile, Window};

impl<A: Arithmetic> Convolution<'_, A> {
    /// Computes output row y of the transposed convolution, or a part of it: every input pixel spreads over a window of the output.
    pub(super) fn transposed_row(
        &self,
        y: usize,
        span: &mut Span,
        packed: &mut A::PackedWeights,
        sink: &mut impl Sink<A>,
    ) {
        let part = self.part(sink.columns(self.columns), span);
        if A::WHOLE_ROWS && dilated::row(self, y, part, packed, sink) {
            return;
        }
        let (columns, channels) = part;
        let pixel = self.source.pixel_len();
        for x in columns {
            for (block, weights, records) in channels.blocks::<A>() {
                let mut sums = A::biases(records);
                let mut reaching = self.reaching(y, x);
                let mut list = [Run::default(); MAX_WINDOW_ROWS];
                loop {
                    let runs = fill(&mut list, &mut reaching);
                    if runs.is_empty() {
                        break;
                    }
                    let window = Window::new(runs, pixel);
                    let tile = Tile::new(&window, weights, (self.activations, 0));
                    if let Some(tile) = checked(tile) {
                        A::single(&tile, &mut sums);
                    }
                }
                sink.emit(x, block, &sums, records);
            }
        }
    }

    /// The pixels of the input whose windows reach output column x of row y, and their places in the weights.
    fn reaching(&self, y: usize, x: usize) -> impl Iterator<Item = Run> {
        let (source, window) = (self.source, self.window);
        let pixel = source.pixel_len();
        let left = usize::from(source.margin) * pixel;
        origins(y, window, window.height, source.shape.height).flat_map(move |(row, ky)| {
            let start = source.row_start(row) + left;
            let places = origins(x, window, window.width, source.shape.width);
            places.map(move |(column, kx)| Run {
                weights: (ky * usize::from(window.width) + kx) * pixel,
                activations: start + column * pixel,
            })
        })
    }
}
