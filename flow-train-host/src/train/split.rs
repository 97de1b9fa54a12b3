//! Which items a run trains on, and which choose the best weights.

use super::config::TrainConfig;
use super::error::TrainError;

/// Which items are trained on and which validate.
pub(super) struct Split {
    pub(super) train: Vec<usize>,
    pub(super) validate: Vec<usize>,
}

impl Split {
    pub(super) fn new(config: &TrainConfig, count: usize) -> Result<Self, TrainError> {
        let held = (config.validation_fraction * count as f64).round() as usize;
        let wants_one = config.validation_fraction > 0.0;
        if count <= held || (wants_one && held == 0) {
            return Err(TrainError::TooFew(count));
        }
        Ok(Self {
            train: (0..count - held).collect(),
            validate: (count - held..count).collect(),
        })
    }
}
