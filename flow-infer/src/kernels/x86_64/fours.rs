//! AVX2, four channels or fewer: two pairs of each to a vector, so that none of it is empty.

use super::super::groups::{Columns, Group, Target, of_width};
use super::avx2::Eights;
use super::isa::Avx2;
use super::operations::Operations;
use super::pack::{PAIR, Pairs};
use crate::plan::LANES;
use core::arch::x86_64::*;

/// Pairs that are multiplied at once; a run has whole fours of weights.
const PAIRS: usize = LANES / PAIR;

/// Four channels.
#[derive(Clone, Copy)]
pub(super) struct Fours(pub(super) Avx2);

impl Columns for Fours {
    type Unit = Pairs;
    const CHANNELS: usize = LANES;
    const MOST_COLUMNS: usize = 13;

    #[inline(always)]
    fn columns(self, group: &Group<'_, Pairs>, target: &mut Target<'_>, x: usize, width: usize) {
        // SAFETY: the processor has AVX2, says `self`.
        unsafe {
            of_width!(tile(self.0, group, target, x), width; 1 2 3 4 5 6 7 8 9 10 11 12 13)
        }
    }
}

/// Two pairs of weights of four channels, 16 bits wide, channel by channel.
#[inline]
#[target_feature(enable = "avx2")]
fn widen([first, second]: &[Pairs; PAIRS]) -> __m256i {
    // SAFETY: each load is of the first half of an array.
    let (first, second) = unsafe {
        (
            _mm_loadl_epi64(first.0.as_ptr().cast()),
            _mm_loadl_epi64(second.0.as_ptr().cast()),
        )
    };
    _mm256_cvtepi8_epi16(_mm_unpacklo_epi16(first, second))
}

/// Computes columns x to x + COLUMNS.
#[target_feature(enable = "avx2")]
fn tile<const COLUMNS: usize>(
    isa: Avx2,
    group: &Group<'_, Pairs>,
    target: &mut Target<'_>,
    x: usize,
) {
    let step = group.row().step;
    let mut sums = [_mm256_setzero_si256(); COLUMNS];
    for (weights, mut at) in group.runs::<COLUMNS>(x) {
        for weights in weights.as_chunks::<PAIRS>().0 {
            let weights = widen(weights);
            for (column, sums) in sums.iter_mut().enumerate() {
                // SAFETY: `Group::runs` gives as many activations as there are pairs of weights at every column.
                let four = unsafe { at.add(column * step).cast::<i64>().read_unaligned() };
                let products = _mm256_madd_epi16(weights, _mm256_set1_epi64x(four));
                *sums = _mm256_add_epi32(*sums, products);
            }
            // SAFETY: likewise.
            at = unsafe { at.add(LANES) };
        }
    }
    let eights = Eights::<1>(isa);
    let [biases] = eights.load(&group.biases);
    for (column, sums) in sums.into_iter().enumerate() {
        let both = _mm256_hadd_epi32(sums, sums);
        let four = _mm256_permute4x64_epi64::<0b11_01_10_00>(both);
        let sums = [_mm256_add_epi32(four, biases)];
        match target {
            Target::Activations(all) => {
                let to = group.columns_from(all, x + column).next().unwrap_or(&mut []);
                eights.finish(sums, group, group.residual(x + column), to);
            }
            Target::Sums(all) => {
                let to = group.columns_from(all, x + column).next().unwrap_or(&mut []);
                eights.store(sums, to);
            }
        }
    }
}
