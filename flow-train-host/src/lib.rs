//! Host side of flowgate: data, models, training, quantization and export.

// docs.rs says which items need which feature.
#![cfg_attr(docsrs, feature(doc_cfg))]
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
pub mod families;
pub mod file_kind;
pub mod files;
pub mod front_end;
pub mod heat;
mod linear;
pub mod metrics;
pub mod model;
mod moments;
mod nn;
mod number_format;
mod parallel;
pub mod perturb;
pub mod presets;
mod random;
pub mod sample;
pub mod trace;
pub mod train;
pub mod update_batch_norm;
pub mod windows;
