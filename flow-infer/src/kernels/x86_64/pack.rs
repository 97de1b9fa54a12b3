//! Pairs of weights of sixteen output channels, which one broadcast pair of activations is multiplied with.

use super::super::pack::{CHANNELS, FREE_BYTES, Packed, ROOM_BYTES};
use super::super::row::Row;
use core::arch::x86_64::*;

/// Bytes of a packed pair of weights: two of every channel.
pub(super) const PAIR_BYTES: usize = 2 * CHANNELS;
/// Weights of a channel that are read at once, and their pairs.
const CHUNK: usize = 16;
const CHUNK_PAIRS: usize = CHUNK / 2;

/// A coupling's weights as rows are multiplied with them.
pub type PackedWeights = Packed<PAIR_BYTES, { ROOM_BYTES / PAIR_BYTES }, { FREE_BYTES / PAIR_BYTES }>;

/// Whether there is room for a group of the row and for a chunk more, and its runs begin with pairs.
pub(super) fn takes_pairs(row: &Row<'_, i16>) -> bool {
    PackedWeights::takes(row, CHUNK_PAIRS)
}

/// Lays out the weights of the group that begins with channel `first`. What stands in the places of missing channels is
/// of no importance.
///
/// # Safety
/// The processor must have AVX2, the row must fit and have the channel, and there must be room for the group and another
/// chunk.
#[inline(always)]
pub(super) unsafe fn fill(row: &Row<'_, i16>, first: usize, to: *mut [u8; PAIR_BYTES]) {
    let count = (row.pixel_len() - first).min(CHANNELS);
    let (start, last) = (first * row.row_bytes, (count - 1) * row.row_bytes);
    let mut to = to;
    for k in (0..row.row_bytes).step_by(CHUNK) {
        let at = start + k;
        // SAFETY: the row fits, so each channel's weights are there; whole chunks are read only where the last of
        // them is. What the last chunk writes too much is overwritten by what comes next, or never read.
        unsafe {
            let whole = at + last + CHUNK <= row.weights.len();
            let from = row.weights.as_ptr().wrapping_add(at);
            let chunks = match (whole, count) {
                (false, _) => last_chunks(row.weights, at, row.row_bytes, last),
                (_, CHANNELS) => chunks(from, |c| c * row.row_bytes),
                _ => chunks(from, |c| (c * row.row_bytes).min(last)),
            };
            transpose(chunks, to.cast());
        }
        to = to.wrapping_add(CHUNK_PAIRS);
    }
}

/// Sixteen weights of channels c and c + 8, for eight c, from where each channel's begin.
///
/// # Safety
/// The processor must have AVX2, and the weights must be there.
#[inline(always)]
unsafe fn chunks(from: *const u8, begins: impl Fn(usize) -> usize) -> [__m256i; 8] {
    core::array::from_fn(|c| {
        // SAFETY: the caller vouches for both.
        unsafe {
            let of = |c: usize| _mm_loadu_si128(from.add(begins(c)).cast());
            _mm256_set_m128i(of(c + 8), of(c))
        }
    })
}

/// The same from `at` where the last channel's weights end before a whole chunk does: zeros follow.
#[cold]
fn last_chunks(weights: &[u8], at: usize, row_bytes: usize, last: usize) -> [__m256i; 8] {
    core::array::from_fn(|c| {
        let mut pair = [[0u8; CHUNK]; 2];
        for (chunk, c) in pair.iter_mut().zip([c, c + 8]) {
            let from = weights.get(at + (c * row_bytes).min(last)..).unwrap_or(&[]);
            for (byte, &weight) in chunk.iter_mut().zip(from) {
                *byte = weight;
            }
        }
        // SAFETY: a chunk for each lane; loads need no more than x86-64 has.
        unsafe { pair.as_ptr().cast::<__m256i>().read_unaligned() }
    })
}

/// Eight pairs of sixteen channels: from channel by channel to pair by pair.
///
/// # Safety
/// The processor must have AVX2; 256 bytes must be writable.
#[inline(always)]
unsafe fn transpose(rows: [__m256i; 8], to: *mut u8) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let [a, b, c, d, e, f, g, h] = rows;
        let low = |a, b| _mm256_unpacklo_epi16(a, b);
        let high = |a, b| _mm256_unpackhi_epi16(a, b);
        let halves = [
            [low(a, b), low(c, d), low(e, f), low(g, h)],
            [high(a, b), high(c, d), high(e, f), high(g, h)],
        ];
        let mut to = to.cast::<__m256i>();
        for [ab, cd, ef, gh] in halves {
            let quarters = [
                (_mm256_unpacklo_epi32(ab, cd), _mm256_unpacklo_epi32(ef, gh)),
                (_mm256_unpackhi_epi32(ab, cd), _mm256_unpackhi_epi32(ef, gh)),
            ];
            for (abcd, efgh) in quarters {
                _mm256_storeu_si256(to, _mm256_unpacklo_epi64(abcd, efgh));
                _mm256_storeu_si256(to.add(1), _mm256_unpackhi_epi64(abcd, efgh));
                to = to.add(2);
            }
        }
    }
}
