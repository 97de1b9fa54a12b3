//! The logarithm of a measurement.

/// log2(1 + value) with 8 fraction bits, rounded down, within a 40th of the last one.
///
/// One digit a squaring of 16 bits, which small cores multiply in one instruction; a table would be larger.
pub(super) fn log2_of_next(value: u64) -> i32 {
    let next = value.saturating_add(1);
    let whole = 63 - next.leading_zeros();
    // The highest 16 bits.
    let mut mantissa = ((next << next.leading_zeros()) >> 48) as u32;
    let mut digits = whole;
    for _ in 0..8 {
        mantissa = (mantissa * mantissa) >> 15;
        digits <<= 1;
        if mantissa >= 1 << 16 {
            mantissa >>= 1;
            digits |= 1;
        }
    }
    digits as i32
}

#[cfg(test)]
mod tests {
    use super::log2_of_next;

    #[test]
    fn it_is_the_logarithm_rounded_down() {
        assert_eq!([0, 1, 3, 7].map(log2_of_next), [0, 256, 512, 768]);
        assert_eq!(log2_of_next(u64::MAX), 63 * 256 + 255);
        let mut value = 1u64;
        while value < 1 << 62 {
            for value in [value, value + value / 3, value + value / 7 * 5] {
                let exact = (value as f64 + 1.0).log2() * 256.0;
                let error = f64::from(log2_of_next(value)) - exact;
                assert!((-1.025..=0.001).contains(&error), "{value}: {error}");
            }
            value += value / 16 + 1;
        }
    }
}
