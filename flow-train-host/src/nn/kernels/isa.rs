//! The narrow waist: what a kernel may ask of an instruction set.
//!
//! A value of a type that implements [`Isa`] is the proof that this processor has the instructions:
//! the types for vector extensions cannot be made otherwise. So kernels are safe code, and all
//! unsafe code is in the implementations.

use crate::nn::Lanes;

/// A kernel's body, generic over the instruction set. Mark `run` as `#[inline(always)]`: only what
/// is inlined into [`Isa::call`] is compiled with the extension.
pub(crate) trait Kernel {
    /// Computes.
    fn run<I: Isa>(self, isa: I);
}

/// Arithmetic on 16 lanes.
pub(crate) trait Isa: Copy {
    /// Sixteen numbers in registers.
    type Vector: Copy;
    /// Most pixels of a convolution's tile: with [`BLOCKS`](Self::BLOCKS) blocks, what the
    /// registers hold.
    const PIXELS: usize;
    /// Output blocks of a convolution's tile.
    const BLOCKS: usize;
    /// Input channels of a weight gradient's tile.
    const ROWS: usize;

    /// Runs a kernel compiled with these instructions.
    fn call<K: Kernel>(self, kernel: K);
    /// A vector with `value` in all lanes.
    fn splat(self, value: f32) -> Self::Vector;
    /// Loads.
    fn load(self, from: &Lanes) -> Self::Vector;
    /// Stores.
    fn store(self, value: Self::Vector, to: &mut Lanes);
    /// a b + c; rounded once where the instruction exists.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// a + b.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger; of zero and NaN, zero.
    fn relu(self, a: Self::Vector) -> Self::Vector;
    /// `value` where `test` > 0, else 0.
    fn where_positive(self, test: Self::Vector, value: Self::Vector) -> Self::Vector;
}

/// Any processor: arrays that the compiler turns into whatever vectors the target always has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portable;

fn zip(a: [f32; 16], b: [f32; 16], f: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    let mut out = a;
    for (o, b) in out.iter_mut().zip(b) {
        *o = f(*o, b);
    }
    out
}

impl Isa for Portable {
    type Vector = [f32; 16];
    const PIXELS: usize = 2;
    const BLOCKS: usize = 1;
    const ROWS: usize = 2;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        kernel.run(self);
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 16] {
        [value; 16]
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> [f32; 16] {
        from.0
    }

    #[inline(always)]
    fn store(self, value: [f32; 16], to: &mut Lanes) {
        to.0 = value;
    }

    // Two roundings: `f32::mul_add` would call a library function on targets without the
    // instruction.
    #[inline(always)]
    fn multiply_add(self, a: [f32; 16], b: [f32; 16], c: [f32; 16]) -> [f32; 16] {
        zip(zip(a, b, |a, b| a * b), c, |ab, c| ab + c)
    }

    #[inline(always)]
    fn add(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn relu(self, a: [f32; 16]) -> [f32; 16] {
        a.map(|a| if a > 0.0 { a } else { 0.0 })
    }

    #[inline(always)]
    fn where_positive(self, test: [f32; 16], value: [f32; 16]) -> [f32; 16] {
        zip(test, value, |t, v| if t > 0.0 { v } else { 0.0 })
    }
}
