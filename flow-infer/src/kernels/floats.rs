//! Whole rows of a convolution in floats, on hosts: sixteen output channels side by side, several pixels at a time.
//!
//! A channel's products are added one after another, in the order in which the portable kernel adds them, and never
//! fused: vectors run across channels, so the bits are the same with any width. An image of `fashion-tiny` in f32 takes a
//! ninth of the time. Only safe code, which the compiler turns into vectors.

use super::places::{Place, Places, Source};
use super::row::Row;
use crate::bytes;
use core::array;

/// Output channels of a group.
const CHANNELS: usize = 16;
/// Weights of each channel that there is room for, 256 KiB of stack, and how many of them stay free for layers that
/// are not kept from row to row (3 x 3 on 200 channels: 1,800).
const ROOM: usize = 4096;
const FREE: usize = 2048;

/// Most columns that are computed at a time.
const MOST_COLUMNS: usize = 8;

/// One weight of every channel of a group.
type Weights = [f32; CHANNELS];

/// A coupling's weights as rows are multiplied with them.
#[derive(Debug)]
pub struct PackedFloats {
    places: Places<ROOM, FREE>,
    room: [Weights; ROOM],
    /// Sums of a few columns: in a place of its own, or the compiler keeps sums there while it adds to them.
    sums: [Weights; MOST_COLUMNS],
}

impl Default for PackedFloats {
    #[inline(always)]
    fn default() -> Self {
        Self {
            places: Places::new(),
            room: [[0.0; CHANNELS]; ROOM],
            sums: [[0.0; CHANNELS]; MOST_COLUMNS],
        }
    }
}

/// How a file holds a weight.
pub(super) type Read<const BYTES: usize> = fn([u8; BYTES]) -> f32;

/// Columns from which on laying out the weights is worth its while.
const FEWEST_COLUMNS: usize = 2;

/// Whether a row whose weights have so many bytes is one to compute at once: it has columns enough, everything that it
/// names is there, and there is room for a group of its channels.
pub(super) fn takes(row: &Row<'_, f32>, weight_bytes: usize) -> bool {
    row.columns >= FEWEST_COLUMNS
        && row.row_bytes <= FREE * weight_bytes
        && row.inputs_fit(weight_bytes, size_of::<f32>())
}

/// Computes a row, `COLUMNS` pixels at a time: `emit` gets the sums of up to sixteen channels of a pixel and their place
/// among the row's outputs.
#[inline(always)]
pub(super) fn groups<const COLUMNS: usize, const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    mut emit: impl FnMut(usize, &[f32]),
) {
    let len = row.row_bytes / BYTES;
    let channels = row.pixel_len();
    let place = packed
        .places
        .of(Source::of(row), channels.div_ceil(CHANNELS) * len);
    for (group, first) in (0..channels).step_by(CHANNELS).enumerate() {
        let count = (channels - first).min(CHANNELS);
        let (begin, is_new) = match place {
            Place::Kept(begin) => (begin + group * len, false),
            Place::New(begin) => (begin + group * len, true),
            Place::Passing(begin) => (begin, true),
        };
        let room = bytes::run_mut(&mut packed.room, begin, len);
        if is_new {
            lay_out(room, row, first, read);
        }
        let biases = array::from_fn(|channel| bytes::float(row.records, first + channel));
        let mut x = 0;
        while x < row.columns {
            let left = row.columns - x;
            let width = if left < COLUMNS { 1 } else { COLUMNS };
            let sums = bytes::run_mut(&mut packed.sums, 0, width);
            match sums.first_chunk_mut::<COLUMNS>() {
                Some(sums) => tile(row, room, x, biases, sums),
                None => {
                    if let Some(sums) = sums.first_chunk_mut::<1>() {
                        tile(row, room, x, biases, sums);
                    }
                }
            }
            for (column, sums) in sums.iter().enumerate() {
                emit((x + column) * channels + first, bytes::run(sums, 0, count));
            }
            x += width;
        }
    }
}

/// Lays out the weights of the channels from `first` on, those of missing channels as zeros.
#[inline(always)]
fn lay_out<const BYTES: usize>(
    room: &mut [Weights],
    row: &Row<'_, f32>,
    first: usize,
    read: Read<BYTES>,
) {
    for channel in 0..CHANNELS {
        let row_bytes = row.row_bytes;
        let weights = bytes::run(row.weights, (first + channel) * row_bytes, row_bytes);
        let weights = weights.as_chunks::<BYTES>().0.iter().map(|&w| read(w));
        let zeros = core::iter::repeat(0.0);
        for (slot, weight) in room.iter_mut().zip(weights.chain(zeros)) {
            slot[channel] = weight;
        }
    }
}

/// Sums of columns x to x + COLUMNS.
///
/// Written with indices because only so does the compiler keep all sums in registers: with iterators, or with a way
/// out instead of a bounds check, it adds them up in memory, which takes eight times as long. A row that is taken has
/// all that is indexed.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn tile<const COLUMNS: usize>(
    row: &Row<'_, f32>,
    weights: &[Weights],
    x: usize,
    biases: Weights,
    sums: &mut [Weights; COLUMNS],
) {
    let len = row.window.run_len();
    let mut all = [biases; COLUMNS];
    for run in row.window.runs() {
        let weights = &weights[run.weights..][..len];
        let pixels: [&[f32]; COLUMNS] = array::from_fn(|column| {
            let start = run.activations + (x + column) * row.step;
            &row.activations[start..][..len]
        });
        for k in 0..len {
            let weights = &weights[k];
            for column in 0..COLUMNS {
                let a = pixels[column][k];
                for channel in 0..CHANNELS {
                    all[column][channel] += a * weights[channel];
                }
            }
        }
    }
    *sums = all;
}

