//! The f64 reference: every equation of `documents/conventions.md`, as naive loops.
//!
//! It shares facts with the trainer and the engine (the spec, the list of tensors, which coordinate a mask keeps) and
//! no arithmetic. Where they address one latent through views, it copies arrays about; where they fuse, it does one
//! thing after the other. It is slow on purpose: a second for an image of 28 x 28 is enough for a specification.

mod actnorm;
mod array;
mod conditioner;
mod coupling;
mod flow;
mod input;
mod invertible_linear;
pub mod ops;
mod parameters;
mod plan;
mod prior;
mod squeeze;

pub use array::Array;
pub use coupling::{ShiftAndScale, shift_and_scale};
pub use flow::{Evaluated, Parts, evaluate, parts, to_data, to_latent};
pub use input::{dequantize, midpoint};
pub use parameters::{Layer, Parameters};
pub use plan::{PlanEvaluated, evaluate_plan};
pub use prior::log_prior;
pub use squeeze::{squeeze, unsqueeze};
