//! Products of 32 bits by 32.
//!
//! A Cortex-M0 multiplies into 32 bits only, and the compiler's routine for more takes both factors for 64 bits: more
//! than a hundred instructions.

#[cfg(kernel = "armv6m")]
pub(crate) use by_halves as product;

/// a times b.
#[cfg(not(kernel = "armv6m"))]
#[inline(always)]
pub(crate) fn product(a: i32, b: i32) -> i64 {
    i64::from(a) * i64::from(b)
}

/// a times b, by halves.
#[cfg(any(kernel = "armv6m", test))]
#[inline(never)]
pub(crate) fn by_halves(a: i32, b: i32) -> i64 {
    let (a_low, a_high) = (a & 0xFFFF, a >> 16);
    let (b_low, b_high) = (b & 0xFFFF, b >> 16);
    let low = (a_low as u32).wrapping_mul(b_low as u32);
    let high = a_high * b_high;
    let outer = i64::from(high) << 32 | i64::from(low);
    outer + (i64::from(a_high * b_low) << 16) + (i64::from(a_low * b_high) << 16)
}

/// value / 6, toward zero.
#[inline]
pub(crate) fn sixth(value: i32) -> i32 {
    // 2^32 / 6, rounded up.
    const INVERSE: i32 = 0x2AAA_AAAB;
    (product(value, INVERSE) >> 32) as i32 + i32::from(value < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [i32; 13] = [
        i32::MIN,
        i32::MIN + 1,
        -0x1_0000,
        -0xFFFF,
        -7,
        -1,
        0,
        1,
        6,
        0x7FFF,
        0xFFFF,
        0x1_0000,
        i32::MAX,
    ];

    #[test]
    fn halves_give_the_product() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as i32
        };
        let pairs = EDGES.iter().flat_map(|&a| EDGES.map(|b| (a, b)));
        let drawn = (0..100_000).map(|_| (random(), random()));
        for (a, b) in pairs.chain(drawn) {
            assert_eq!(by_halves(a, b), i64::from(a) * i64::from(b), "{a} * {b}");
            assert_eq!(product(a, b), i64::from(a) * i64::from(b), "{a} * {b}");
            assert_eq!(sixth(a), a / 6, "{a} / 6");
        }
        for value in -100..100 {
            assert_eq!(sixth(value), value / 6);
        }
    }
}
