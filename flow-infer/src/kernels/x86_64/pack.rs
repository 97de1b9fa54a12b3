//! Pairs of weights of sixteen output channels, which one broadcast pair of activations is multiplied with.

use super::super::pack::{CHANNELS, FREE_BYTES, Packed, ROOM_BYTES};
use super::super::row::Row;
use super::isa::Avx2;
use core::arch::x86_64::*;
use core::array;
use heapless::Vec;

/// Weights of a channel that are multiplied at once.
pub(super) const PAIR: usize = 2;
const PAIR_BYTES: usize = PAIR * CHANNELS;

/// A pair of weights of every channel, aligned so that a load stays within a line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Pairs(pub(super) [u8; PAIR_BYTES]);

const ROOM: usize = ROOM_BYTES / PAIR_BYTES;

/// A coupling's weights as rows are multiplied with them.
pub(super) type PackedPairs = Packed<Pairs, ROOM, { FREE_BYTES / PAIR_BYTES }>;

impl Pairs {
    /// Those of the first or of the last eight channels, 16 bits wide.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn widened(&self, half: usize) -> __m256i {
        let halves = self.0.as_chunks::<CHANNELS>().0;
        // SAFETY: the load is of a whole array.
        _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(halves[half].as_ptr().cast()) })
    }
}

/// Weights of a channel that are read at once, and their pairs.
const CHUNK: usize = 16;
const CHUNK_PAIRS: usize = CHUNK / PAIR;
/// Channels of which a chunk fills half a vector.
const HALF: usize = CHANNELS / 2;

/// Lays out the weights of the group that begins with channel `first`. Channels that are missing have the weights of
/// the last one.
#[inline(always)]
pub(super) fn fill(isa: Avx2, row: &Row<'_, i16>, first: usize, to: &mut Vec<Pairs, ROOM>) {
    let last = (row.pixel_len() - first).min(CHANNELS) - 1;
    for k in (0..row.row_bytes).step_by(CHUNK) {
        let from = row.weights.get(first * row.row_bytes + k..).unwrap_or(&[]);
        let pairs = transposed(isa, chunks(isa, from, row.row_bytes, last));
        let filled = match pairs.get(..(row.row_bytes - k).div_ceil(PAIR)) {
            Some(last) => to.extend_from_slice(last),
            None => to.extend_from_slice(&pairs),
        };
        if filled.is_err() {
            return;
        }
    }
}

/// Sixteen weights of channels c and c + 8, for eight c, of channels 0 to `last`, whose rows are so long.
#[inline(always)]
fn chunks(isa: Avx2, from: &[u8], row_bytes: usize, last: usize) -> [__m256i; HALF] {
    let whole = from.len().checked_sub(CHUNK);
    if last.checked_mul(row_bytes).is_none_or(|begin| Some(begin) > whole) {
        return last_chunks(isa, from, row_bytes, last);
    }
    // SAFETY: the processor has AVX2, says the first argument; sixteen bytes are there from where the last row begins.
    array::from_fn(|c| unsafe {
        let of = |c: usize| _mm_loadu_si128(from.as_ptr().add(c.min(last) * row_bytes).cast());
        _mm256_set_m128i(of(c + HALF), of(c))
    })
}

/// The same where the last channel's weights end before a whole chunk does: zeros follow.
#[cold]
fn last_chunks(_: Avx2, from: &[u8], row_bytes: usize, last: usize) -> [__m256i; HALF] {
    array::from_fn(|c| {
        let mut pair = [[0; CHUNK]; 2];
        for (chunk, c) in pair.iter_mut().zip([c, c + HALF]) {
            let from = from.get(c.min(last) * row_bytes..).unwrap_or(&[]);
            for (to, weight) in chunk.iter_mut().zip(from) {
                *to = *weight;
            }
        }
        // SAFETY: the processor has AVX2, says the first argument; the load is of both arrays.
        unsafe { _mm256_loadu_si256(pair.as_ptr().cast()) }
    })
}

/// Eight pairs of sixteen channels: from channel by channel to pair by pair.
#[inline(always)]
fn transposed(_: Avx2, [a, b, c, d, e, f, g, h]: [__m256i; HALF]) -> [Pairs; CHUNK_PAIRS] {
    // SAFETY: the processor has AVX2, says the first argument; stores are of whole arrays.
    unsafe {
        let low = |a, b| _mm256_unpacklo_epi16(a, b);
        let high = |a, b| _mm256_unpackhi_epi16(a, b);
        let halves = [
            [low(a, b), low(c, d), low(e, f), low(g, h)],
            [high(a, b), high(c, d), high(e, f), high(g, h)],
        ];
        let mut all = [Pairs([0; PAIR_BYTES]); CHUNK_PAIRS];
        for ([ab, cd, ef, gh], all) in halves.into_iter().zip(all.as_chunks_mut::<4>().0) {
            let quarters = [
                (_mm256_unpacklo_epi32(ab, cd), _mm256_unpacklo_epi32(ef, gh)),
                (_mm256_unpackhi_epi32(ab, cd), _mm256_unpackhi_epi32(ef, gh)),
            ];
            for ((abcd, efgh), [first, second]) in quarters.into_iter().zip(all.as_chunks_mut().0) {
                let (low, high) = (
                    _mm256_unpacklo_epi64(abcd, efgh),
                    _mm256_unpackhi_epi64(abcd, efgh),
                );
                _mm256_storeu_si256(first.0.as_mut_ptr().cast(), low);
                _mm256_storeu_si256(second.0.as_mut_ptr().cast(), high);
            }
        }
        all
    }
}
