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
pub struct Pairs(pub(super) [u8; PAIR_BYTES]);

const ROOM: usize = ROOM_BYTES / PAIR_BYTES;

/// A coupling's weights as rows are multiplied with them.
pub(crate) type PackedWeights = Packed<Pairs, ROOM, { FREE_BYTES / PAIR_BYTES }>;

/// Weights of a channel that are read at once, and their pairs.
const CHUNK: usize = 16;
const CHUNK_PAIRS: usize = CHUNK / PAIR;

/// Lays out the weights of the group that begins with channel `first`. Channels that are missing have the weights of
/// the last one.
#[inline(always)]
pub(super) fn fill(isa: Avx2, row: &Row<'_, i16>, first: usize, to: &mut Vec<Pairs, ROOM>) {
    let channels = row.pixel_len() - first;
    let begins: [usize; CHANNELS] = array::from_fn(|c| (first + c.min(channels - 1)) * row.row_bytes);
    for k in (0..row.row_bytes).step_by(CHUNK) {
        let chunks = begins.map(|begin| chunk(row.weights, begin + k));
        let pairs = transposed(isa, &chunks);
        let left = (row.row_bytes - k).div_ceil(PAIR);
        let pairs = pairs.get(..left).unwrap_or(&pairs);
        if to.extend_from_slice(pairs).is_err() {
            return;
        }
    }
}

/// Sixteen weights from a place on; behind the last, zeros.
#[inline(always)]
fn chunk(weights: &[u8], at: usize) -> [u8; CHUNK] {
    let from = weights.get(at..).unwrap_or(&[]);
    from.first_chunk().copied().unwrap_or_else(|| last_chunk(from))
}

#[cold]
fn last_chunk(weights: &[u8]) -> [u8; CHUNK] {
    let mut chunk = [0; CHUNK];
    for (to, from) in chunk.iter_mut().zip(weights) {
        *to = *from;
    }
    chunk
}

/// Eight pairs of sixteen channels: from channel by channel to pair by pair.
#[inline(always)]
fn transposed(_: Avx2, chunks: &[[u8; CHUNK]; CHANNELS]) -> [Pairs; CHUNK_PAIRS] {
    // SAFETY: the processor has AVX2, says the first argument; loads and stores are of whole arrays.
    unsafe {
        let load = |c: usize| _mm_loadu_si128(chunks[c].as_ptr().cast());
        let [a, b, c, d, e, f, g, h] = array::from_fn(|c| _mm256_set_m128i(load(c + 8), load(c)));
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
