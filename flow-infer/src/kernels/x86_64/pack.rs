//! Weights of sixteen output channels, side by side: what one broadcast pair of activations is multiplied with.
//!
//! A file holds each channel's weights one after another, as dot products want them. Transposing them costs less than
//! adding up sums across vectors at every pixel; once a row it still was an eighth of an image's time. So a layer's
//! weights are laid out when its first row is computed and kept until the coupling is done, as long as there is room.

use super::super::places::{Place, Places};
use super::super::row::Row;
use core::arch::x86_64::*;
use core::mem::MaybeUninit;

/// Output channels of a group.
pub(super) const CHANNELS: usize = 16;
/// Bytes of a packed pair of weights: two of every channel.
pub(super) const PAIR_BYTES: usize = 2 * CHANNELS;
/// Weights of a channel that are read at once, and their pairs.
const CHUNK: usize = 16;
const CHUNK_PAIRS: usize = CHUNK / 2;

/// Pairs that there is room for: 160 KiB of stack, of which a host has megabytes. Without a host, 18 KiB.
const ROOM: usize = if cfg!(feature = "std") { 5120 } else { 576 };
/// Pairs that stay free for layers that are not kept; a group of more is not computed by rows.
const FREE: usize = if cfg!(feature = "std") { 1024 } else { 288 };

/// A coupling's weights as rows are multiplied with them.
#[derive(Debug)]
pub struct PackedWeights {
    places: Places<ROOM, FREE>,
    /// Pairs, each written before it is read.
    room: Room,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
struct Room([MaybeUninit<[u8; PAIR_BYTES]>; ROOM]);

impl Default for PackedWeights {
    #[inline(always)]
    fn default() -> Self {
        Self {
            places: Places::new(),
            room: Room([MaybeUninit::uninit(); ROOM]),
        }
    }
}

/// Pairs of a group of a row's channels.
fn group_pairs(row: &Row<'_, i16>) -> usize {
    row.row_bytes.div_ceil(2)
}

impl PackedWeights {
    /// Whether there is room for a group of the row, whose runs begin with pairs.
    pub(super) fn takes(row: &Row<'_, i16>) -> bool {
        let odd = row.window.runs().iter().fold(0, |odd, run| odd | run.weights);
        odd % 2 == 0 && group_pairs(row) + CHUNK_PAIRS <= FREE
    }

    /// Where the row's weights lie.
    #[inline(always)]
    pub(super) fn place(&mut self, row: &Row<'_, i16>) -> Place {
        let groups = row.pixel_len().div_ceil(CHANNELS);
        self.places.of(row.layer, groups * group_pairs(row))
    }

    /// The weights of a group, pair after pair; they are laid out now, unless they were before.
    ///
    /// # Safety
    /// The processor must have AVX2; the row must fit, be one that it takes, and have the group and this place.
    #[inline(always)]
    pub(super) unsafe fn group(
        &mut self,
        row: &Row<'_, i16>,
        group: usize,
        place: Place,
    ) -> *const u8 {
        let (begin, is_new) = match place {
            Place::Kept(begin) => (begin + group * group_pairs(row), false),
            Place::New(begin) => (begin + group * group_pairs(row), true),
            Place::Passing(begin) => (begin, true),
        };
        if is_new {
            // SAFETY: all groups of what is kept lie in front of what stays free, which has room for a group of any row
            // that is taken, and for a chunk.
            unsafe { self.fill(row, group, begin) };
        }
        self.room.0.as_ptr().wrapping_add(begin).cast()
    }

    /// Lays out the weights of a group's channels from pair `begin` on. What stands in the places of missing channels
    /// is of no importance.
    ///
    /// # Safety
    /// The processor must have AVX2, the row must fit and have the group, and behind `begin` there must be room for the
    /// group and another chunk.
    #[inline(always)]
    unsafe fn fill(&mut self, row: &Row<'_, i16>, group: usize, begin: usize) {
        let first = group * CHANNELS;
        let count = (row.pixel_len() - first).min(CHANNELS);
        let (start, last) = (first * row.row_bytes, (count - 1) * row.row_bytes);
        let mut to = self.room.0.as_mut_ptr().wrapping_add(begin);
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
