//! Host side of flowgate: data, models, training, quantization and export.

#![cfg_attr(docsrs, feature(doc_cfg))]
// docs.rs says which items need which feature

// Lifted only for the instruction sets of `nn::kernels`.
#![deny(unsafe_code)]

pub mod baselines;
pub mod calibrate;
pub mod convert;
pub mod data;
#[cfg(feature = "embed")]
pub mod embed;
pub mod evaluate;
pub mod export;
pub mod file_kind;
pub mod files;
mod linear;
pub mod look;
pub mod metrics;
pub mod model;
mod nn;
mod parallel;
pub mod presets;
pub mod restate;
pub mod sample;
pub mod train;
