//! Integer tables: powers of two for multipliers, and interpolation for tanh, ln sigmoid and sigmoid.
//!
//! log_scale lies on a grid of 1/65536 octave, so a multiplier is a power of two times two mantissas of 256 each, and
//! log_det is an exact integer count of grid steps: the logarithm of the very multiplier used up to the mantissa's
//! rounding, 2^-29. A grid of 1/256 octave would do with one table, but it makes a step of 0.0027 nats of every
//! activation that falls to the other side of a rounding edge: 5.2e-4 bits per dim for one image in a thousand.
//!
//! Other functions are tables of the artifact over [-8, 8) with 16 steps a unit and cubic interpolation: measured
//! against f64, tanh is off by at most 2^-19 (linear interpolation in a table of the same size: 2^-11).

use crate::bytes::int;
use crate::plan::TABLE_REACH;
use crate::wide::{product, sixth};

/// 2^(1/256) with 62 fraction bits.
const ROOT: u128 = 0x402C_6BE9_6AF2_FB58;
/// 2^(1/65536) with 62 fraction bits.
const FINE_ROOT: u128 = 0x4000_2C5C_955D_D701;

/// 2^(i/256) with 30 fraction bits, rounded.
static COARSE_MANTISSAS: [i32; 256] = powers(ROOT);
/// 2^(i/65536) with 30 fraction bits, rounded.
static FINE_MANTISSAS: [i32; 256] = powers(FINE_ROOT);
/// Both.
pub(super) const MANTISSAS: [&[i32; 256]; 2] = [&COARSE_MANTISSAS, &FINE_MANTISSAS];

/// The first 256 powers of a root with 62 fraction bits, with 30 fraction bits.
const fn powers(root: u128) -> [i32; 256] {
    let mut table = [0; 256];
    let mut power: u128 = 1 << 62;
    let mut i = 0;
    while i < 256 {
        table[i] = ((power + (1 << 31)) >> 32) as i32;
        power = (power * root + (1 << 61)) >> 62;
        i += 1;
    }
    table
}

/// 2^(k/65536) as a mantissa with 30 fraction bits in [1, 2] and a power of two.
#[inline]
pub(crate) fn power_of_two(k: i32) -> (i32, i32) {
    // Indices of eight bits cannot leave the tables, which the compiler sees.
    let coarse = COARSE_MANTISSAS[(k >> 8 & 0xFF) as usize];
    let fine = FINE_MANTISSAS[(k & 0xFF) as usize];
    (((product(coarse, fine) + (1 << 29)) >> 30) as i32, k >> 16)
}

/// The table's function at r (24 fraction bits); the value has the table's fraction bits.
///
/// Lagrange's cubic through the four nearest nodes: with t in [0, 1) between p1 and p2,
/// p1 + t (p2 - p1) - t (1 - t) / 6 ((2 - t) (p0 - 2 p1 + p2) + (1 + t) (p1 - 2 p2 + p3)).
pub(crate) fn interpolate(table: &[u8], r: i32) -> i32 {
    const STEP_BITS: u32 = 20; // 24 fraction bits less 4 for the 16 steps a unit
    const ONE: i32 = 1 << STEP_BITS;
    const LIMIT: i32 = TABLE_REACH << 24;
    let r = r.clamp(-LIMIT, LIMIT - 1) + LIMIT;
    let node = (r >> STEP_BITS) as usize;
    let t = r & 0xF_FFFF;
    let nodes = table.get(4 * node..).and_then(|t| t.first_chunk::<16>());
    let nodes = nodes.unwrap_or(&[0; 16]);
    // At most 2^28 each, as loading has checked: four of them, and six times one, fit 32 bits.
    let p = |i: usize| int(nodes, i);
    let (p0, p1, p2, p3) = (p(0), p(1), p(2), p(3));
    let linear = (product(t, p2 - p1) >> STEP_BITS) as i32;
    let (bend_0, bend_1) = (p0 - 2 * p1 + p2, p1 - 2 * p2 + p3);
    let bend = product(2 * ONE - t, bend_0) + product(ONE + t, bend_1);
    let bend = (bend >> STEP_BITS) as i32;
    let weight = (product(t, ONE - t) >> STEP_BITS) as i32;
    let cubic = (product(weight, bend) >> STEP_BITS) as i32;
    p1 + linear - sixth(cubic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{TABLE_ENTRIES, check_table};

    #[test]
    fn mantissas_are_the_powers_of_two() {
        for k in 0..65536 {
            let exact = libm::exp2(f64::from(k) / 65536.0) * f64::from(1 << 30);
            let (mantissa, exponent) = power_of_two(k);
            assert_eq!(exponent, 0);
            // Half a unit of each mantissa, the other up to 2, and half of the product's.
            assert!((f64::from(mantissa) - exact).abs() < 2.01, "k = {k}");
        }
        assert_eq!(power_of_two(-1), (power_of_two(65535).0, -1));
        assert_eq!(power_of_two(2 << 16), (1 << 30, 2));
    }

    #[test]
    fn tanh_is_exact_to_two_to_the_minus_nineteen() {
        let scale = f64::from(1 << 24);
        let mut table = [0u8; TABLE_ENTRIES * 4];
        for (i, entry) in table.chunks_exact_mut(4).enumerate() {
            let at = (i as f64 - 1.0) / 16.0 - 8.0;
            entry.copy_from_slice(&(libm::rint(libm::tanh(at) * scale) as i32).to_le_bytes());
        }
        let worst = (-144_000_000..144_000_000)
            .step_by(587)
            .map(|r| {
                let exact = libm::tanh(f64::from(r) / f64::from(1 << 24));
                (f64::from(interpolate(&table, r)) / scale - exact).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < libm::exp2(-19.0), "worst {worst:e}");
    }

    /// Found by fuzzing: without a limit the cubic of a stranger's table leaves 32 bits.
    #[test]
    fn no_table_that_passes_the_check_overflows() {
        for most in [16 << 24, (16 << 24) + 1] {
            let mut table = [0u8; TABLE_ENTRIES * 4];
            for (i, entry) in table.chunks_exact_mut(4).enumerate() {
                let sign = if i / 2 % 2 == 0 { 1 } else { -1i32 };
                entry.copy_from_slice(&(sign * most).to_le_bytes());
            }
            let allowed = check_table(&table).is_ok();
            assert_eq!(allowed, most == 16 << 24);
            if allowed {
                // Overflow is checked in tests.
                let reach = TABLE_REACH << 24;
                (-reach..reach).step_by(997).for_each(|r| {
                    interpolate(&table, r);
                });
            }
        }
    }
}
