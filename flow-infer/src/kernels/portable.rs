//! The kernel that every target has, and that every other kernel must equal bit for bit.

use crate::plan::LANES;

/// Adds to four sums the products of `activations` with four rows of 8-bit weights, which are `row_len` apart in
/// `weights` and start at `start` within their row. A row that is too short contributes what it has.
///
/// Loading has checked that |weights| times 32767 sum to less than 2^31, so the sums do not wrap.
#[inline(always)]
pub fn tile(
    weights: &[u8],
    row_len: usize,
    start: usize,
    activations: &[i16],
    sums: [i32; LANES],
) -> [i32; LANES] {
    let row = |r: usize| {
        let from = weights.get(r * row_len + start..).unwrap_or(&[]);
        from.get(..activations.len()).unwrap_or(&[])
    };
    let [mut s0, mut s1, mut s2, mut s3] = sums;
    let weights = row(0).iter().zip(row(1)).zip(row(2).iter().zip(row(3)));
    for (&a, ((&w0, &w1), (&w2, &w3))) in activations.iter().zip(weights) {
        let product = |w: u8| i32::from(a) * i32::from(w as i8);
        s0 = s0.wrapping_add(product(w0));
        s1 = s1.wrapping_add(product(w1));
        s2 = s2.wrapping_add(product(w2));
        s3 = s3.wrapping_add(product(w3));
    }
    [s0, s1, s2, s3]
}
