//! exp, tanh and sigmoid of 16 numbers at once.
//!
//! Calls of the C library for one number at a time took a sixth of a dense flow's step. These are
//! plain loops over arrays that the compiler turns into vectors wherever they are inlined into
//! [`Isa::call`](super::isa::Isa::call); multiplications and additions stay apart, so every
//! instruction set gives the same bits.
//!
//! With x = n ln 2 + r, |r| <= ln 2 / 2: exp(x) = 2^n exp(r), and exp(r) - 1 by its Taylor series,
//! whose first term left out is 5e-9.

use crate::nn::LANES;

/// Sixteen numbers.
pub(crate) type Sixteen = [f32; LANES];

/// ln 2 in two parts; the first has so few digits that n times it is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

#[inline(always)]
fn each(x: Sixteen, f: impl Fn(f32) -> f32) -> Sixteen {
    let mut out = x;
    for v in &mut out {
        *v = f(*v);
    }
    out
}

/// 2^n for integers from -126 to 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// n and exp(r) - 1. Beyond f32's range n is that of its ends; NaN stays NaN.
#[inline(always)]
fn reduced(x: f32) -> (i32, f32) {
    // Adding 1.5 x 2^23 rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut series = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        series = series * r + factor;
    }
    // Of NaN the bits are some number out of range; where r is NaN it does not matter which.
    let n = (n + ROUND).to_bits() as i32 - ROUND.to_bits() as i32;
    (n.clamp(-151, 129), series * r)
}

/// e^x, to 2e-7 of itself.
#[inline(always)]
pub(crate) fn exp(x: Sixteen) -> Sixteen {
    each(x, |x| {
        let (n, p) = reduced(x);
        // In two steps: 2^n may lie outside the range where the product does not.
        let half = n >> 1;
        (p + 1.0) * power_of_two(half) * power_of_two(n - half)
    })
}

/// tanh x, to 4e-7 of itself.
#[inline(always)]
pub(crate) fn tanh(x: Sixteen) -> Sixteen {
    each(x, |x| {
        // -e / (2 + e) with e = exp(-2 |x|) - 1, without cancellation: e = 2^n p + (2^n - 1).
        let (n, p) = reduced(-2.0 * x.abs());
        let scale = power_of_two(n.clamp(-126, 0));
        let e = scale * p + (scale - 1.0);
        (-e / (2.0 + e)).copysign(x)
    })
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid(x: Sixteen) -> Sixteen {
    each(exp(each(x, |x| -x)), |e| 1.0 / (1.0 + e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::kernels::{Cpu, Isa, Kernel};

    /// f32 rounding of a handful of operations.
    const RELATIVE: f64 = 4e-7;

    struct Apply<'a>(fn(Sixteen) -> Sixteen, &'a mut Sixteen);

    impl Kernel for Apply<'_> {
        fn run<I: Isa>(self, _isa: I) {
            *self.1 = self.0(*self.1);
        }
    }

    fn check(name: &str, of: fn(Sixteen) -> Sixteen, wanted: fn(f64) -> f64, range: f32) {
        for cpu in Cpu::all() {
            for step in 0..4000 {
                let first = range * (step as f32 / 2000.0 - 1.0);
                let x: Sixteen = std::array::from_fn(|lane| first * (1.0 + lane as f32 / 37.0));
                let mut found = x;
                cpu.run(Apply(of, &mut found));
                for (x, found) in x.into_iter().zip(found) {
                    let wanted = wanted(f64::from(x));
                    let error = (f64::from(found) - wanted).abs();
                    assert!(
                        error <= RELATIVE * wanted.abs(),
                        "{name}({x}) = {found}, not {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn they_are_those_of_f64() {
        check("exp", exp, f64::exp, 60.0);
        check("exp", exp, f64::exp, 1e-3);
        check("tanh", tanh, f64::tanh, 12.0);
        check("tanh", tanh, f64::tanh, 1e-2);
        check("sigmoid", sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 50.0);
    }

    #[test]
    fn the_ends_of_the_range_are_infinity_zero_and_nan() {
        let x = |value| [value; LANES];
        assert_eq!(exp(x(100.0))[0], f32::INFINITY);
        assert_eq!(exp(x(f32::INFINITY))[0], f32::INFINITY);
        assert_eq!(exp(x(-200.0))[0], 0.0);
        assert_eq!(exp(x(0.0))[0], 1.0);
        let largest = f64::from(exp(x(88.5))[0]);
        assert!((largest / 88.5f64.exp() - 1.0).abs() < RELATIVE);
        assert_eq!([tanh(x(50.0))[0], tanh(x(-50.0))[0]], [1.0, -1.0]);
        assert_eq!(tanh(x(0.0))[0], 0.0);
        assert_eq!([sigmoid(x(200.0))[0], sigmoid(x(-200.0))[0]], [1.0, 0.0]);
        for of in [exp, tanh, sigmoid] {
            assert!(of(x(f32::NAN))[0].is_nan());
        }
    }
}
