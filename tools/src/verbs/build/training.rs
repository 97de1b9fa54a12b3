//! Training that ends where it gains nothing more.

use crate::failure::CheckFailed;
use crate::output::Output;
use crate::{interrupt, progress, provenance};
use anyhow::Result;
use flow_train_host::data::Dataset;
use flow_train_host::export::provenance::Provenance;
use flow_train_host::files::one_line;
use flow_train_host::train::{self, EpochRecord, Options, Progress, StepReport, TrainConfig};
use indicatif::ProgressBar;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Epochs without a gain after which training ends.
const PATIENCE: usize = 8;
/// Less than this, in bits per dim, is no gain.
const LEAST_GAIN: f64 = 0.002;
/// Optimizer steps that a run has, about.
const STEPS: usize = 4000;
/// Steps of an epoch, at least: few inputs are learned in small batches.
const STEPS_OF_AN_EPOCH: usize = 24;
const FEWEST_EPOCHS: usize = 10;
const MOST_EPOCHS: usize = 150;

/// Batch and epochs that suit so many inputs.
pub(super) fn suit(config: &mut TrainConfig, items: usize) {
    config.batch = config.batch.min((items / STEPS_OF_AN_EPOCH).max(4));
    config.micro_batches = config.micro_batches.min(config.batch);
    let steps = (items / config.batch).max(1);
    config.epochs = (STEPS / steps).clamp(FEWEST_EPOCHS, MOST_EPOCHS) as u64;
}

/// Trains, or goes on with a run.
pub(super) fn run(
    config: &TrainConfig,
    data: &Dataset,
    run: &Path,
    provenance: Provenance,
    out: &mut Output,
) -> Result<()> {
    // A run that ended before its first checkpoint is begun anew.
    let begun = run.join("checkpoint.safetensors").exists();
    if begun && ended(&history(run)) {
        return Ok(());
    }
    let bar = progress::bar(config.epochs as usize, "training");
    let mut watch = Watch {
        run,
        provenance: Some(provenance),
        bar,
        interrupted: interrupt::flag(),
        ended: false,
        failed: None,
    };
    let options = Options {
        threads: 0,
        resume: begun,
    };
    let outcome = train::run(config, data, run, options, &mut watch);
    // From here on, being asked once is enough: what a later stage writes, it writes as a whole.
    watch.bar.finish_and_clear();
    let asked = watch.interrupted.swap(true, Ordering::Relaxed);
    let (ended, failed) = (watch.ended, watch.failed);
    if let Some(error) = failed {
        return Err(error);
    }
    let summary = outcome?;
    if asked || !summary.finished && !ended {
        let place = one_line(run).to_string();
        return Err(CheckFailed(format!("{place}: interrupted; the same command goes on")).into());
    }
    let best = summary.best_bits_per_dim.unwrap_or(f64::NAN);
    let epochs = summary.records.len();
    Ok(writeln!(
        out,
        "\ntrained for {epochs} epochs: {best:.4} bits/dim on the validation inputs"
    )?)
}

struct Watch<'r> {
    run: &'r Path,
    provenance: Option<Provenance>,
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
    ended: bool,
    failed: Option<anyhow::Error>,
}

impl Progress for Watch<'_> {
    fn step(&mut self, report: &StepReport) -> ControlFlow<()> {
        self.bar.set_position(report.epoch - 1);
        self.bar
            .set_message(format!("training, {:.4} bits/dim", report.bits_per_dim));
        let saved = self
            .provenance
            .take()
            .map(|p| provenance::save(self.run, &p));
        match saved {
            Some(Err(error)) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
            _ if self.interrupted.load(Ordering::Relaxed) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) -> ControlFlow<()> {
        self.bar.set_position(record.epoch);
        self.ended = ended(&history(self.run));
        match self.ended {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// Validation of every epoch so far, as the run's log has it: also those before an interruption.
fn history(run: &Path) -> Vec<f64> {
    let log = std::fs::read_to_string(run.join("log.csv")).unwrap_or_default();
    let lines = log.lines().skip(1);
    lines
        .filter_map(|line| line.split(',').nth(3)?.parse().ok())
        .collect()
}

/// Whether the last epochs have gained nothing.
fn ended(history: &[f64]) -> bool {
    let (mut best, mut at) = (f64::INFINITY, 0);
    for (epoch, &bits) in history.iter().enumerate() {
        if bits < best - LEAST_GAIN {
            (best, at) = (bits, epoch);
        }
    }
    history.len() > at + PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_ends_when_nothing_is_gained() {
        assert!(!ended(&[]));
        let falling: Vec<f64> = (0..40).map(|i| 5.0 - 0.01 * f64::from(i)).collect();
        assert!(!ended(&falling));
        let flat = [5.0; 1 + PATIENCE];
        assert!(ended(&flat));
        assert!(!ended(&flat[1..]));
        let late = [&flat[1..], &[4.9]].concat();
        assert!(!ended(&late));
    }
}
