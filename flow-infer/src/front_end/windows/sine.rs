//! The sine of a turn's 1024 parts, computed by the compiler in integers.

/// Parts of a turn.
pub(super) const TURN: usize = 1024;
/// Fraction bits: the sum of four samples times a sine fits 32 bits.
pub(super) const SINE_BITS: u32 = 14;

const QUARTER: usize = TURN / 4;
/// pi / 512, the angle of a part, with 60 fraction bits: pi = 3.141 592 653 589 793 238 46.
const PART: i128 = 3_622_009_729_038_561_421 / 512;

/// Sines of a turn and a quarter, so that every cosine has its place too.
static SINES: [i16; TURN + QUARTER] = {
    let mut table = [0; TURN + QUARTER];
    let mut i = 0;
    while i < TURN + QUARTER {
        let (quarter, rest) = (i / QUARTER % 4, i % QUARTER);
        let first = if quarter % 2 == 0 {
            rest
        } else {
            QUARTER - rest
        };
        table[i] = if quarter < 2 {
            sine_of_first_quarter(first)
        } else {
            -sine_of_first_quarter(first)
        };
        i += 1;
    }
    table
};

const fn sine_of_first_quarter(parts: usize) -> i16 {
    let x = PART * parts as i128;
    // Taylor's series; the thirteenth term of a quarter turn is below 2^-60.
    let (mut term, mut sum, mut n) = (x, 0, 1);
    while n < 27 {
        sum += term;
        term = -((((term * x) >> 60) * x) >> 60) / ((n + 1) * (n + 2));
        n += 2;
    }
    ((sum + (1 << (59 - SINE_BITS))) >> (60 - SINE_BITS)) as i16
}

/// Cosine and sine of so many parts of a turn.
#[inline(always)]
pub(super) fn turned(parts: usize) -> [i32; 2] {
    // Indices of ten bits, and a quarter on, cannot leave the table, which the compiler sees.
    let place = parts % TURN;
    [SINES[place + QUARTER].into(), SINES[place].into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_nearest_to_the_sine() {
        for parts in 0..2 * TURN {
            let angle = core::f64::consts::TAU * parts as f64 / TURN as f64;
            let [cosine, sine] = turned(parts).map(f64::from);
            assert_eq!(sine, (angle.sin() * 16384.0).round(), "sine of {parts}");
            assert_eq!(cosine, (angle.cos() * 16384.0).round(), "cosine of {parts}");
        }
    }
}
