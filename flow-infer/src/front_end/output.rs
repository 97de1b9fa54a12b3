//! From the sums of an input pixel to its bytes: conversion and the one rounding.

use super::format::YuvRange;
use super::source::LIMITED_LUMA;

/// BT.601 with integer coefficients in 256ths: Y, and Cr of red, Cb and Cr of green, Cb of blue.
#[derive(Clone, Copy, Debug)]
struct Coefficients {
    black: i64,
    luma: i64,
    red_cr: i64,
    green_cb: i64,
    green_cr: i64,
    blue_cb: i64,
}

const FULL: Coefficients = Coefficients {
    black: 0,
    luma: 256,
    red_cr: 359,
    green_cb: -88,
    green_cr: -183,
    blue_cb: 454,
};

const LIMITED: Coefficients = Coefficients {
    black: 16,
    luma: LIMITED_LUMA as i64,
    red_cr: 409,
    green_cb: -100,
    green_cr: -208,
    blue_cb: 516,
};

/// What becomes of the sums.
#[derive(Clone, Copy, Debug)]
pub(super) enum Conversion {
    /// Sum k, in 256ths, is channel k; one sum serves every channel.
    Direct {
        /// Number of sums.
        sums: usize,
        /// What black has, in 256ths.
        black: i64,
    },
    /// Sums of Y, Cb and Cr become red, green and blue.
    Yuv(YuvRange),
}

impl Conversion {
    /// The conversion of luma alone.
    pub(super) fn luma(range: YuvRange) -> Self {
        let black = match range {
            YuvRange::Full => 0,
            YuvRange::Limited => LIMITED.black * LIMITED.luma,
        };
        Self::Direct { sums: 1, black }
    }

    /// Number of sums that a pixel has.
    pub(super) fn sums(&self) -> usize {
        match self {
            Self::Direct { sums, .. } => *sums,
            Self::Yuv(_) => 3,
        }
    }

    /// A channel of the pixel whose sums these are, over `cells` cells.
    pub(super) fn channel(&self, sum: impl Fn(usize) -> u64, channel: usize, cells: u64) -> u8 {
        let sum = |k| sum(k) as i64;
        let cells = cells as i64;
        let total = match self {
            Self::Direct { sums, black } => sum(channel.min(sums - 1)) - black * cells,
            Self::Yuv(range) => {
                let c = match range {
                    YuvRange::Full => FULL,
                    YuvRange::Limited => LIMITED,
                };
                let luma = c.luma * (sum(0) - c.black * cells);
                let (cb, cr) = (sum(1) - 128 * cells, sum(2) - 128 * cells);
                luma + match channel {
                    0 => c.red_cr * cr,
                    1 => c.green_cb * cb + c.green_cr * cr,
                    _ => c.blue_cb * cb,
                }
            }
        };
        rounded(total, 256 * cells as u64)
    }
}

/// The byte nearest to a quotient, halves up. Long division by hand: small cores have no 64-bit divider.
fn rounded(total: i64, divisor: u64) -> u8 {
    let mut rest = (total + (divisor / 2) as i64).max(0) as u64;
    let mut byte = 0;
    if rest >= divisor << 8 {
        return u8::MAX;
    }
    for bit in (0..8).rev() {
        if let Some(less) = rest.checked_sub(divisor << bit) {
            rest = less;
            byte |= 1 << bit;
        }
    }
    byte
}
