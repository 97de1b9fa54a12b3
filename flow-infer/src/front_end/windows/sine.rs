//! The sine of a turn's 1024 parts, computed by the compiler in integers.

/// Parts of a turn.
pub(super) const TURN: usize = 1024;
/// Fraction bits: the sum of two samples times a sine fits 32 bits.
pub(super) const SINE_BITS: u32 = 14;

const QUARTER: usize = TURN / 4;
/// pi / 512, the angle of a part, with 60 fraction bits: pi = 3.141 592 653 589 793 238 46.
const PART: i128 = 3_622_009_729_038_561_421 / 512;

/// Sines of the first quarter turn.
const SINE: [i16; QUARTER + 1] = {
    let mut table = [0; QUARTER + 1];
    let mut i = 0;
    while i <= QUARTER {
        let x = PART * i as i128;
        // Taylor's series; the thirteenth term of a quarter turn is below 2^-60.
        let (mut term, mut sum, mut n) = (x, 0, 1);
        while n < 27 {
            sum += term;
            term = -((((term * x) >> 60) * x) >> 60) / ((n + 1) * (n + 2));
            n += 2;
        }
        table[i] = ((sum + (1 << (59 - SINE_BITS))) >> (60 - SINE_BITS)) as i16;
        i += 1;
    }
    table
};

/// Sine of so many parts of a turn.
#[inline]
pub(super) fn sine(parts: usize) -> i32 {
    let (quarter, rest) = (parts / QUARTER % 4, parts % QUARTER);
    let index = if quarter.is_multiple_of(2) {
        rest
    } else {
        QUARTER - rest
    };
    let value = i32::from(SINE.get(index).copied().unwrap_or(0));
    if quarter < 2 { value } else { -value }
}

/// Cosine of so many parts of a turn.
#[inline]
pub(super) fn cosine(parts: usize) -> i32 {
    sine(parts + QUARTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_nearest_to_the_sine() {
        for parts in 0..2 * TURN {
            let angle = core::f64::consts::TAU * parts as f64 / TURN as f64;
            let wanted = (angle.sin() * 16384.0).round();
            assert_eq!(f64::from(sine(parts)), wanted, "sine of {parts}");
            let wanted = (angle.cos() * 16384.0).round();
            assert_eq!(f64::from(cosine(parts)), wanted, "cosine of {parts}");
        }
    }
}
