//! aarch64: NEON, which every such processor has, and the dot product instructions, which those since 2018 mostly have.
//!
//! `dot` multiplies along a window, for dense layers and single pixels; `row` computes whole rows of a convolution with
//! channels side by side in a vector, from weights that `pack` has laid out for it, `sdot` or `neon` the products and
//! `finish` what follows. Values of the types in `isa` are the proof that the processor has the instructions.

mod dispatch;
mod dot;
mod finish;
mod isa;
mod neon;
mod pack;
mod row;
mod sdot;

pub(super) use isa::{Neon as Basic, Sdot as Best};
pub(crate) use pack::PackedWeights;
