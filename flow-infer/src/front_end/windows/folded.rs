//! Sums of four samples that a frequency multiplies with the same cosine, and of four with the same sine.

use super::sine::turned;

/// As many t as are folded at once.
pub(super) const FEW: usize = 8;

/// A frequency's real and imaginary part, with the fraction bits of a sine.
pub(super) type Amplitude = [i64; 2];

/// What cosine and sine are multiplied with: 18 bits each, so that products fit 32 but for one.
type Sums = [[i32; 2]; FEW];

/// Four samples that can be no lower: times minus one, with the fraction bits of a cosine, it does not fit.
const LOWEST: i32 = 4 * i16::MIN as i32;

/// A few t of a segment of n samples, each with n/2 - t, n/2 + t and n - t.
#[derive(Debug)]
pub(super) struct Folded {
    /// Of even frequencies.
    even: Sums,
    /// Of odd ones, for which half a turn changes the sign.
    odd: Sums,
    count: usize,
    /// Whether a sum is the lowest there is.
    has_lowest: bool,
}

impl Folded {
    /// Folds so many t, at most [`FEW`], given the samples at t, at n - t, at n/2 - t and at n/2 + t.
    pub(super) fn of<S: Iterator<Item = i32>>(count: usize, [a, b, c, d]: [S; 4]) -> Self {
        let [mut even, mut odd] = [[[0; 2]; FEW]; 2];
        let mut has_lowest = false;
        // Two by two: small cores have few registers.
        for (outer, (a, b)) in even.iter_mut().take(count).zip(a.zip(b)) {
            *outer = [a + b, a - b];
        }
        let places = even.iter_mut().zip(&mut odd).take(count);
        for ((even, odd), (c, d)) in places.zip(c.zip(d)) {
            let [sum, difference] = *even;
            *even = [sum + (c + d), difference - (c - d)];
            *odd = [sum - (c + d), difference + (c - d)];
            has_lowest |= sum + (c + d) == LOWEST;
        }
        Self {
            even,
            odd,
            count,
            has_lowest,
        }
    }

    /// Adds products with cosines and sines of frequency k, whose angles begin with one and go on by the other.
    pub(super) fn add(&self, k: usize, angles: [usize; 2], amplitude: &mut Amplitude) {
        let sums = match k.is_multiple_of(2) {
            true => &self.even,
            false => &self.odd,
        };
        let sums = sums.get(..self.count).unwrap_or(sums);
        match self.has_lowest {
            true => add(sums, angles, amplitude, product_with_lowest),
            false => add(sums, angles, amplitude, |a, b| i64::from(a * b)),
        }
    }
}

/// The product where it may be 2^31, which only the two lowest factors give.
fn product_with_lowest(number: i32, cosine: i32) -> i64 {
    match number.wrapping_mul(cosine) {
        i32::MIN if cosine < 0 => 1 << 31,
        product => product.into(),
    }
}

/// A function of its own: small cores have few registers.
#[inline(never)]
fn add(
    sums: &[[i32; 2]],
    [mut angle, step]: [usize; 2],
    amplitude: &mut Amplitude,
    product: impl Fn(i32, i32) -> i64,
) {
    let [mut real, mut imaginary] = *amplitude;
    for &[with_cosine, with_sine] in sums {
        let [cosine, sine] = turned(angle);
        real += product(with_cosine, cosine);
        imaginary += i64::from(with_sine * sine);
        angle += step;
    }
    *amplitude = [real, imaginary];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_samples_have_their_products() {
        // n = 16 and k = 8: the cosine at t = 1 is -1.
        let folded = Folded::of(1, [(); 4].map(|()| core::iter::repeat(i16::MIN.into())));
        let mut amplitude = [0; 2];
        folded.add(8, [512, 0], &mut amplitude);
        assert_eq!(amplitude, [1 << 31, 0]);
    }
}
