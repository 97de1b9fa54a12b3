//! The matrices of F(4x4, 3x3) and F(3x3, 4x4), and how they map a square.
//!
//! Both have six points a side, 0, 1, -1, 2, -2 and infinity, hence one matrix for the input: what
//! is a kernel's tap to one is an output pixel to the other.

use crate::nn::kernels::isa::Isa;

/// Numbers of a mapped tile's or kernel's side.
pub(super) const MAPPED: usize = 6;

pub(super) const B: [[f32; MAPPED]; MAPPED] = [
    [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
    [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
    [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
    [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
    [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
    [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
];

/// A kernel of T taps a side with tiles of S output pixels a side. A type, so that matrices are
/// constants to the compiler.
pub(super) trait Form<const T: usize, const S: usize>: Copy {
    /// Maps a kernel.
    const G: [[f32; T]; MAPPED];
    const G_TRANSPOSED: [[f32; MAPPED]; T];
    /// Maps sums of points to output pixels.
    const A: [[f32; MAPPED]; S];
    const A_TRANSPOSED: [[f32; S]; MAPPED];
}

/// F(4x4, 3x3).
#[derive(Clone, Copy)]
pub(super) struct ThreeTaps;

impl Form<3, 4> for ThreeTaps {
    const G: [[f32; 3]; MAPPED] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    const G_TRANSPOSED: [[f32; MAPPED]; 3] = transposed(Self::G);
    const A: [[f32; MAPPED]; 4] = [
        [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
        [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
        [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
    ];
    const A_TRANSPOSED: [[f32; 4]; MAPPED] = transposed(Self::A);
}

/// F(3x3, 4x4).
#[derive(Clone, Copy)]
pub(super) struct FourTaps;

impl Form<4, 3> for FourTaps {
    const G: [[f32; 4]; MAPPED] = [
        [1.0 / 4.0, 0.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0, 1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0, 1.0 / 3.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0, -1.0 / 3.0],
        [0.0, 0.0, 0.0, 1.0],
    ];
    const G_TRANSPOSED: [[f32; MAPPED]; 4] = transposed(Self::G);
    const A: [[f32; MAPPED]; 3] = [
        [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
        [0.0, 1.0, 1.0, 4.0, 4.0, 1.0],
    ];
    const A_TRANSPOSED: [[f32; 3]; MAPPED] = transposed(Self::A);
}

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
