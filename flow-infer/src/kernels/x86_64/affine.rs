//! Four coordinates of a coupling in the four 64-bit lanes of a vector.
//!
//! Products have 64 bits, of which 32 count after a shift. Shifts fill with zeros: AVX2 has no other ones of 64 bits, and
//! the 32 bits that count are the same. What is held to 32 bits is not held here: where one of four would be, none is
//! computed, and the caller's arithmetic takes them one by one.

use super::super::affine::{Affine, Coordinates, GRID_LIMIT, OUTPUT_SHIFT, Rewritten};
use crate::plan::{LANES, MANTISSA_BITS, TABLE_ENTRIES, TABLE_REACH};
use crate::spec::AffineForm;
use core::arch::x86_64::*;

/// Fraction bits of a latent less those of the table's 16 steps a unit.
const STEP_BITS: i32 = 20;
/// A step, and where the table ends.
const STEP: i32 = 1 << STEP_BITS;
const LIMIT: i32 = TABLE_REACH << 24;

/// Rewrites coordinates four by four until one of four would leave its range, or fewer sums or latents are there.
#[target_feature(enable = "avx2")]
pub(super) fn rewrite(affine: &Affine<'_>, all: &mut Coordinates<'_, i32, i32>) -> Rewritten {
    let mut done = Rewritten::default();
    while done.count < all.count {
        let pixels = all.sums.get(done.count * all.pixel_len..).unwrap_or(&[]);
        let places = all.latents.get_mut(done.count * all.stride..).unwrap_or(&mut []);
        let (Some(sums), Some(latents)) =
            (pairs(pixels, all.pixel_len), numbers(places, all.stride))
        else {
            return done;
        };
        let Some((latents, steps)) = four(affine, sums, latents) else {
            return done;
        };
        // Behind the last one lies another row's coordinate, or one that is kept.
        let count = (all.count - done.count).min(LANES);
        let places = places.iter_mut().step_by(all.stride.max(1));
        for ((place, latent), step) in places.zip(latents).zip(steps).take(count) {
            *place = latent;
            done.steps += i64::from(step);
        }
        done.count += count;
    }
    done
}

/// The first two sums of four pixels, the first one in the low half of a lane.
#[inline]
#[target_feature(enable = "avx2")]
fn pairs(sums: &[i32], pixel_len: usize) -> Option<__m256i> {
    let mut pixels = sums.chunks(pixel_len.max(1)).map(|pixel| pixel.first_chunk());
    let mut next = || {
        let &[low, high] = pixels.next()??;
        Some(i64::from(high) << 32 | i64::from(low as u32))
    };
    let (a, b, c, d) = (next()?, next()?, next()?, next()?);
    Some(_mm256_set_epi64x(d, c, b, a))
}

/// Four numbers so far apart, with their signs, a lane each.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn numbers(from: &[i32], stride: usize) -> Option<__m256i> {
    let at = |index: usize| from.get(index * stride).copied();
    Some(_mm256_cvtepi32_epi64(_mm_set_epi32(at(3)?, at(2)?, at(1)?, at(0)?)))
}

/// Four latents with their sums rewritten, and their log_scale; nothing where one of them would leave its range.
#[inline]
#[target_feature(enable = "avx2")]
fn four(
    affine: &Affine<'_>,
    sums: __m256i,
    latents: __m256i,
) -> Option<([i32; LANES], [i32; LANES])> {
    let mut outside = _mm256_setzero_si256();
    let sums = [sums, _mm256_srli_epi64::<32>(sums)];
    let [raw_scale, shift] = [0, 1].map(|i| {
        let product = _mm256_mul_epi32(sums[i], all(affine.multipliers[i]));
        let rounded = _mm256_add_epi64(product, _mm256_set1_epi64x(1 << (OUTPUT_SHIFT - 1)));
        outside = _mm256_or_si256(outside, beyond::<{ 32 + OUTPUT_SHIFT as i32 }>(rounded));
        _mm256_srli_epi64::<{ OUTPUT_SHIFT as i32 }>(rounded)
    });
    let mapped = affine.table.map_or(raw_scale, |table| interpolate(table, raw_scale));
    let product = _mm256_mul_epi32(mapped, all(affine.bound));
    let steps = _mm256_srli_epi64::<32>(_mm256_add_epi64(product, _mm256_set1_epi64x(1 << 31)));
    let steps = _mm256_max_epi32(steps, all(-GRID_LIMIT - 1));
    let steps = low_halves(_mm256_min_epi32(steps, all(GRID_LIMIT)));
    let shift = _mm256_cvtepi32_epi64(low_halves(shift));
    let shifted = match affine.form {
        AffineForm::ShiftThenScale => _mm256_add_epi64(latents, shift),
        AffineForm::ScaleThenShift => latents,
    };
    outside = _mm256_or_si256(outside, beyond::<32>(shifted));
    let scaled = scaled(shifted, affine.mantissas, steps, &mut outside);
    let rewritten = match affine.form {
        AffineForm::ShiftThenScale => scaled,
        AffineForm::ScaleThenShift => _mm256_add_epi64(scaled, shift),
    };
    outside = _mm256_or_si256(outside, beyond::<32>(rewritten));
    let is_inside = _mm256_testz_si256(outside, outside) == 1;
    is_inside.then(|| (store(low_halves(rewritten)), store(steps)))
}

