//! Code length of an image under a small streaming lossless coder.

mod adaptive;
mod canvas;
mod layout;
mod log2;
mod neighbours;
mod pixel;
mod surroundings;

pub use adaptive::{BitCoder, Coder};
pub use canvas::Canvas;

use crate::engine::InputError;
use crate::spec::Shape;
use canvas::Plane;
use neighbours::{Neighbours, PREDICTORS, distances, predictions};
use pixel::PixelCoder;
use surroundings::Surroundings;

/// Units in a bit: code lengths are counted in 2^-16 bit.
pub const UNITS_PER_BIT: u64 = 1 << 16;

/// A code length in units of 2^-16 bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CodeLength(u64);

/// ln 2 with 32 fraction bits: floor(0.693147180559945309 * 2^32 + 1/2).
const LN_2_Q32: u64 = 2_977_044_472;

impl CodeLength {
    /// The length in units of 2^-16 bit.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// The length as an energy: nats with 24 fraction bits, rounded down.
    pub const fn energy(self) -> i64 {
        // units 2^-16 * ln 2 2^-32 = 2^-48: halves so that 64 bits hold any image that fits in memory.
        let (bits, rest) = (self.0 >> 16, self.0 & 0xffff);
        let whole = bits * LN_2_Q32;
        let part = rest * LN_2_Q32;
        ((whole + (part >> 16)) >> 8) as i64
    }
}

/// Adds up what decisions cost.
struct Meter {
    units: u64,
}

impl BitCoder for Meter {
    #[inline]
    fn code(&mut self, probability_of_one: u32, bit: bool) -> bool {
        let p = if bit {
            probability_of_one
        } else {
            log2::ONE - probability_of_one
        };
        self.units += u64::from(log2::cost(p));
        bit
    }
}

/// Code length of an image.
///
/// # Errors
/// [`InputError::Length`] where the image has another number of bytes than its shape.
pub fn code_length(
    image: &[u8],
    shape: Shape,
    coder: &mut Coder,
) -> Result<CodeLength, InputError> {
    let bytes = u64::from(shape.channels) * u64::from(shape.height) * u64::from(shape.width);
    if image.len() as u64 != bytes {
        return Err(InputError::Length);
    }
    let mut meter = Meter { units: 0 };
    code(&mut { image }, shape, coder, &mut meter);
    Ok(CodeLength(
        UNITS_PER_BIT + meter.units.min(bytes * 8 * UNITS_PER_BIT),
    ))
}

/// Codes an image, plane after plane, row after row.
pub fn code(canvas: &mut impl Canvas, shape: Shape, coder: &mut Coder, sink: &mut impl BitCoder) {
    coder.reset();
    let (width, height) = (usize::from(shape.width), usize::from(shape.height));
    for channel in 0..usize::from(shape.channels) {
        let start = channel * width * height;
        let before = start.checked_sub(width * height);
        let plane = Plane {
            start,
            before,
            width,
        };
        for y in 0..height {
            code_row(canvas, plane, y, coder, sink);
        }
    }
}

/// Codes one row.
fn code_row(
    canvas: &mut impl Canvas,
    plane: Plane,
    y: usize,
    coder: &mut Coder,
    sink: &mut impl BitCoder,
) {
    let mut left = [0; PREDICTORS];
    let mut above = misses_above(canvas, plane, 0, y);
    for x in 0..plane.width {
        let above_right = misses_above(canvas, plane, x + 1, y);
        let mut missed = left;
        for ((sum, a), b) in missed.iter_mut().zip(above).zip(above_right) {
            *sum += a + b;
        }
        let near = Neighbours::of(canvas, plane, x, y);
        let predictions = predictions(canvas, plane, x, y, &near);
        let around = Surroundings::new(near, predictions, missed);
        let index = plane.index(x, y);
        let value = PixelCoder {
            coder,
            sink,
            around,
        }
        .code(i32::from(canvas.get(index)));
        canvas.put(index, value.clamp(0, 255) as u8);
        left = distances(predictions, value);
        above = above_right;
    }
}

/// By how much each prediction missed the pixel of the row above; by nothing where there is none.
fn misses_above(canvas: &impl Canvas, plane: Plane, x: usize, y: usize) -> [i32; PREDICTORS] {
    let Some(y) = y.checked_sub(1).filter(|_| x < plane.width) else {
        return [0; PREDICTORS];
    };
    let near = Neighbours::of(canvas, plane, x, y);
    let value = i32::from(canvas.get(plane.index(x, y)));
    distances(predictions(canvas, plane, x, y, &near), value)
}
