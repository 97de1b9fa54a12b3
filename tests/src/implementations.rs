//! The trainer and the engine, called the same way as the reference: a model, inputs, numbers.

use crate::models::{random_bytes, random_data};
use crate::random::SplitMix64;
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Arithmetic, Noise, evaluate};
use flow_infer::spec::InputSpec;
use flow_infer::spec::units::nats_from_raw;
use flow_reference::midpoint;
use flow_train_host::data::{Dataset, Images, Vectors};
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::model::Model;

/// Inputs that a model reads, as a data set.
///
/// # Panics
/// If the data set refuses them.
pub fn random_dataset(model: &Model, count: usize, random: &mut SplitMix64) -> Dataset {
    match model.spec().input {
        InputSpec::Image { shape, .. } => {
            let [c, h, w] = [shape.channels, shape.height, shape.width].map(usize::from);
            let bytes = (0..count).flat_map(|_| random_bytes(shape, random));
            Dataset::Images(Images::new(c, h, w, bytes.collect()).expect("images of one size"))
        }
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => {
            let values = (0..count).flat_map(|_| random_data(model, random));
            let values = values.map(|v| v as f32).collect();
            let measured = model.spec().input.measured();
            Dataset::Vectors(Vectors::new(measured, values).expect("vectors of one size"))
        }
    }
}

/// An item of a data set as the reference reads it; images with the midpoint of every byte.
pub fn item(data: &Dataset, index: usize) -> Vec<f64> {
    match data {
        Dataset::Images(images) => midpoint(images.get(index)),
        Dataset::Vectors(vectors) => vectors.get(index).iter().map(|&v| v.into()).collect(),
    }
}

/// What the engine says about one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    /// The latent, image-shaped.
    pub z: Vec<f64>,
    /// ln of the density, in nats.
    pub log_prob_nats: f64,
    /// Whether a latent left its range.
    pub saturated: bool,
}

/// Runs the engine on an item of a data set.
///
/// # Panics
/// If it refuses the input.
pub fn engine<A: Arithmetic>(
    artifact: &Artifact<'_>,
    scratch: &mut HeapScratch<A>,
    input: &[u8],
    noise: Noise<'_>,
) -> Engine {
    let found = evaluate::<A>(artifact, input, noise, scratch.borrow(), &mut ());
    let found = found.unwrap_or_else(|error| panic!("the engine refuses an input: {error}"));
    Engine {
        z: scratch
            .latents()
            .iter()
            .map(|&z| A::latent_value(z))
            .collect(),
        log_prob_nats: nats_from_raw(found.log_prob_raw),
        saturated: found.saturated,
    }
}
