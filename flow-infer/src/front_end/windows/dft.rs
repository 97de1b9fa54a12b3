//! Energies of frequencies, by the definition of the discrete Fourier transform.
//!
//! A fast transform needs memory for a segment, and a board's is short; a model looks at a few bands of short segments.
//! Every frequency meets four samples at once: its cosines at t, n/2 - t, n/2 + t and n - t differ in their signs only, and
//! so do its sines. What they are multiplied with is added up once for all frequencies of a band, a few t at a time.

use super::folded::{Amplitude, FEW, Folded};
use super::samples::Samples;
use super::sine::{SINE_BITS, TURN};
use crate::wide::product;
use core::ops::Range;

/// Fraction bits of a frequency's amplitude.
const AMPLITUDE_BITS: u32 = 2;
/// Frequencies whose sums are kept at once.
const GROUP: usize = 8;

/// A stretch of a channel whose number of samples n is a power of two, at least 8.
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
        let quarters = self.quarters();
        let mut energy = 0;
        for first in frequencies.clone().step_by(GROUP) {
            let mut group = [[0; 2]; GROUP];
            let count = frequencies.end - first;
            let amplitudes = group.get_mut(..count.min(GROUP)).unwrap_or_default();
            self.add_products(first, amplitudes);
            for (k, [real, imaginary]) in (first..).zip(amplitudes) {
                let [ends, others] = quarters.get(k % 4).copied().unwrap_or_default();
                energy += square(*real + scaled(ends)) + square(*imaginary + scaled(others));
            }
        }
        energy
    }

    /// Adds to the amplitudes of `first` and the frequencies behind it what t from 1 to n/4 - 1 and their mirrors give.
    fn add_products(&self, first: usize, amplitudes: &mut [Amplitude]) {
        let (quarter, step) = (self.len / 4, TURN / self.len.max(1));
        for begin in (1..quarter).step_by(FEW) {
            let folded = self.folded(begin, FEW.min(quarter - begin));
            for (k, amplitude) in (first..).zip(&mut *amplitudes) {
                folded.add(k, [begin * k * step, k * step], amplitude);
            }
        }
    }

    /// So many t from `begin` on.
    fn folded(&self, begin: usize, count: usize) -> Folded {
        let half = self.len / 2;
        let from = |t: usize| self.samples.from(self.channel, self.start + t);
        let samples = [
            from(begin),
            from(self.len - begin).backwards(),
            from(half - begin).backwards(),
            from(half + begin),
        ];
        Folded::of(count, samples)
    }

    /// What the quarters of the segment, where cosine and sine are 1, 0 or -1, add to the amplitude of a frequency k, by
    /// the rest of k by four.
    fn quarters(&self) -> [[i32; 2]; 4] {
        let quarter = self.len / 4;
        let (x, a) = (self.at(0), self.at(quarter));
        let (middle, b) = (self.at(2 * quarter), self.at(3 * quarter));
        let (even, odd, sum, difference) = (x + middle, x - middle, a + b, a - b);
        [
            [even + sum, 0],
            [odd, difference],
            [even - sum, 0],
            [odd, -difference],
        ]
    }

    #[inline]
    fn at(&self, t: usize) -> i32 {
        self.samples.at(self.channel, self.start + t)
    }
}

/// A sum of samples, with the fraction bits of a sine.
fn scaled(sum: i32) -> i64 {
    i64::from(sum) << SINE_BITS
}

/// The square of a sum of products with sines, with twice the fraction bits of an amplitude.
fn square(sum: i64) -> u64 {
    const SHIFT: u32 = SINE_BITS - AMPLITUDE_BITS;
    // A thousand samples of 16 bits and two fraction bits: 28 bits.
    let rounded = ((sum + (1 << (SHIFT - 1))) >> SHIFT) as i32;
    product(rounded, rounded) as u64
}
