//! The matrices of F(4x4, 3x3), and how they map a square.

use crate::nn::kernels::isa::Isa;

/// Taps of a kernel's side.
pub(super) const TAPS: usize = 3;
/// Output pixels of a tile's side.
pub(super) const SIDE: usize = 4;
/// Numbers of a mapped tile's or kernel's side.
pub(super) const MAPPED: usize = SIDE + TAPS - 1;

pub(super) const B: [[f32; MAPPED]; MAPPED] = [
    [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
    [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
    [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
    [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
    [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
    [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
];
pub(super) const G: [[f32; TAPS]; MAPPED] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];
pub(super) const A: [[f32; MAPPED]; SIDE] = [
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
    [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
    [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
];
pub(super) const A_TRANSPOSED: [[f32; SIDE]; MAPPED] = transposed(A);
pub(super) const G_TRANSPOSED: [[f32; MAPPED]; TAPS] = transposed(G);

const fn transposed<const R: usize, const C: usize>(m: [[f32; C]; R]) -> [[f32; R]; C] {
    let mut out = [[0.0; R]; C];
    let mut at = 0;
    while at < R * C {
        out[at % C][at / C] = m[at / C][at % C];
        at += 1;
    }
    out
}

/// M x Mt. The compiler unrolls the loops and drops the zeros.
#[inline(always)]
pub(super) fn both_sides<I: Isa, const N: usize, const M: usize>(
    isa: I,
    matrix: &[[f32; N]; M],
    x: &[[I::Vector; N]; N],
) -> [[I::Vector; M]; M] {
    let zero = isa.splat(0.0);
    let mut half = [[zero; N]; M];
    for j in 0..N {
        for m in 0..M {
            for n in 0..N {
                if matrix[m][n] != 0.0 {
                    half[m][j] = isa.multiply_add(isa.splat(matrix[m][n]), x[n][j], half[m][j]);
                }
            }
        }
    }
    let mut out = [[zero; M]; M];
    for i in 0..M {
        for m in 0..M {
            for n in 0..N {
                if matrix[m][n] != 0.0 {
                    out[i][m] = isa.multiply_add(isa.splat(matrix[m][n]), half[i][n], out[i][m]);
                }
            }
        }
    }
    out
}
