//! The specification of flowgate's mathematics: every equation of `documents/conventions.md` in
//! f64, as naive loops.
//!
//! What a flow computes is what this crate computes; the trainer (`flow-train-host`) and the engine
//! (`flow-infer`) are measured against it, within the bounds of `tests/src/tolerance.rs`.
//!
//! It shares facts with both (the spec, the list of tensors, which coordinate a mask keeps) and no
//! arithmetic. Where they address one latent through views, it copies arrays about; where they fuse,
//! it does one thing after the other. It is slow on purpose: a second for an image of 28 x 28 is
//! enough for a specification.
//!
//! [`evaluate`] takes a float model, [`evaluate_plan`] the quantized one of a `.flow` file. To read:
//! [`to_latent`] and [`to_data`], then the steps (`actnorm`, `invertible_linear`, `coupling`,
//! `squeeze`), then the networks in `conditioner/`.

#![forbid(unsafe_code)]

mod actnorm;
mod array;
mod combined;
mod conditioner;
mod coupling;
mod flow;
pub mod front_end;
mod input;
mod invertible_linear;
mod marginals;
pub mod numeric;
pub mod ops;
mod parameters;
mod plan;
mod prior;
mod ratio;
mod squeeze;
pub mod windows;

pub use array::Array;
pub use combined::{CombinedEvaluated, combined};
pub use coupling::{ShiftAndScale, shift_and_scale};
pub use flow::{Evaluated, Parts, evaluate, parts, to_data, to_latent};
pub use input::{dequantize, midpoint};
pub use marginals::marginals;
pub use parameters::{Layer, Parameters};
pub use plan::{PlanEvaluated, evaluate_plan};
pub use prior::log_prior;
pub use ratio::ratio;
pub use squeeze::{squeeze, unsqueeze};
