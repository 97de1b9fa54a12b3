//! Whole rows of a convolution: sixteen output channels side by side in a vector, several pixels at a time.
//!
//! A pair of activations is broadcast and multiplied with a pair of weights of every channel, so sums need not be added
//! up across a vector, and the sums of a pixel are requantized, activated, joined with the residual and stored as they
//! stand. Dot products and scalar requantization took three times as long for an image of `fashion-tiny`.

use super::super::groups::{Checked, Columns, Group, Target, all_columns};
use super::super::pack::CHANNELS;
use super::avx2::Eights;
use super::isa::{Avx2, Vnni};
use super::pack::{PAIR, PackedWeights, Pairs, fill};
use super::vnni::{Eight, Sixteen};

/// Computes a row.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn with_vnni(
    isa: Vnni,
    row: Checked<'_>,
    packed: &mut PackedWeights,
    target: Target<'_>,
) {
    let tiles = (Sixteen(isa), Eight(isa));
    groups(isa.avx2(), tiles, row, packed, target);
}

/// Computes a row.
#[target_feature(enable = "avx2")]
pub(super) fn with_avx2(
    isa: Avx2,
    row: Checked<'_>,
    packed: &mut PackedWeights,
    target: Target<'_>,
) {
    groups(isa, (Eights::<2>(isa), Eights::<1>(isa)), row, packed, target);
}

/// Computes the row, sixteen output channels at a time, the last eight or fewer in vectors of half the width.
#[inline(always)]
fn groups(
    isa: Avx2,
    tiles: (impl Columns<Unit = Pairs>, impl Columns<Unit = Pairs>),
    row: Checked<'_>,
    packed: &mut PackedWeights,
    mut target: Target<'_>,
) {
    let channels = row.row().pixel_len();
    let place = packed.place(row.row());
    for (index, first) in (0..channels).step_by(CHANNELS).enumerate() {
        let weights = packed.group(row.row(), index, place, |to| fill(isa, row.row(), first, to));
        if let Some(group) = Group::new(row, first, weights) {
            all_columns(tiles, &group, &mut target);
        }
    }
}

/// What differs between the extensions. A value is the proof that the processor has its extension.
pub(super) trait Operations: Copy {
    /// Sums of so many channels.
    type Sums: Copy;
    /// Two weights of each channel, 16 bits wide.
    type Weights: Copy;

    fn load(self, values: &[i32; CHANNELS]) -> Self::Sums;
    fn widen(self, weights: &Pairs) -> Self::Weights;
    /// Adds a pair of activations times each channel's pair of weights.
    fn multiply_add(
        self,
        sums: Self::Sums,
        weights: Self::Weights,
        pair: &[i16; PAIR],
    ) -> Self::Sums;
    /// Stores the sums of as many channels as there are.
    fn store(self, sums: Self::Sums, to: &mut [i32]);
    /// Requantizes, activates, adds the residual and stores as many channels as there are.
    fn finish(self, sums: Self::Sums, group: &Group<'_, Pairs>, residual: &[i16], to: &mut [i16]);
}

/// Computes columns x to x + COLUMNS.
#[inline(always)]
pub(super) fn tile<const COLUMNS: usize>(
    operations: impl Operations,
    group: &Group<'_, Pairs>,
    target: &mut Target<'_>,
    x: usize,
) {
    let step = group.row().step;
    let mut sums = [operations.load(&group.biases); COLUMNS];
    for (weights, mut at) in group.runs::<COLUMNS>(x) {
        let mut pairs = weights.as_ptr();
        let end = at.wrapping_add(weights.len() * PAIR);
        // Not an iterator over weights: with the activations' end as the bound the loop is an instruction shorter.
        while at < end {
            // SAFETY: there are as many pairs of weights in front of the end of the activations.
            let weights = operations.widen(unsafe { &*pairs });
            for (column, sums) in sums.iter_mut().enumerate() {
                // SAFETY: `Group::runs` gives as many activations as there are pairs of weights at every column.
                let pair = unsafe { &*at.add(column * step).cast::<[i16; PAIR]>() };
                *sums = operations.multiply_add(*sums, weights, pair);
            }
            // SAFETY: likewise.
            (pairs, at) = unsafe { (pairs.add(1), at.add(PAIR)) };
        }
    }
    match target {
        Target::Activations(all) => {
            let pixels = group.columns_from(all, x);
            for ((column, sums), to) in sums.into_iter().enumerate().zip(pixels) {
                operations.finish(sums, group, group.residual(x + column), to);
            }
        }
        Target::Sums(all) => {
            for (sums, to) in sums.into_iter().zip(group.columns_from(all, x)) {
                operations.store(sums, to);
            }
        }
    }
}
