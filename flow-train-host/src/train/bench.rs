//! Optimizer steps on their own, for measuring them: no epochs, no files, one batch with noise that
//! the caller gives.
//!
//! With the same weights, batch and noise another implementation must find the same losses, step
//! after step; only then does it mean anything that one of the two is faster. Everything that
//! computes is what [`run`](super::run()) uses.

use super::config::TrainConfig;
use super::error::TrainError;
use super::evaluate::check_data;
use super::input::{self, Dequantization, DequantizationNoise};
use super::instructions::Instructions;
use super::network::Network;
use super::optimizer::Optimizer;
use super::update::Update;
use super::workers::{Batch, Workers, pool};
use crate::data::{Dataset, Images};
use crate::model::{Model, Tensor};
use crate::nn::Weights;
use std::collections::BTreeMap;

/// What is trained: all items are one batch, the same in every step.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    /// Flow and optimizer; batch size, epochs and seed are not read.
    pub config: &'a TrainConfig,
    /// First weights; dropped once they are copied, as no training run holds a second set.
    pub model: Model,
    /// The batch.
    pub data: &'a Dataset,
    /// Dequantization noise in [0, 1), items x D; not read for vectors.
    pub noise: &'a [f32],
    /// Worker threads; 0: one a core.
    pub threads: usize,
    /// What to compute with.
    pub instructions: Instructions,
}

/// A trainer between two steps.
pub struct Trainer<'a> {
    update: Update<'a>,
    workers: Workers<'a>,
    weights: Weights,
    optimizer: Optimizer,
    batch: Batch<'a>,
}

/// First weights of a flow, as a run would choose them by looking at these items.
///
/// # Errors
/// [`TrainError`] when the flow cannot be trained or the data do not fit it.
pub fn first_model(config: &TrainConfig, data: &Dataset) -> Result<Model, TrainError> {
    let network = network(config, data, Instructions::default())?;
    let items: Vec<usize> = (0..data.len()).collect();
    let first = network.initial((config.seed, config.sensor.as_ref()), data, &items);
    Ok(Model::new(config.spec.clone(), network.tensors(&first))?)
}

/// Lets `act` take steps.
///
/// # Errors
/// [`TrainError`] when the flow cannot be trained, the data do not fit it, or threads cannot be
/// started.
pub fn with_trainer<R>(
    given: Given<'_>,
    act: impl FnOnce(&mut Trainer<'_>) -> R,
) -> Result<R, TrainError> {
    let network = network(given.config, given.data, given.instructions)?;
    let pool = pool(given.threads)?;
    let numbers = network.parameters(&given.model);
    drop(given.model);
    let weights = network.weights(numbers);
    let items: Vec<usize> = (0..given.data.len()).collect();
    let pixel_noise = match given.data {
        Dataset::Images(_) => Dequantization::Given(given.noise),
        Dataset::Vectors(_) => Dequantization::Midpoint,
    };
    let mut trainer = Trainer {
        update: Update {
            network: &network,
            pool: &pool,
            config: &given.config.optimizer,
        },
        workers: Workers::new(&network, &pool),
        optimizer: Optimizer::new(&weights.numbers),
        weights,
        batch: Batch {
            data: given.data,
            items: &items,
            pixel_noise: DequantizationNoise::Evaluation(pixel_noise),
            weight: 1.0,
        },
    };
    Ok(act(&mut trainer))
}

fn network(
    config: &TrainConfig,
    data: &Dataset,
    instructions: Instructions,
) -> Result<Network, TrainError> {
    config.spec.validate().map_err(TrainError::Spec)?;
    if let Some(problem) = config.problem() {
        return Err(TrainError::Config(problem));
    }
    check_data(&config.spec, data)?;
    let samples_per_group = config.samples_per_group(data.len());
    Ok(Network::new(
        &config.spec,
        samples_per_group,
        instructions.0,
    )?)
}

impl Trainer<'_> {
    /// One optimizer step: pass to the latents, gradients, Adam. Returns the loss before it, in
    /// nats per item.
    pub fn step(&mut self) -> f64 {
        let (batch, update) = (self.batch, self.update);
        let (sum, gradient) = self.workers.gradient(&self.weights, batch, []);
        let scale = 1.0 / (batch.items.len() * batch.data.dims()) as f64;
        let norm = update.norm(gradient, scale);
        let rate = update.config.learning_rate;
        let (optimizer, weights) = (&mut self.optimizer, &mut self.weights);
        update.apply(gradient, (scale, norm), rate, optimizer, weights);
        -sum / batch.items.len() as f64
    }

    /// Gradient of the loss in nats per item, by the names of what is trained: an
    /// `invertible_linear` has `factors`, L below the diagonal, U above it and ln |U_ii| on it.
    /// Nothing is trained of the input's tensors: zeros.
    pub fn gradient(&mut self) -> BTreeMap<String, Tensor> {
        let (_, gradient) = self.workers.gradient(&self.weights, self.batch, []);
        let network = self.update.network;
        let mut flat = network.flatten(gradient);
        let scale = 1.0 / self.batch.items.len() as f32;
        flat.iter_mut().for_each(|g| *g *= scale);
        network.layout().trained(&flat)
    }

    /// log_prob_nats of every item, as an evaluation computes it.
    pub fn log_prob(&self) -> Vec<f64> {
        self.workers.log_prob(&self.weights, self.batch)
    }

    /// Worker threads.
    pub fn threads(&self) -> usize {
        self.update.pool.current_num_threads()
    }
}

/// Turns all images into first latents, as a training step does on its way, on the calling thread;
/// returns the sum of the log_dets in nats.
pub fn dequantize(images: &Images, logit_margin: f32, seed: u64) -> f64 {
    let mut z = vec![0.0; images.dims()];
    let pixel_noise = DequantizationNoise::Training {
        seed,
        epoch: 0,
        sensor: None,
    };
    let of_item = |item| input::image(images.get(item), item, pixel_noise, logit_margin, &mut z);
    (0..images.len()).map(of_item).sum()
}
