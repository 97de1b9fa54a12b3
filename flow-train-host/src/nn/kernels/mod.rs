//! The arithmetic: convolution and its two gradients, once in plain Rust over a vector of 16 lanes.
//!
//! A convolution of side 1 is also the dense layer of vectors, whose pixels are the vectors. The
//! instruction set is chosen at run time ([`Cpu`]); the body is the same for all of them and
//! differs in the size of its register tile. The gradient for the input is a convolution with the
//! backward weights (transposed and mirrored), so there are two bodies in all.

mod choose;
mod conv;
mod dispatch;
pub(crate) mod elementary;
mod isa;
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon;
mod weight_gradient;
mod winograd;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

pub(crate) use choose::{add_weight_gradient, convolve};
pub(crate) use conv::Finish;
pub(crate) use dispatch::Cpu;
pub(crate) use isa::{Isa, Kernel};
pub(crate) use winograd::{
    Reach, add_weight_gradient_of_side_4, convolve_side_4, images_that_pay, side_4_pays,
};
