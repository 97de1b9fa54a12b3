//! The trainer's steps and gradients on one batch, and the reference's loss of the same batch.

use crate::implementations::{item, random_dataset};
use crate::random::SplitMix64;
use flow_reference::{dequantize, evaluate};
use flow_train_host::data::Dataset;
use flow_train_host::model::Model;
use flow_train_host::train::bench::{Given, Trainer, with_trainer};
use flow_train_host::train::{Instructions, OptimizerConfig, TrainConfig, TrainError};

/// Threads of a trainer: more than one, so that groups meet at the gradient.
const THREADS: usize = 2;
/// Groups that a batch is cut into, at least.
const GROUPS: usize = 4;

/// A batch with its dequantization noise.
#[derive(Clone, Debug)]
pub struct Batch {
    model: Model,
    config: TrainConfig,
    data: Dataset,
    /// In [0, 1), items x D.
    noise: Vec<f32>,
}

impl Batch {
    /// Random inputs that the model reads.
    pub fn random(model: &Model, count: usize, random: &mut SplitMix64) -> Self {
        let data = random_dataset(model, count, random);
        let noise = (0..count * data.dims()).map(|_| random.uniform() as f32);
        let mut config = TrainConfig::new(model.spec().clone());
        config.micro_batches = GROUPS;
        config.optimizer = OptimizerConfig {
            learning_rate: 1e-4,
            ..OptimizerConfig::default()
        };
        Self {
            noise: noise.collect(),
            model: model.clone(),
            config,
            data,
        }
    }

    /// Lets `act` take steps from the model.
    ///
    /// # Errors
    /// The trainer declines the model.
    pub fn with_trainer<R>(
        &self,
        instructions: Instructions,
        act: impl FnOnce(&mut Trainer<'_>) -> R,
    ) -> Result<R, TrainError> {
        let given = Given {
            config: &self.config,
            model: self.model.clone(),
            data: &self.data,
            noise: &self.noise,
            threads: THREADS,
            instructions,
        };
        with_trainer(given, act)
    }

    /// The mean of -log_prob over the batch by the reference, in nats; of a model with other
    /// weights.
    pub fn loss_by_reference(&self, model: &Model) -> f64 {
        let of_item = |i| -evaluate(model, &self.item(i)).log_prob_nats;
        (0..self.data.len()).map(of_item).sum::<f64>() / self.data.len() as f64
    }

    fn item(&self, i: usize) -> Vec<f64> {
        match &self.data {
            Dataset::Images(images) => {
                let dims = images.dims();
                let noise = self.noise[i * dims..][..dims].iter().map(|&u| u.into());
                dequantize(images.get(i), &noise.collect::<Vec<f64>>())
            }
            Dataset::Vectors(_) => item(&self.data, i),
        }
    }
}
