//! x86-64: AVX2, and AVX-512 with VNNI.
//!
//! `dot` multiplies along a window, for dense layers and single pixels; `row` computes whole rows of a convolution with
//! channels side by side in a vector (`operations`), from weights that `pack` has laid out for it; with AVX2, of which it
//! asks more than half of an image's time, fewer products do (`winograd`), and no vector is half empty (`fours`).
//! `floats` does so in floats, `read` reads a coupling's coordinates, and `affine` rewrites them. Values of the types in
//! `isa` are the proof that the processor has the instructions.

mod affine;
mod avx2;
mod dispatch;
mod dot;
#[cfg(float_rows)]
mod floats;
mod fours;
mod isa;
mod kept;
mod operations;
mod pack;
mod read;
mod row;
mod vnni;
mod winograd;

pub(super) use isa::{Avx2 as Basic, Vnni as Best};
pub(crate) use kept::PackedWeights;