#[cfg(test)]
mod tests {
    use super::super::host::Extension;
    use super::super::tile::{Run, Tile, Window};
    use super::super::{float_row, portable};
    use super::*;
    use crate::kernel_trials::Trials;
    use crate::plan::{Activation, LANES};
    use half::f16;
    use std::vec::Vec;
    use std::{println, vec};

    /// Sums by the portable kernel, column by column and block by block.
    fn defined<const BYTES: usize>(row: &Row<'_, f32>, read: Read<BYTES>) -> Vec<u32> {
        let mut all = Vec::new();
        for column in 0..row.columns {
            for block in 0..row.blocks {
                let weights = &row.weights[block * LANES * row.row_bytes..];
                let biases = array::from_fn(|c| bytes::float(row.records, block * LANES + c));
                let activations = (&row.activations[column * row.step..], 0);
                let tile = Tile::new(row.window, (weights, row.row_bytes, BYTES), activations);
                let add = |sum: f32, a: f32, &weight: &[u8; BYTES]| sum + a * read(weight);
                let [sums] = portable::add(&tile.unwrap(), [0], [biases], |k| k, add);
                all.extend(sums.map(f32::to_bits));
            }
        }
        all
    }

    /// A float between -2 and 2; sometimes one whose products lose everything else, or zero.
    fn number(trials: &mut Trials) -> f32 {
        match trials.below(20) {
            0 => 0.0,
            1 => 1e7,
            _ => trials.next() as i32 as f32 / (1u32 << 30) as f32,
        }
    }

    fn rows_are_exact<const BYTES: usize>(
        name: &str,
        write: fn(f32) -> [u8; BYTES],
        read: Read<BYTES>,
        kernel: impl Fn(&Row<'_, f32>, &mut PackedFloats, &mut Vec<u32>) -> bool,
    ) {
        let seed = 0x5EED_0007;
        println!("{name}, {BYTES} bytes: seed {seed:#x}");
        let mut trials = Trials::new(seed);
        let mut packed = PackedFloats::default();
        for trial in 0..300 {
            let layer = trial % 12;
            if layer == 0 {
                packed = PackedFloats::default();
            }
            let (blocks, columns) = (1 + trials.below(10), 2 + trials.below(30));
            let (run_len, step) = (4 * (1 + trials.below(24)), trials.below(40));
            let in_row = run_len + trials.below(200);
            let runs: Vec<Run> = (0..trials.below(9))
                .map(|_| Run {
                    weights: trials.below(1 + in_row - run_len),
                    activations: trials.below(400),
                })
                .collect();
            let weights = blocks * LANES * in_row;
            let weights: Vec<u8> = (0..weights)
                .flat_map(|_| write(number(&mut trials)))
                .collect();
            let records: Vec<u8> = (0..blocks * LANES)
                .flat_map(|_| number(&mut trials).to_le_bytes())
                .collect();
            let activations = 400 + run_len + columns * step;
            let activations: Vec<f32> = (0..activations).map(|_| number(&mut trials)).collect();
            // Two rows of the layer, the second with fewer runs.
            for runs in [&runs[..], &runs[runs.len() / 2..]] {
                let window = Window::new(runs, run_len);
                let row = Row {
                    y: 0,
                    window: &window,
                    weights: &weights,
                    row_bytes: in_row * BYTES,
                    mirrored: None,
                    half_empty: false,
                    records: &records,
                    blocks,
                    activations: &activations,
                    step,
                    columns,
                    activation: Activation::Identity,
                    residual: &[],
                    target: &mut [],
                };
                let mut sums = vec![0; columns * row.pixel_len()];
                assert!(kernel(&row, &mut packed, &mut sums), "trial {trial}");
                assert_eq!(sums, defined(&row, read), "{name}, trial {trial}");
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_portable_kernel_to_the_bit() {
        fn keep(to: &mut [u32]) -> impl FnMut(usize, &[f32]) + '_ {
            |place, sums| {
                for (to, sum) in to[place..].iter_mut().zip(sums) {
                    *to = sum.to_bits();
                }
            }
        }
        let full: (fn(f32) -> [u8; 4], Read<4>) = (f32::to_le_bytes, f32::from_le_bytes);
        let half: (fn(f32) -> [u8; 2], Read<2>) = (
            |weight| f16::from_f32(weight).to_le_bytes(),
            |weight| f16::from_le_bytes(weight).to_f32(),
        );
        rows_are_exact("chosen", full.0, full.1, |row, packed, to| {
            float_row(row, packed, full.1, keep(to))
        });
        rows_are_exact("chosen", half.0, half.1, |row, packed, to| {
            float_row(row, packed, half.1, keep(to))
        });
        for extension in Extension::all() {
            rows_are_exact(extension.name(), full.0, full.1, |row, packed, to| {
                extension.float_row(row, packed, full.1, keep(to))
            });
        }
    }
}
