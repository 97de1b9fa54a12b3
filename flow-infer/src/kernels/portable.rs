//! The kernel that every target has, and that every other kernel must equal bit for bit.

use super::place_of;
use super::tile::Tile;
use crate::plan::LANES;
use core::array;

/// Four output channels of one pixel: adds to `sums` the products of the tile's activations with its rows of weights.
pub(crate) fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    dot(tile, array::from_mut(sums));
}

/// Four output channels of two pixels.
pub(crate) fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    dot(tile, sums);
}

/// Four output channels of one pixel or two.
#[inline(always)]
pub(super) fn dot<const PIXELS: usize>(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
    *sums = add(tile, tile.pixels(), *sums, place_of, multiply_add);
}

/// max(a, 0) of each activation.
pub(crate) fn relu(source: &[i16], target: &mut [i16]) {
    for (target, &a) in target.iter_mut().zip(source) {
        *target = a.max(0);
    }
}

/// Loading has checked that |weights| times 32767 sum to less than 2^31, so the sums do not wrap.
#[inline(always)]
fn multiply_add(sum: i32, a: i16, &[weight]: &[u8; 1]) -> i32 {
    sum.wrapping_add(i32::from(a) * i32::from(weight as i8))
}

/// Adds products run by run, each from left to right: for every channel and pixel the same order. `place` says where in
/// a run an activation lies.
#[inline(always)]
pub(crate) fn add<T: Copy, S: Copy, const BYTES: usize, const PIXELS: usize>(
    tile: &Tile<'_, T>,
    distances: [usize; PIXELS],
    mut sums: [[S; LANES]; PIXELS],
    place: impl Fn(usize) -> usize,
    multiply_add: impl Fn(S, T, &[u8; BYTES]) -> S,
) -> [[S; LANES]; PIXELS] {
    for run in tile.window().runs() {
        let rows = core::array::from_fn(|row| tile.weights_of::<BYTES>(row, run));
        let pixels = distances.map(|distance| tile.activations_of(run, distance));
        // A tile that exists fits; that all lengths are the same is for the compiler to see.
        let len = tile.window().run_len();
        let (Some(rows), Some(pixels)) = (cut::<_, LANES>(rows, len), cut(pixels, len)) else {
            continue;
        };
        for k in 0..len {
            for (row, weights) in rows.iter().enumerate() {
                let Some(weight) = weights.get(k) else {
                    continue;
                };
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let Some(&a) = pixel.get(place(k)) else {
                        continue;
                    };
                    if let Some(sum) = sums.get_mut(row) {
                        *sum = multiply_add(*sum, a, weight);
                    }
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn cut<T, const N: usize>(mut slices: [&[T]; N], len: usize) -> Option<[&[T]; N]> {
    for slice in &mut slices {
        *slice = slice.get(..len)?;
    }
    Some(slices)
}
