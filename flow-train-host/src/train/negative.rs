//! Negative training: a flow that also learns what must not be likely (appendix B of the paper).
//!
//! L = (mean over the batch of -log_prob + mean over the negative items above the threshold of log_prob) / 2; where none
//! is above, the first mean alone. Without the threshold the second mean would fall without end and pull all else along.

use super::config::TrainConfig;
use super::directory::Given;
use super::error::TrainError;
use super::evaluate::check_data;
use super::noise::{Noise, Purpose};
use super::workers::{Batch, Workers};
use crate::data::Dataset;
use crate::nn::Weights;
use crate::perturb;

/// The negative data that a config asks to make of its training items, if it does.
pub(super) fn made(
    config: &TrainConfig,
    given: Given<'_>,
    train: &[usize],
) -> Result<Option<Dataset>, TrainError> {
    if config.negative_families.is_empty() {
        return Ok(None);
    }
    match (given.data, given.negative) {
        (Dataset::Images(images), None) => {
            // Of the others a gate may still be calibrated.
            let images = images.pick(train);
            let made = perturb::negatives(&images, &config.negative_families, config.seed, 0.0);
            Ok(Some(Dataset::Images(made)))
        }
        (Dataset::Vectors(_), None) => {
            Err(TrainError::Config("negative_families are made of images"))
        }
        (_, Some(_)) => Err(TrainError::Config(
            "negative data are given or made of negative_families, not both",
        )),
    }
}

/// Data to be made unlikely.
pub(super) struct Negative<'a> {
    data: &'a Dataset,
    threshold_nats: f64,
}

impl<'a> Negative<'a> {
    /// The negative data of a run, if it has any.
    pub(super) fn new(config: &TrainConfig, given: Given<'a>) -> Result<Option<Self>, TrainError> {
        let (data, threshold_nats) = match (given.negative, config.negative_threshold_nats) {
            (None, None) => return Ok(None),
            (Some(data), Some(threshold_nats)) => (data, threshold_nats),
            _ => {
                return Err(TrainError::Config(
                    "negative data, given or of negative_families, and negative_threshold_nats must be given together",
                ));
            }
        };
        check_data(&config.spec, data).map_err(|error| match error {
            TrainError::Data(wanted, found) => TrainError::Negative(wanted, found),
            other => other,
        })?;
        match data.is_empty() {
            true => Err(TrainError::TooFew(0)),
            false => Ok(Some(Self {
                data,
                threshold_nats,
            })),
        }
    }

    /// Most items of an epoch, which ends with the smaller of the two data sets.
    pub(super) fn most_items(&self, batch: usize) -> usize {
        self.data.len().div_ceil(batch) * batch
    }

    /// The negative items above the threshold among those of a step; `place` is its epoch and number.
    pub(super) fn too_likely(
        &self,
        workers: &Workers<'_>,
        weights: &Weights,
        like: Batch<'_>,
        (seed, [epoch, step], size): (u64, [u64; 2], usize),
    ) -> Vec<usize> {
        let mut noise = Noise::new(seed, Purpose::Shuffle, [epoch, 1]);
        let order = noise.permutation(self.data.len());
        let first = step as usize * size;
        let items = &order[first..order.len().min(first + size)];
        let data = self.data;
        let log_prob = workers.log_prob(
            weights,
            Batch {
                data,
                items,
                ..like
            },
        );
        let both = items.iter().zip(log_prob);
        let above = both.filter(|(_, log_prob)| *log_prob > self.threshold_nats);
        above.map(|(&item, _)| item).collect()
    }

    /// The two halves of the loss, weighted to be divided by the number of the batch's items.
    pub(super) fn halves<'b>(
        &'b self,
        batch: Batch<'b>,
        too_likely: &'b [usize],
    ) -> (Batch<'b>, Option<Batch<'b>>) {
        let share = batch.items.len() as f32 / too_likely.len() as f32;
        let other = Batch {
            data: self.data,
            items: too_likely,
            weight: -0.5 * share,
            ..batch
        };
        let weight = 0.5;
        (Batch { weight, ..batch }, Some(other))
    }
}
