//! From a batch's gradient to new weights: the second half of an optimizer step.

use super::network::Network;
use super::optimizer::{Along, Optimizer, OptimizerConfig, norm};
use crate::nn::{Numbers, Weights};
use rayon::ThreadPool;

/// What every update of a run shares.
#[derive(Clone, Copy)]
pub(super) struct Update<'a> {
    pub(super) network: &'a Network,
    pub(super) pool: &'a ThreadPool,
    pub(super) config: &'a OptimizerConfig,
}

impl Update<'_> {
    /// Norm of the gradient after multiplication by `scale`.
    pub(super) fn norm(&self, gradient: &Numbers, scale: f64) -> f64 {
        self.pool.install(|| norm(self.network.cpu(), gradient)) * scale
    }

    /// One step along a gradient to be multiplied by `scale`, shortened to the longest allowed
    /// norm.
    pub(super) fn apply(
        &self,
        gradient: &Numbers,
        (scale, norm): (f64, f64),
        learning_rate: f32,
        optimizer: &mut Optimizer,
        weights: &mut Weights,
    ) {
        let clip = (f64::from(self.config.clip_norm) / norm).min(1.0);
        let along = Along {
            gradient,
            scale: (scale * clip) as f32,
            learning_rate,
        };
        let decayed = self.network.decayed();
        self.pool.install(|| {
            let (cpu, numbers) = (self.network.cpu(), &mut weights.numbers);
            optimizer.step(cpu, self.config, along, &decayed, numbers);
            self.network.update_backward(weights);
        });
    }
}
