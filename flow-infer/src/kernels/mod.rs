//! Dot products of 8-bit weights with 16-bit activations: everything that multiplies in bulk goes through here.
//!
//! A narrow waist: one function, four rows of weights against one run of activations. Architecture kernels replace
//! it and are tested against the portable one; integer sums make every order of additions equal.

mod portable;

pub use portable::tile;
