//! Logarithm and logistic function to the base two, in integers.
//!
//! One table of 129 logarithms serves three times: as the cost of a decision, -log2 p; as the coordinate in which
//! predictions are added, log2 p / (1 - p); and, through its inverse, to come back to a probability. Base two keeps
//! all three free of factors of ln 2. Both tables are computed by the compiler with integer arithmetic, so nothing
//! here is typed in and nothing depends on a host's floating point.

/// Certainty: probabilities have 16 fraction bits.
pub(super) const ONE: u32 = 1 << 16;
/// Fraction bits of a logarithm of odds.
pub(super) const ODDS_FRACTION_BITS: u32 = 10;
/// No probability comes closer to 0 or 1 than this: 2^-12, a cost of 0.00035 bits on one side and 12 on the other.
pub(super) const MIN_PROBABILITY: u32 = ONE >> 12;

/// Intervals of either table.
const STEPS: usize = 128;
/// Fraction bits below an interval of `LOG2`: 15 bits of mantissa less 7 of index.
const LOG2_REST_BITS: u32 = 8;
/// Fraction bits below an interval of `LOGISTIC`: eighths of a bit.
const LOGISTIC_REST_BITS: u32 = ODDS_FRACTION_BITS - 3;

/// Number of binary digits of a byte. A Cortex-M0 has no instruction that counts leading zeros: computed, they were 28 %
/// of the coder's instructions.
const DIGITS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 1;
    while byte < table.len() {
        table[byte] = table[byte / 2] + 1;
        byte += 1;
    }
    table
};

/// log2(1 + i / 128) with 16 fraction bits.
const LOG2: [u32; STEPS + 1] = {
    let mut table = [0; STEPS + 1];
    let mut i = 0;
    while i <= STEPS {
        table[i] = log2_of_ratio((STEPS + i) as u64);
        i += 1;
    }
    table
};

/// 1 / (1 + 2^(-i/8)) with 16 fraction bits.
const LOGISTIC: [u32; STEPS + 1] = {
    // 2^(-1/8) as three square roots of one half, 31 fraction bits.
    let mut eighth = 1u64 << 30;
    let mut root = 0;
    while root < 3 {
        eighth = (eighth << 31).isqrt();
        root += 1;
    }
    let mut table = [0; STEPS + 1];
    let mut power = 1u64 << 31;
    let mut i = 0;
    while i <= STEPS {
        let denominator = (1u64 << 31) + power;
        table[i] = (((1u64 << 47) + denominator / 2) / denominator) as u32;
        power = (power * eighth + (1 << 30)) >> 31;
        i += 1;
    }
    table
};

/// log2(numerator / 128) for a numerator in 128..=256, 16 fraction bits, one digit per squaring.
const fn log2_of_ratio(numerator: u64) -> u32 {
    if numerator == 2 * STEPS as u64 {
        return ONE;
    }
    let mut mantissa = numerator << 24; // 31 fraction bits
    let mut digits = 0;
    let mut place = 0;
    while place < 17 {
        mantissa = (mantissa * mantissa) >> 31;
        digits <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            digits |= 1;
        }
        place += 1;
    }
    (digits + 1) >> 1
}

/// Number of binary digits of a byte: 0 for 0, 8 for 128 to 255.
#[inline]
pub(super) fn digits(byte: u8) -> u32 {
    u32::from(DIGITS[usize::from(byte)])
}

/// -log2(p / 2^16) in units of 2^-16 bit, for p in 1..=65535; within 2 units of the exact value.
#[inline]
pub(super) fn cost(p: u32) -> u32 {
    let [low, high, ..] = p.to_le_bytes();
    let width = if high > 0 {
        8 + digits(high)
    } else {
        digits(low)
    };
    let shift = 16 - width;
    let mantissa = (p << shift) & 0x7fff;
    ((shift + 1) << 16) - interpolate(&LOG2, mantissa, LOG2_REST_BITS)
}

/// log2(p / (1 - p)) with 10 fraction bits, for p in 1..=65535.
#[inline]
pub(super) fn odds(p: u32) -> i32 {
    let rarer = p.min(ONE - p);
    // The likelier outcome is at least one half, so its logarithm needs no normalization.
    let likelier = ONE - interpolate(&LOG2, (ONE - rarer) & 0x7fff, LOG2_REST_BITS);
    let odds = (cost(rarer) - likelier) as i32 >> (16 - ODDS_FRACTION_BITS);
    if p == rarer { -odds } else { odds }
}

/// 1 / (1 + 2^-odds): the probability again, kept away from 0 and 1.
#[inline]
pub(super) fn probability(odds: i32) -> u32 {
    let magnitude = odds
        .unsigned_abs()
        .min((STEPS as u32) << LOGISTIC_REST_BITS);
    let likelier = interpolate(&LOGISTIC, magnitude, LOGISTIC_REST_BITS).min(ONE - MIN_PROBABILITY);
    if odds < 0 { ONE - likelier } else { likelier }
}

/// A rising table at `x`, between the two entries around it; beyond the last interval, the last entry.
#[inline]
fn interpolate(table: &[u32; STEPS + 1], x: u32, rest_bits: u32) -> u32 {
    let index = (x >> rest_bits) as usize;
    let (Some(&low), Some(&high)) = (table.get(index), table.get(index + 1)) else {
        return table[STEPS];
    };
    let rest = x & ((1 << rest_bits) - 1);
    low + (((high - low) * rest + (1 << (rest_bits - 1))) >> rest_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;

    #[test]
    fn cost_is_minus_log2_within_two_units() {
        let mut worst = 0.0f64;
        for p in 1..ONE {
            let exact = -(f64::from(p) / 65536.0).log2() * 65536.0;
            worst = worst.max((f64::from(cost(p)) - exact).abs());
        }
        assert!(worst < 2.0, "worst error {worst} units of 2^-16 bit");
    }

    #[test]
    fn a_likelier_outcome_never_costs_more() {
        for p in 2..ONE {
            assert!(cost(p) <= cost(p - 1), "cost rises at {p}");
            assert!(odds(p) >= odds(p - 1), "odds fall at {p}");
        }
    }

    #[test]
    fn odds_are_log2_of_the_ratio() {
        for p in 1..ONE {
            let exact = (f64::from(p) / f64::from(ONE - p)).log2() * 1024.0;
            assert!((f64::from(odds(p)) - exact).abs() < 1.1, "odds of {p}");
        }
    }

    #[test]
    fn probability_is_the_logistic_function() {
        for odds in -40_000..40_000 {
            let exact = 65536.0 / (1.0 + (-f64::from(odds) / 1024.0).exp2());
            let held = exact.clamp(16.0, 65520.0);
            let error = (f64::from(probability(odds)) - held).abs();
            assert!(error < 8.0, "probability of {odds}: {error} units of 2^-16");
        }
    }

    #[test]
    fn probability_is_symmetric_and_rises() {
        for odds in 0..20_000 {
            assert_eq!(probability(odds) + probability(-odds), ONE);
            assert!(probability(odds + 1) >= probability(odds));
        }
    }

    #[test]
    fn odds_and_probability_undo_each_other() {
        for p in MIN_PROBABILITY..=ONE - MIN_PROBABILITY {
            let back = probability(odds(p));
            assert!(back.abs_diff(p) <= 24, "{p} comes back as {back}");
        }
    }
}
