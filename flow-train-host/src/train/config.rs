//! Everything that determines a run, but for the data: with the same data and config the weights
//! are the same bits on the same kind of processor, however many threads there are.

use super::input::Dequantization;
use super::optimizer::OptimizerConfig;
use super::ratio_config::RatioConfig;
use super::sensor::Sensor;
use super::smoothing::Smoothing;
use crate::front_end::FrontEnd;
use crate::perturb::is_image_family;
use flow_infer::spec::{FlowSpec, InputSpec};
use serde::{Deserialize, Serialize};

/// Least vectors that are computed together.
const LEAST_VECTORS: usize = 64;

/// Settings of a training run; `--config` reads it as JSON, and the run directory keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The flow.
    pub spec: FlowSpec,
    /// Seed of weights, order and noise.
    pub seed: u64,
    /// Passes over the training items.
    pub epochs: u64,
    /// Items of an optimizer step.
    pub batch: usize,
    /// Least number of groups that a batch of images is cut into; workers share them, and sums run
    /// group by group.
    #[serde(alias = "slices")]
    pub micro_batches: usize,
    /// Fraction of the items, the last ones, that is never trained on and chooses the best weights.
    #[serde(alias = "validation_share")]
    pub validation_fraction: f64,
    /// Steps between checkpoints; there is one after every epoch as well.
    pub checkpoint_steps: u64,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// Negative training: the log_prob_nats below which negative items are left alone.
    ///
    /// L = (mean over the batch of -log_prob + mean over the negative items above the threshold of
    /// log_prob) / 2, and the first mean alone where none is above (appendix B of the paper).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_threshold_nats: Option<f64>,
    /// Negative training on images made of the training images: the families that they are drawn from, of those of
    /// [`perturb`](crate::perturb). One is made of each training image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negative_families: Vec<String>,
    /// The sensor that training images pass through; none: they are taken as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<Sensor>,
    /// What keeps few vectors from being learned by heart; none: they are taken as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoothing: Option<Smoothing>,
    /// A ratio net beside the flow, trained when the flow is; none: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<RatioConfig>,
    /// What turned frames or pictures into the items; the model carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front_end: Option<FrontEnd>,
}

/// Settings that had another name before version 0.2: that one, and the present one. Files with the
/// old names are read until version 0.3.
pub const RENAMED_SETTINGS: [(&str, &str); 4] = [
    ("average_decay", "ema_decay"),
    ("final_share", "final_lr_ratio"),
    ("slices", "micro_batches"),
    ("validation_share", "validation_fraction"),
];

impl TrainConfig {
    /// The usual settings for a flow.
    pub fn new(spec: FlowSpec) -> Self {
        Self {
            spec,
            seed: 0,
            epochs: 10,
            batch: 64,
            micro_batches: 8,
            validation_fraction: 1.0 / 12.0,
            checkpoint_steps: 500,
            optimizer: OptimizerConfig::default(),
            negative_threshold_nats: None,
            negative_families: Vec::new(),
            sensor: None,
            smoothing: None,
            ratio: None,
            front_end: None,
        }
    }

    /// The same flow for few vectors: behind a whitening, and smoothed. Other configurations stay what they are.
    pub fn for_few_vectors(mut self) -> Self {
        if let InputSpec::Vector { dims } = self.spec.input {
            let measured = dims;
            self.spec.input = InputSpec::Whitened { measured, dims };
            self.smoothing = Some(Smoothing::STEPS);
        }
        self
    }

    /// Most samples that a worker computes together, of batches of this many.
    ///
    /// Vectors have one pixel each: with fewer of them side by side, reading the weights would take
    /// longer than multiplying by them.
    pub(super) fn samples_per_group(&self, batch: usize) -> usize {
        let slice = batch.div_ceil(self.micro_batches);
        match self.spec.input {
            InputSpec::Image { .. } => slice,
            InputSpec::Vector { .. } | InputSpec::Whitened { .. } => {
                slice.max(LEAST_VECTORS.min(batch))
            }
        }
    }

    /// The noise of validation, one for all epochs.
    ///
    /// Not the midpoint: a flow that learns from noise never sees the flat areas that midpoints
    /// make of a background, and what it says of them can grow worse (3.39 to 3.57 bits per dim
    /// from epoch 2 to 6 of a `fashion-tiny`) while it learns.
    pub(super) fn validation_noise(&self) -> Dequantization<'static> {
        let (seed, draw) = (self.seed, 0);
        Dequantization::Drawn { seed, draw }
    }

    /// What is wrong with the numbers, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let o = &self.optimizer;
        let wrong = [
            (self.epochs == 0, "epochs must be at least 1"),
            (self.batch == 0, "batch must be at least 1"),
            (self.micro_batches == 0, "micro_batches must be at least 1"),
            (
                self.checkpoint_steps == 0,
                "checkpoint_steps must be at least 1",
            ),
            (
                !(0.0..1.0).contains(&self.validation_fraction),
                "validation_fraction must lie in [0, 1)",
            ),
            (!positive(o.learning_rate), "learning_rate must be positive"),
            (
                !(0.0..=1.0).contains(&o.final_lr_ratio),
                "final_lr_ratio must lie in [0, 1]",
            ),
            (!(0.0..1.0).contains(&o.beta1), "beta1 must lie in [0, 1)"),
            (!(0.0..1.0).contains(&o.beta2), "beta2 must lie in [0, 1)"),
            (!positive(o.epsilon), "epsilon must be positive"),
            (!positive(o.clip_norm), "clip_norm must be positive"),
            (
                !(o.weight_decay >= 0.0 && o.weight_decay.is_finite()),
                "weight_decay must not be negative",
            ),
            (
                !(0.0..1.0).contains(&o.ema_decay),
                "ema_decay must lie in [0, 1)",
            ),
            (
                !self.negative_families.iter().all(|f| is_image_family(f)),
                "negative_families names a family that there is not",
            ),
            (
                self.negative_threshold_nats.is_some_and(|c| !c.is_finite()),
                "negative_threshold_nats must be finite",
            ),
        ];
        let found = wrong.into_iter().find(|(wrong, _)| *wrong);
        let of_images = matches!(self.spec.input, InputSpec::Image { .. });
        let of_sensor = self.sensor.and_then(|sensor| match of_images {
            true => sensor.problem(),
            false => Some("a sensor is for images"),
        });
        let of_ratio = self.ratio.as_ref().and_then(|ratio| match of_images {
            true => ratio.problem(),
            false => Some("a ratio net is for images"),
        });
        let of_smoothing = self.smoothing.and_then(|smoothing| match of_images {
            true => Some("smoothing is for vectors"),
            false => smoothing.problem(),
        });
        let found = found.map(|(_, what)| what);
        found.or(of_sensor).or(of_ratio).or(of_smoothing)
    }
}

fn positive(value: f32) -> bool {
    value > 0.0 && value.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_under_their_old_names() {
        let mut config = crate::presets::preset("fashion-tiny", 0).unwrap();
        (config.micro_batches, config.validation_fraction) = (3, 0.25);
        (config.optimizer.ema_decay, config.optimizer.final_lr_ratio) = (0.5, 0.125);
        let mut json = serde_json::to_string(&config).unwrap();
        for (old, new) in RENAMED_SETTINGS {
            assert!(json.contains(new), "{new}");
            json = json.replace(new, old);
        }
        assert_eq!(serde_json::from_str::<TrainConfig>(&json).unwrap(), config);
    }
}
