//! Small models for every comparison: trainer, engine and boards against the reference.
//!
//! Weights are random but well scaled: every activation has both signs, every conditioner's answer depends on what it
//! reads, and no latent leaves the range that trained models have. A model at its initial zeros would pass with any
//! conditioner; one of large random weights amplifies the last bit of f32 beyond every tolerance.

mod build;
mod combinations;
mod data;
mod kernels;
mod table;
mod weights;

pub use build::{coupling, image, level, vector, whitened};
pub use combinations::single_couplings;
pub use data::{random_bytes, random_data};
pub use kernels::{KernelModel, kernel_models};
pub use table::small_models;
pub use weights::random_model;

use flow_infer::spec::ScaleMap;
use flow_train_host::model::Model;

/// The scale maps that only other libraries' checkpoints have.
const LIBRARY_MAPS: [ScaleMap; 4] = [
    ScaleMap::SigmoidInverse { offset: 2.0 },
    ScaleMap::Softplus {
        floor: 0.001,
        most: 3.0,
    },
    ScaleMap::AtanBound,
    ScaleMap::SoftsignBound,
];

/// A model with the name that tests print and its numbers are drawn from.
#[derive(Clone, Debug)]
pub struct NamedModel {
    /// Lower case, underscores.
    pub name: String,
    /// The model.
    pub model: Model,
}

impl NamedModel {
    /// The model of this name and architecture, its weights drawn from a stream of their own.
    ///
    /// # Panics
    /// If the spec is inconsistent.
    pub fn random(name: impl Into<String>, spec: flow_infer::spec::FlowSpec) -> Self {
        let name = name.into();
        let mut random = crate::random::SplitMix64::named(&name);
        let model = match random_model(spec, &mut random) {
            Ok(model) => model,
            Err(error) => panic!("{name}: {error}"),
        };
        Self { name, model }
    }
}
