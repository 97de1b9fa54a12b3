//! The noise of drawn dequantization, written from `documents/format.md`.

const ONE: u64 = 1 << 32;

fn times(a: u64, b: u64) -> u64 {
    a * b % ONE
}

fn scramble(x: u64) -> u64 {
    let x = times(x ^ (x / 65536), 2_146_121_005);
    let x = times(x ^ (x / 32768), 2_221_713_035);
    x ^ (x / 65536)
}

/// u of every byte of an image, in (0, 1).
pub(super) fn noise(seed: u32, draw: u8, image: &[u8]) -> Vec<f64> {
    const GOLDEN: u64 = 2_654_435_769;
    let mut key = scramble(u64::from(seed) ^ scramble(times(GOLDEN, u64::from(draw) + 1)));
    for &byte in image {
        key = times(key ^ u64::from(byte), 16_777_619);
    }
    let word = |i: usize| scramble((key + times(GOLDEN, i as u64)) % ONE);
    (0..image.len())
        .map(|i| ((word(i) / 65536) as f64 + 0.5) / 65536.0)
        .collect()
}