/// value 2^(steps / 65536), rounded.
#[inline]
#[target_feature(enable = "avx2")]
fn scaled(
    value: __m256i,
    [coarse, fine]: [&[i32; 256]; 2],
    steps: __m128i,
    outside: &mut __m256i,
) -> __m256i {
    // Indices of eight bits cannot leave the tables, which the compiler sees.
    let [a, b, c, d] = store(steps);
    let coarse = |k: i32| i64::from(coarse[(k >> 8 & 0xFF) as usize]);
    let fine = |k: i32| i64::from(fine[(k & 0xFF) as usize]);
    let product = _mm256_mul_epi32(
        _mm256_set_epi64x(coarse(d), coarse(c), coarse(b), coarse(a)),
        _mm256_set_epi64x(fine(d), fine(c), fine(b), fine(a)),
    );
    let mantissas = _mm256_srli_epi64::<30>(_mm256_add_epi64(product, _mm256_set1_epi64x(1 << 29)));
    let octaves = _mm_srai_epi32::<16>(steps);
    let right = _mm_sub_epi32(_mm_set1_epi32(MANTISSA_BITS), octaves);
    let right = _mm256_cvtepu32_epi64(right);
    let one = _mm256_set1_epi64x(1);
    let half = _mm256_sllv_epi64(one, _mm256_sub_epi64(right, one));
    let rounded = _mm256_add_epi64(_mm256_mul_epi32(value, mantissas), half);
    // More than 32 bits may go: the sign, which must come after them, goes as well and is taken off again.
    let sign = _mm256_set1_epi64x(i64::MIN);
    let shifted = _mm256_sub_epi64(
        _mm256_srlv_epi64(_mm256_add_epi64(rounded, sign), right),
        _mm256_srlv_epi64(sign, right),
    );
    *outside = _mm256_or_si256(*outside, beyond::<32>(shifted));
    shifted
}

/// The cubic through the four nodes around each value, as of `engine::table::interpolate`.
#[inline]
#[target_feature(enable = "avx2")]
fn interpolate(table: &[u8; 4 * TABLE_ENTRIES], values: __m256i) -> __m256i {
    let held = _mm256_max_epi32(_mm256_min_epi32(values, all(LIMIT - 1)), all(-LIMIT));
    let place = _mm256_add_epi32(held, all(LIMIT));
    let t = _mm256_and_si256(place, all(STEP - 1));
    let [p0, p1, p2, p3] = nodes(table, low_halves(_mm256_srli_epi32::<STEP_BITS>(place)));
    let slope = _mm256_sub_epi32(p2, p1);
    let linear = _mm256_srli_epi64::<STEP_BITS>(_mm256_mul_epi32(t, slope));
    let bends = [
        _mm256_sub_epi32(_mm256_sub_epi32(p0, p1), _mm256_sub_epi32(p1, p2)),
        _mm256_sub_epi32(_mm256_sub_epi32(p1, p2), _mm256_sub_epi32(p2, p3)),
    ];
    let bend = _mm256_add_epi64(
        _mm256_mul_epi32(_mm256_sub_epi32(all(2 * STEP), t), bends[0]),
        _mm256_mul_epi32(_mm256_add_epi32(all(STEP), t), bends[1]),
    );
    let bend = _mm256_srli_epi64::<STEP_BITS>(bend);
    let weight = _mm256_mul_epi32(t, _mm256_sub_epi32(all(STEP), t));
    let cubic = _mm256_mul_epi32(_mm256_srli_epi64::<STEP_BITS>(weight), bend);
    let cubic = _mm256_srli_epi64::<STEP_BITS>(cubic);
    // A sixth, toward zero: 2^32 / 6, rounded up.
    let sixth = _mm256_srli_epi64::<32>(_mm256_mul_epi32(cubic, all(0x2AAA_AAAB)));
    let sixth = _mm256_add_epi32(sixth, _mm256_srli_epi32::<31>(cubic));
    _mm256_sub_epi32(_mm256_add_epi32(p1, linear), sixth)
}

/// Four nodes of the table from each of these on, node by node.
#[inline]
#[target_feature(enable = "avx2")]
fn nodes(table: &[u8; 4 * TABLE_ENTRIES], first: __m128i) -> [__m256i; LANES] {
    const LAST: usize = TABLE_ENTRIES - LANES;
    let [a, b, c, d] = store(first).map(|node| {
        let place = 4 * (node as usize).min(LAST);
        // SAFETY: from the last place on there are four entries of four bytes.
        unsafe { _mm_loadu_si128(table.as_ptr().add(place).cast()) }
    });
    let (ac, bd) = (_mm256_set_m128i(c, a), _mm256_set_m128i(d, b));
    let (low, high) = (_mm256_unpacklo_epi32(ac, bd), _mm256_unpackhi_epi32(ac, bd));
    [
        _mm256_shuffle_epi32::<0b01_01_00_00>(low),
        _mm256_shuffle_epi32::<0b11_11_10_10>(low),
        _mm256_shuffle_epi32::<0b01_01_00_00>(high),
        _mm256_shuffle_epi32::<0b11_11_10_10>(high),
    ]
}

/// Not zero where a value does not fit so many bits.
#[inline]
#[target_feature(enable = "avx2")]
fn beyond<const BITS: i32>(values: __m256i) -> __m256i {
    let half = _mm256_set1_epi64x(1 << (BITS - 1));
    _mm256_srli_epi64::<BITS>(_mm256_add_epi64(values, half))
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(value: i32) -> __m256i {
    _mm256_set1_epi32(value)
}

/// The low half of each lane.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn low_halves(lanes: __m256i) -> __m128i {
    let halves = _mm256_shuffle_epi32::<0b10_00_10_00>(lanes);
    _mm256_castsi256_si128(_mm256_permute4x64_epi64::<0b10_00_10_00>(halves))
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(values: __m128i) -> [i32; LANES] {
    let mut to = [0; LANES];
    // SAFETY: the store is of the whole array.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), values) };
    to
}
