//! Weights of sixteen output channels, side by side: what one broadcast pair of activations is multiplied with.
//!
//! A file holds each channel's weights one after another, as dot products want them. A row of 28 pixels uses them 28
//! times, so transposing them once a row costs less (a tenth of it) than adding up sums across vectors at every pixel.

use super::super::row::Row;
use core::arch::x86_64::*;
use core::mem::MaybeUninit;

/// Output channels of a group.
pub(super) const CHANNELS: usize = 16;
/// Bytes of a packed pair of weights: two of every channel.
pub(super) const PAIR_BYTES: usize = 2 * CHANNELS;
/// Bytes of a row of weights that are read at once.
const CHUNK: usize = 16;

/// Room for a group's weights; written before it is read, so nothing clears it.
#[repr(C, align(32))]
pub(super) struct Packed<const WEIGHTS: usize> {
    /// Of each channel one of each.
    weights: MaybeUninit<[[u8; CHANNELS]; WEIGHTS]>,
    /// Written, but not read, where the last run ends within a chunk.
    _rest: MaybeUninit<[[u8; CHANNELS]; CHUNK]>,
}

impl<const WEIGHTS: usize> Packed<WEIGHTS> {
    pub(super) const fn new() -> Self {
        Self {
            weights: MaybeUninit::uninit(),
            _rest: MaybeUninit::uninit(),
        }
    }

    pub(super) fn as_ptr(&self) -> *const u8 {
        self.weights.as_ptr().cast()
    }

    /// Lays out the weights of `count` channels from `first` on, run after run: pair after pair of each run, two
    /// weights of each channel. What stands in the places of missing channels is of no importance.
    ///
    /// # Safety
    /// The processor must have AVX2. The row must fit and hold the channels, at least one of them; its window has at
    /// most `WEIGHTS`.
    #[inline(always)]
    pub(super) unsafe fn fill(&mut self, row: &Row<'_, i16>, first: usize, count: usize) {
        let start = first * row.row_bytes;
        let last = (count - 1) * row.row_bytes;
        let mut to = (&raw mut *self).cast::<u8>();
        let len = row.window.run_len();
        for run in row.window.runs() {
            let mut k = 0;
            while k < len {
                let at = start + run.weights + k;
                // SAFETY: the row fits, so each channel's run lies in the weights; whole chunks are read only where
                // the last of them ends there too. A chunk is written where its run belongs, with at most one chunk
                // behind the last run, for which there is room.
                unsafe {
                    let whole = at + last + CHUNK <= row.weights.len();
                    let from = row.weights.as_ptr().wrapping_add(at);
                    let chunks = match (whole, count) {
                        (false, _) => last_chunks(row.weights, at, row.row_bytes, last),
                        (_, CHANNELS) => chunks(from, |c| (c & !3) * row.row_bytes + (c & 3) * row.row_bytes),
                        _ => chunks(from, |c| (c * row.row_bytes).min(last)),
                    };
                    transpose(chunks, to);
                    to = to.add((len - k).min(CHUNK) * CHANNELS);
                }
                k += CHUNK;
            }
        }
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
