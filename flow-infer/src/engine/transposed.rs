//! A row of a transposed convolution: every column has a window of its own on the input.
//!
//! Columns that lie a stride apart have the same window a pixel further on, but for those at the ends. So a row is
//! computed in as many passes as the stride has columns, each of a few stretches that are rows of an ordinary
//! convolution. Finding every column's own window for every block of channels was 15 of 37 million instructions of a
//! decision of `fashion-bottleneck` on Cortex-M4.

use super::conv::{Channels, Convolution, Inputs, Sink};
use super::dilated::{self, origins, reaching};
use super::{Arithmetic, MAX_WINDOW_ROWS, Runs};
use crate::bytes::checked;
use crate::kernels::{Run, Window};
use crate::plan::MAX_REACHING;
use crate::spec::Columns;

/// How many columns of the input reach a column of the output, and the place of the last one in the window; those
/// before it lie a stride further on.
#[derive(Clone, Copy)]
struct Shape {
    count: usize,
    place: usize,
}

const _: () = assert!(MAX_REACHING <= MAX_WINDOW_ROWS);

impl<A: Arithmetic> Convolution<'_, A> {
    /// Computes a part of output row y of the transposed convolution: every input pixel spreads over a window of the
    /// output.
    pub(super) fn transposed_row(
        &self,
        y: usize,
        part: (Columns, Channels<'_>),
        packed: &mut A::PackedWeights,
        sink: &mut dyn Sink<A>,
    ) {
        if !A::WHOLE_ROWS || !dilated::row(self, y, part, packed, sink) {
            self.stretches(y, part, packed, sink);
        }
    }

    /// The row in stretches of columns that have the same window.
    pub(super) fn stretches(
        &self,
        y: usize,
        (columns, channels): (Columns, Channels<'_>),
        packed: &mut A::PackedWeights,
        sink: &mut dyn Sink<A>,
    ) {
        let (stride, pixel) = (usize::from(self.window.stride), self.source.pixel_len());
        // Floats are added up in the order of columns; pixels are whole lanes, which 1, 2 and 4 divide.
        let may_skip = !sink.in_order() && pixel.is_multiple_of(stride.max(1));
        let passes = if may_skip { stride } else { 1 };
        for pass in 0..passes {
            let mut left = Columns::apart(
                columns.first() + pass * columns.stride(),
                passes * columns.stride(),
                (columns.count() + passes - 1).saturating_sub(pass) / passes.max(1),
            );
            while let Some(first) = left.next() {
                let (begin, shape) = self.reach(first);
                let count = match may_skip {
                    true => self.alike(first, &left),
                    false => 1,
                };
                left = left.part(count - 1..left.count());
                let runs = self.window_of(y, shape);
                let begin = if runs.is_empty() { 0 } else { begin * pixel };
                let window = Window::new(&runs, pixel);
                let inputs = Inputs {
                    y,
                    window: &window,
                    mirrored: None,
                    half_empty: false,
                    at_once_only: false,
                    channels,
                    activations: self.activations.get(begin..).unwrap_or(&[]),
                    origin: first,
                    step: pixel.checked_div(stride).unwrap_or(0),
                    columns: Columns::apart(first, left.stride(), count),
                };
                let taken = sink.take(&inputs, packed);
                debug_assert!(taken, "tiles take what no kernel does");
            }
        }
    }

    /// The first column of the input that reaches output column x, and the shape of all that do.
    fn reach(&self, x: usize) -> (usize, Shape) {
        let window = self.window;
        let columns = reaching(x, window, window.width, self.source.shape.width);
        let last = (columns.end * usize::from(window.stride)).saturating_sub(window.stride.into());
        let shape = Shape {
            count: columns.len(),
            place: (x + usize::from(window.pad)).saturating_sub(last),
        };
        (columns.start, shape)
    }

    /// How many of column x and those that are left have the same shape: an end of the input cuts columns off one by one,
    /// and between its ends all are alike.
    fn alike(&self, x: usize, left: &Columns) -> usize {
        let window = self.window;
        let (stride, x) = (usize::from(window.stride), x + usize::from(window.pad));
        let end = usize::from(self.source.shape.width) * stride;
        let is_whole = x + stride >= usize::from(window.width) && x < end;
        if !is_whole || !left.stride().is_multiple_of(stride.max(1)) {
            return 1;
        }
        let to_end = (end - 1 - x).checked_div(left.stride()).unwrap_or(0);
        1 + to_end.min(left.count())
    }

    /// The pixels of the input that reach row y in columns of this shape, counted from the first one, and their places
    /// in the weights. Loading has found that there is room for all of them.
    fn window_of(&self, y: usize, shape: Shape) -> Runs {
        let (source, window) = (self.source, self.window);
        let pixel = source.pixel_len();
        let left = usize::from(source.margin) * pixel;
        let mut runs = Runs::new();
        for (row, ky) in origins(y, window, window.height, source.shape.height) {
            let start = source.row_start(row) + left;
            for behind in 0..shape.count {
                let kx = shape.place + behind * usize::from(window.stride);
                let run = Run {
                    weights: (ky * usize::from(window.width) + kx) * pixel,
                    activations: start + (shape.count - 1 - behind) * pixel,
                };
                checked(runs.push(run).ok());
            }
        }
        runs
    }
}
