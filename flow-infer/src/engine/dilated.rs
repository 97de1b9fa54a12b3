//! A transposed convolution's row as one of an ordinary convolution: over source rows with zeros around their pixels
//! and, where it strides, between them.
//!
//! Every column then has the same window, and a kernel can compute the row at once. Finding each column's own window
//! took more than half of an image's time in `fashion-bottleneck`; multiplying by zeros takes next to none.

use super::conv::{Channels, Convolution, Inputs, Sink};
use super::{Arithmetic, Runs};
use crate::bytes::run;
use crate::kernels::{Run, Window};
use crate::plan::{self, LANES, NumberFormat};
use crate::spec::Columns;
use core::ops::Range;

/// Activations of most rows with their zeros, three of 40 pixels and 8 channels, and the most: 16 KiB of stack, which
/// take as long to clear as the row to compute where it is a small one.
const FEW: usize = 1024;
const MOST: usize = 8192;

/// Computes a part of output row y if the sink takes it at once, and says that it has.
pub(super) fn row<A: Arithmetic>(
    convolution: &Convolution<'_, A>,
    y: usize,
    part: (Columns, Channels<'_>),
    packed: &mut A::PackedWeights,
    sink: &mut dyn Sink<A>,
) -> bool {
    row_of::<A, FEW>(convolution, y, part, packed, sink)
        || row_of::<A, MOST>(convolution, y, part, packed, sink)
}

/// The same with room for so many activations.
#[inline(never)]
fn row_of<A: Arithmetic, const ROOM: usize>(
    convolution: &Convolution<'_, A>,
    y: usize,
    (columns, channels): (Columns, Channels<'_>),
    packed: &mut A::PackedWeights,
    sink: &mut dyn Sink<A>,
) -> bool {
    let (source, window) = (convolution.source, convolution.window);
    let (pixel, width) = (source.pixel_len(), usize::from(window.width));
    let (stride, pad) = (usize::from(window.stride), usize::from(window.pad));
    // Output column x meets the input at places x + pad - kx, which begin width - 1 places before zero.
    let before = width.saturating_sub(1);
    let inputs_end = usize::from(source.shape.width) * stride;
    let row_len = (before + inputs_end.max(convolution.columns + pad)) * pixel;
    let count = reaching(y, window, window.height, source.shape.height).len();
    if count * row_len > ROOM {
        return false;
    }
    // Integers may be added up in any order: a row of the window is one run of the row of pixels, backwards.
    let mirrored = (A::FORMAT == NumberFormat::Q8).then_some(pixel);
    let run_len = if mirrored.is_some() {
        width * pixel
    } else {
        pixel
    };
    let mut rows = [A::ZERO_ACTIVATION; ROOM];
    let (mut runs, mut end) = (Runs::new(), 0);
    let (margin_len, source_len) = (
        usize::from(source.margin) * pixel,
        usize::from(source.shape.width) * pixel,
    );
    let targets = rows.chunks_exact_mut(row_len.max(1));
    let origins = origins(y, window, window.height, source.shape.height);
    for ((row, ky), to) in origins.zip(targets) {
        let from = source.row_start(row) + margin_len;
        let from = run(convolution.activations, from, source_len);
        spread(
            from,
            pixel,
            to.get_mut(before * pixel..).unwrap_or(&mut []),
            stride,
        );
        // Mirrored, the run begins with the pixel of the last weights.
        for kx in (0..width).step_by(run_len / pixel.max(1)) {
            let last = if mirrored.is_some() { before } else { kx };
            let run = Run {
                weights: (ky * width + kx) * pixel,
                activations: end + (before + pad - last) * pixel,
            };
            if runs.push(run).is_err() {
                return false;
            }
        }
        end += row_len;
    }
    let window = Window::new(&runs, run_len);
    let inputs = Inputs {
        y,
        window: &window,
        mirrored,
        half_empty: false,
        at_once_only: true,
        channels,
        activations: &rows,
        origin: 0,
        step: pixel,
        columns,
    };
    sink.take(&inputs, packed)
}

/// Copies pixels, every one of them `stride` pixels behind the one before.
#[inline(always)]
fn spread<T: Copy>(from: &[T], pixel: usize, to: &mut [T], stride: usize) {
    let copy = |from: &[T], to: &mut [T]| {
        let to = to.as_chunks_mut::<LANES>().0.iter_mut();
        for (to, from) in to.zip(from.as_chunks().0) {
            *to = *from;
        }
    };
    if stride == 1 {
        return copy(from, to);
    }
    let to = to.chunks_mut((stride * pixel).max(1));
    for (from, to) in from.chunks_exact(pixel.max(1)).zip(to) {
        copy(from, to);
    }
}

/// Input indices below `length` whose windows reach output index `at`, the highest first, each with the index within
/// its window of `kernel`.
pub(super) fn origins(
    at: usize,
    window: plan::Window,
    kernel: u16,
    length: u16,
) -> impl Iterator<Item = (usize, usize)> {
    let reaching = reaching(at, window, kernel, length);
    let at = at + usize::from(window.pad);
    reaching
        .rev()
        .map(move |index| (index, at - index * usize::from(window.stride)))
}

/// The indices of [`origins`].
pub(super) fn reaching(at: usize, window: plan::Window, kernel: u16, length: u16) -> Range<usize> {
    let (stride, kernel) = (usize::from(window.stride.max(1)), usize::from(kernel));
    let at = at + usize::from(window.pad);
    let end = (at / stride + 1).min(usize::from(length));
    let start = (at + 1).saturating_sub(kernel).div_ceil(stride);
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Fixed;
    use crate::kernel_trials::Trials;
    use crate::kernels::{PackedWeights, Tile, portable};
    use crate::plan::{self, Buffer, LANES};
    use crate::spec::Shape;
    use std::vec::Vec;
    use std::{println, vec};

    struct Kept {
        blocks: usize,
        sums: Vec<[i32; LANES]>,
    }

    impl Sink<Fixed> for Kept {
        fn columns(&self, width: usize) -> Columns {
            Columns::adjacent(0, width)
        }

        fn in_order(&self) -> bool {
            false
        }

        fn take(&mut self, inputs: &Inputs<'_, Fixed>, _: &mut PackedWeights) -> bool {
            let weights = in_order(inputs.channels.weights, inputs);
            let channels = Channels {
                weights: &weights,
                ..inputs.channels
            };
            for x in inputs.columns {
                for (block, weights, records) in channels.blocks::<Fixed>() {
                    let mut sums = Fixed::biases(records);
                    let place = (x - inputs.origin) * inputs.step;
                    let tile = Tile::new(inputs.window, weights, (&inputs.activations[place..], 0));
                    portable::single(&tile.unwrap(), &mut sums);
                    self.sums[x * self.blocks + block] = sums;
                }
            }
            true
        }
    }

    /// The weights in the order in which runs have their pixels.
    fn in_order(weights: &[u8], inputs: &Inputs<'_, Fixed>) -> Vec<u8> {
        let mut weights = weights.to_vec();
        let run_len = inputs.window.run_len();
        for run in weights
            .chunks_mut(run_len)
            .filter(|_| inputs.mirrored.is_some())
        {
            run.reverse();
            run.chunks_mut(inputs.step).for_each(<[u8]>::reverse);
        }
        weights
    }

    #[test]
    fn a_row_with_zeros_is_the_row_stretch_by_stretch() {
        let seed = 0x5EED_0006;
        println!("seed {seed:#x}");
        let mut trials = Trials::new(seed);
        for trial in 0..400 {
            let [height, width] = [(); 2].map(|()| 1 + trials.below(5) as u16);
            let window = plan::Window {
                height,
                width,
                stride: 1 + trials.below(3) as u8,
                pad: trials.below(usize::from(width)) as u8,
            };
            let shape = Shape::new(
                1 + trials.below(9) as u16,
                1 + trials.below(6) as u16,
                1 + trials.below(12) as u16,
            );
            let source = Buffer {
                shape,
                margin: trials.below(3) as u8,
                rows: shape.height,
                offset: 3,
            };
            let full =
                (usize::from(shape.width) - 1) * usize::from(window.stride) + usize::from(width);
            let (columns, blocks) = (1 + trials.below(full + 2), 1 + trials.below(3));
            let len = 3 + source.ring_len().unwrap();
            let activations: Vec<i16> = (0..len).map(|_| trials.next() as i16).collect();
            let row = usize::from(height * width) * source.pixel_len();
            let weights: Vec<u8> = (0..blocks * LANES * row)
                .map(|_| trials.next() as u8)
                .collect();
            let records: Vec<u8> = (0..blocks * LANES * 8)
                .map(|_| trials.next() as u8)
                .collect();
            let convolution = Convolution::<Fixed> {
                window,
                source: &source,
                activations: &activations,
                channels: Channels {
                    weights: &weights,
                    row_bytes: row,
                    records: &records,
                    first: 0,
                    blocks,
                },
                columns,
            };
            let kept = || Kept {
                blocks,
                sums: vec![[0x5A5A; LANES]; columns * blocks],
            };
            let (mut whole, mut single) = (kept(), kept());
            let y = trials.below(usize::from(shape.height) * usize::from(window.stride) + 2);
            let mut packed = PackedWeights::default();
            let part = (Columns::adjacent(0, columns), convolution.channels);
            assert!(
                super::row(&convolution, y, part, &mut packed, &mut whole),
                "trial {trial}"
            );
            convolution.stretches(y, part, &mut packed, &mut single);
            assert_eq!(
                whole.sums, single.sums,
                "trial {trial}: {convolution:?} row {y}"
            );
        }
    }
}
