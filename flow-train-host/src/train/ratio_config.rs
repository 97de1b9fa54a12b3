//! Settings of a ratio net.

use super::optimizer::OptimizerConfig;
use crate::perturb;
use serde::{Deserialize, Serialize};

/// Settings of a ratio net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatioConfig {
    /// Optimizer steps.
    pub steps: u64,
    /// Benign images of an optimizer step; as many negatives come with them.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f32,
    /// Families that negatives are drawn from, of those of [`perturb`](crate::perturb).
    pub families: Vec<String>,
}

impl Default for RatioConfig {
    fn default() -> Self {
        Self {
            steps: 4000,
            batch: 96,
            learning_rate: 3e-3,
            families: perturb::trained_families().map(str::to_owned).collect(),
        }
    }
}

impl RatioConfig {
    /// The optimizer's settings.
    pub(super) fn optimizer(&self) -> OptimizerConfig {
        OptimizerConfig {
            learning_rate: self.learning_rate,
            warmup_steps: 100,
            clip_norm: 5.0,
            ema_decay: 0.99,
            ..OptimizerConfig::default()
        }
    }

    /// What is wrong with the numbers, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let known = |f: &String| perturb::is_image_family(f);
        if self.steps == 0 || self.batch == 0 {
            return Some("ratio: steps and batch must be at least 1");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Some("ratio: learning_rate must be positive");
        }
        let named = !self.families.is_empty() && self.families.iter().all(known);
        (!named).then_some("ratio: families names a family that there is not, or none")
    }
}
