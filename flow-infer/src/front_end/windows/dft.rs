//! Energies of frequencies, by the definition of the discrete Fourier transform.
//!
//! A fast transform needs memory for a segment, and a board's is short; a model looks at a few bands of short segments.
//! Every sample meets every frequency once, and both halves of a segment at once: the real part of a frequency sees the
//! sum of the samples t and n - t, the imaginary part their difference.

use super::samples::Samples;
use super::sine::{SINE_BITS, TURN, cosine, sine};
use core::ops::Range;

/// Fraction bits of a frequency's amplitude.
const AMPLITUDE_BITS: u32 = 2;

/// A stretch of a channel whose number of samples n is a power of two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'s> {
    pub(super) samples: Samples<'s>,
    pub(super) channel: usize,
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Segment<'_> {
    /// 16 times the sum of |X_k|^2 over frequencies k, where X_k is the sum of x_t e^(-2 pi i k t / n): at most
    /// 16 n^2 2^30, whatever the samples.
    pub(super) fn energy(&self, frequencies: Range<usize>) -> u64 {
        frequencies.map(|k| self.energy_at(k)).sum()
    }

    fn energy_at(&self, k: usize) -> u64 {
        let (half, step) = (self.len / 2, k * (TURN / self.len.max(1)));
        let middle = self.at(half) << SINE_BITS;
        let sign = if k.is_multiple_of(2) { middle } else { -middle };
        let mut real = i64::from((self.at(0) << SINE_BITS) + sign);
        let (mut imaginary, mut angle) = (0i64, 0);
        for t in 1..half {
            angle += step;
            let (early, late) = (self.at(t), self.at(self.len - t));
            real += i64::from((early + late) * cosine(angle));
            imaginary += i64::from((early - late) * sine(angle));
        }
        square(real) + square(imaginary)
    }

    fn at(&self, t: usize) -> i32 {
        self.samples.at(self.channel, self.start + t)
    }
}

/// The square of a sum of products with sines, with twice the fraction bits of an amplitude.
fn square(sum: i64) -> u64 {
    const SHIFT: u32 = SINE_BITS - AMPLITUDE_BITS;
    // A thousand samples of 16 bits and two fraction bits: 28 bits.
    let rounded = ((sum + (1 << (SHIFT - 1))) >> SHIFT) as i32;
    let magnitude = u64::from(rounded.unsigned_abs());
    magnitude * magnitude
}
