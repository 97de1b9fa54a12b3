//! Sixteen output channels side by side in a vector, several pixels at a time.
//!
//! A pair of activations is broadcast and multiplied with a pair of weights of every channel, so sums need not be added
//! up across a vector, and the sums of a pixel are requantized, activated, joined with the residual and stored as they
//! stand. Dot products and scalar requantization took three times as long for an image of `fashion-tiny`.

use super::super::groups::{Group, Target};
use super::super::pack::CHANNELS;
use super::pack::{PAIR, Pairs};

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

    /// The same of the pixels from column x on.
    #[inline(always)]
    fn finish_all<const COLUMNS: usize>(
        self,
        sums: [Self::Sums; COLUMNS],
        group: &Group<'_, Pairs>,
        target: &mut [i16],
        x: usize,
    ) {
        finish_each(self, sums, group, target, x);
    }
}

/// Finishes pixel by pixel.
#[inline(always)]
pub(super) fn finish_each<O: Operations, const COLUMNS: usize>(
    operations: O,
    sums: [O::Sums; COLUMNS],
    group: &Group<'_, Pairs>,
    target: &mut [i16],
    x: usize,
) {
    let pixels = group.columns_from(target, x);
    for ((column, sums), to) in sums.into_iter().enumerate().zip(pixels) {
        operations.finish(sums, group, group.residual(x + column), to);
    }
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
    // Pairs of zeros are passed over.
    let stride = if group.row().half_empty { 2 } else { 1 };
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
            (pairs, at) = unsafe { (pairs.add(stride), at.add(stride * PAIR)) };
        }
    }
    match target {
        Target::Activations(all) => operations.finish_all(sums, group, all, x),
        Target::Sums(all) => {
            for (sums, to) in sums.into_iter().zip(group.columns_from(all, x)) {
                operations.store(sums, to);
            }
        }
    }
}
