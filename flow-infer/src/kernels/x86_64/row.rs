//! Whole rows of a convolution: sixteen output channels side by side in a vector, several pixels at a time.
//!
//! A pair of activations is broadcast and multiplied with a pair of weights of every channel, so sums need not be added
//! up across a vector, and the sums of a pixel are requantized, activated, joined with the residual and stored as they
//! stand. Dot products and scalar requantization took three times as long for an image of `fashion-tiny`.

use super::super::groups::{Columns, Group, Target, all_columns, fits};
use super::super::pack::CHANNELS;
use super::super::row::Row;
use super::avx2::Avx2;
use super::pack::{PAIR_BYTES, PackedWeights, fill, takes_pairs};
use super::vnni::{Eight, Sixteen};

/// Whether the row can be computed: it has columns enough, everything that it names is there, and there is room for its
/// weights.
pub(super) fn takes(row: &Row<'_, i16>, target: Target) -> bool {
    fits(row, target) && takes_pairs(row)
}

/// Computes a row.
///
/// # Safety
/// The processor must have the features, the row must be one that [`takes`], and there must be room for all sums.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn with_vnni(row: &mut Row<'_, i16>, packed: &mut PackedWeights, target: Target) {
    // SAFETY: these are the features that the operations need.
    unsafe { groups::<Sixteen, Eight>(row, packed, target) }
}

/// Computes a row.
///
/// # Safety
/// The processor must have the feature, the row must be one that [`takes`], and there must be room for all sums.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn with_avx2(row: &mut Row<'_, i16>, packed: &mut PackedWeights, target: Target) {
    // SAFETY: this is the feature that the operations need.
    unsafe { groups::<Avx2<2>, Avx2<1>>(row, packed, target) }
}

/// Computes the row, sixteen output channels at a time, the last eight or fewer in vectors of half the width.
///
/// # Safety
/// The processor must have what the operations need; the rest as above.
#[inline(always)]
unsafe fn groups<Wide: Columns, Narrow: Columns>(
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    target: Target,
) {
    let activations = row.target.as_mut_ptr();
    let place = packed.place(row);
    for (index, first) in (0..row.pixel_len()).step_by(CHANNELS).enumerate() {
        // SAFETY: every operation's processor has AVX2, the row fits and has the group, and there is room.
        let weights = packed.group(row, index, place, |to| unsafe { fill(row, first, to) });
        let group = Group::new(row, first, weights, activations, target);
        // SAFETY: the weights are those of the group's channels; the caller vouches for the rest.
        unsafe { all_columns::<Wide, Narrow>(&group) };
    }
}

/// What differs between the extensions. Everything here is unsafe: the processor must have the extension, and what is
/// read and written must be there.
pub(super) trait Operations {
    /// Sums of so many channels.
    type Sums: Copy;
    /// Two weights of each channel, 16 bits wide.
    type Weights: Copy;

    unsafe fn load(values: &[i32; CHANNELS]) -> Self::Sums;
    unsafe fn weights(from: *const u8) -> Self::Weights;
    /// Adds a pair of activations times each channel's pair of weights.
    unsafe fn multiply_add(
        sums: Self::Sums,
        weights: Self::Weights,
        pair: *const i16,
    ) -> Self::Sums;
    /// Stores the sums of a column.
    unsafe fn store(sums: Self::Sums, group: &Group<'_>, to: *mut i32);
    /// Requantizes, activates, adds the residual and stores column x.
    unsafe fn finish(sums: Self::Sums, group: &Group<'_>, x: usize);
}

/// Computes columns x to x + COLUMNS.
///
/// # Safety
/// The processor must have what the operations need; the row fits and has these columns.
#[inline(always)]
pub(super) unsafe fn tile<O: Operations, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    let Row {
        window,
        activations,
        step,
        ..
    } = *group.row;
    // SAFETY: a row that fits has the window's activations at every column, and its runs' weights begin with pairs.
    unsafe {
        let mut sums = [O::load(&group.biases); COLUMNS];
        for run in window.runs() {
            let mut weights = group.weights.add(run.weights * CHANNELS);
            let mut at = activations.as_ptr().add(x * step + run.activations);
            let end = at.add(window.run_len());
            while at < end {
                let pair = O::weights(weights);
                for (column, sums) in sums.iter_mut().enumerate() {
                    *sums = O::multiply_add(*sums, pair, at.add(column * step));
                }
                weights = weights.add(PAIR_BYTES);
                at = at.add(2);
            }
        }
        for (column, sums) in sums.into_iter().enumerate() {
            match group.target {
                Target::Activations => O::finish(sums, group, x + column),
                Target::Sums(to) => O::store(sums, group, to.add(group.place(x + column))),
            }
        }
    }
}
