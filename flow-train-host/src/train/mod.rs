//! Training: the same flow as the engine's, with gradients.
//!
//! `run` reads top down: [`run`] the loop and its files, `workers` a batch on all cores, `network` a flow, `step` and
//! `coupling`, `actnorm`
//! and `invertible_linear` its parts; the layers are in `crate::nn`. What makes it fast is in the headers there; what makes it
//! repeatable is in `workers` (fixed order of sums), `noise` (randomness without state) and `checkpoint`.

mod actnorm;
pub mod bench;
mod checkpoint;
mod config;
mod constant;
mod coordinates;
mod coupling;
mod directory;
mod error;
mod evaluate;
mod factors;
mod initial_model;
mod input;
mod instructions;
mod invertible_linear;
mod lock;
mod negative;
mod network;
pub(crate) mod noise;
mod optimizer;
mod pixels;
mod progress;
mod ratio;
mod ratio_config;
mod run;
mod scale_map;
mod sensor;
mod smoothing;
mod split;
mod step;
#[cfg(test)]
mod tests;
mod update;
mod vector_input;
mod whitening;
mod workers;

pub use config::{RENAMED_SETTINGS, TrainConfig};
pub use constant::{ConstantColumn, constant_columns};
pub use directory::claim_directory;
pub use error::TrainError;
pub use evaluate::log_prob;
pub use initial_model::initial_model;
pub use input::Dequantization;
pub use instructions::Instructions;
pub use lock::DirectoryLock;
pub use optimizer::OptimizerConfig;
pub use progress::{EpochRecord, Progress, StepReport};
pub use ratio::{RatioReport, train_ratio};
pub use ratio_config::RatioConfig;
pub use run::{Options, Summary, run, run_against};
pub use sensor::Sensor;
pub use smoothing::Smoothing;
