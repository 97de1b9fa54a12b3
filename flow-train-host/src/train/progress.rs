//! What a run tells while it goes on; the library prints nothing.

use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// After an optimizer step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Epoch, counted from 1.
    pub epoch: u64,
    /// Epochs of the run.
    pub epochs: u64,
    /// Step of the epoch, counted from 1.
    pub step: u64,
    /// Steps of an epoch.
    pub steps: u64,
    /// Mean negative log_prob of the batch, in nats per item.
    pub loss_nats: f64,
    /// `loss_nats` in bits per dim.
    pub bits_per_dim: f64,
    /// Norm of the gradient of the loss in nats per dim, before clipping.
    pub gradient_norm: f64,
    /// Items trained on per second, since this process started or resumed the run.
    pub items_per_second: f64,
    /// Estimated seconds to the end of the run.
    pub seconds_left: f64,
}

/// After an epoch: a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, counted from 1.
    pub epoch: u64,
    /// Optimizer steps since the start of the run.
    pub steps: u64,
    /// Mean over the epoch's batches, noise drawn.
    pub train_bits_per_dim: f64,
    /// Averaged weights on the validation items, with the same noise after every epoch; of training
    /// items if there are none.
    pub validation_bits_per_dim: f64,
    /// Whether these are the best weights so far, or the last of a negative training: those in
    /// `model.safetensors`.
    pub best: bool,
    /// Items per second of the training steps.
    pub items_per_second: f64,
    /// Share of the epoch's time outside of training steps: validation and files.
    pub other_share: f64,
}

/// Receives reports. Breaking stops the run after writing a checkpoint.
pub trait Progress {
    /// After every optimizer step.
    fn step(&mut self, report: &StepReport) -> ControlFlow<()> {
        let _ = report;
        ControlFlow::Continue(())
    }

    /// After every epoch.
    fn epoch(&mut self, record: &EpochRecord) -> ControlFlow<()> {
        let _ = record;
        ControlFlow::Continue(())
    }
}

/// Says nothing.
impl Progress for () {}
