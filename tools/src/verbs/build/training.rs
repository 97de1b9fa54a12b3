//! Training that ends where it gains nothing more.

use super::models::{Crew, interrupted};
use crate::provenance;
use anyhow::Result;
use flow_train_host::data::Dataset;
use flow_train_host::export::provenance::Provenance;
use flow_train_host::files::one_line;
use flow_train_host::train::{self, EpochRecord, Options, Progress, StepReport, TrainConfig};
use indicatif::ProgressBar;
use std::fmt::{self, Display, Formatter};
use std::ops::ControlFlow;
use std::path::Path;

/// Epochs without a gain after which training ends.
const PATIENCE: usize = 8;
/// Less than this, in bits per dim, is no gain.
const LEAST_GAIN: f64 = 0.002;
/// Optimizer steps that a run has, about.
const STEPS: usize = 4000;
/// ... where the vectors are smoothed: so many an input, within bounds.
const STEPS_OF_AN_INPUT: usize = 4;
const STEPS_SMOOTHED: [usize; 2] = [1000, 2000];
/// Steps of an epoch, at least: few inputs are learned in small batches.
const STEPS_OF_AN_EPOCH: usize = 24;
const FEWEST_EPOCHS: usize = 10;
const MOST_EPOCHS: usize = 150;

/// Batch and epochs that suit so many inputs.
pub(super) fn suit(config: &mut TrainConfig, items: usize) {
    config.batch = config.batch.min((items / STEPS_OF_AN_EPOCH).max(4));
    config.micro_batches = config.micro_batches.min(config.batch);
    let steps = (items / config.batch).max(1);
    let wanted = match config.smoothing {
        Some(_) => {
            let [least, most] = STEPS_SMOOTHED;
            (STEPS_OF_AN_INPUT * items).clamp(least, most)
        }
        None => STEPS,
    };
    config.epochs = (wanted / steps).clamp(FEWEST_EPOCHS, MOST_EPOCHS) as u64;
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trained {
    epochs: usize,
    bits_per_dim: f64,
}

impl Trained {
    fn of(history: &[f64]) -> Self {
        Self {
            epochs: history.len(),
            bits_per_dim: history.iter().copied().fold(f64::NAN, f64::min),
        }
    }
}

impl Display for Trained {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (epochs, bits) = (self.epochs, self.bits_per_dim);
        write!(
            f,
            "{bits:.4} bits/dim on the validation inputs after {epochs} epochs"
        )
    }
}

/// Trains, or goes on with a run.
pub(super) fn run(
    config: &TrainConfig,
    data: &Dataset,
    run: &Path,
    provenance: Provenance,
    (name, crew): (&str, &Crew),
) -> Result<Trained> {
    // A run that ended before its first checkpoint is begun anew.
    let begun = run.join("checkpoint.safetensors").exists();
    let patience = patience(config);
    if begun && ended(&history(run), patience) {
        return Ok(Trained::of(&history(run)));
    }
    let mut watch = Watch {
        run,
        provenance: Some(provenance),
        name,
        bar: crew.bar(config.epochs as usize, name),
        crew,
        patience,
        ended: false,
        failed: None,
    };
    let options = Options {
        threads: crew.threads,
        resume: begun,
    };
    let outcome = train::run(config, data, run, options, &mut watch);
    watch.bar.finish_and_clear();
    let (ended, failed) = (watch.ended, watch.failed);
    if let Some(error) = failed {
        return Err(error);
    }
    if crew.is_ended() || !outcome?.finished && !ended {
        return Err(interrupted(one_line(run)));
    }
    Ok(Trained::of(&history(run)))
}

struct Watch<'r> {
    run: &'r Path,
    provenance: Option<Provenance>,
    name: &'r str,
    bar: ProgressBar,
    crew: &'r Crew,
    patience: usize,
    ended: bool,
    failed: Option<anyhow::Error>,
}

impl Progress for Watch<'_> {
    fn step(&mut self, report: &StepReport) -> ControlFlow<()> {
        self.bar.set_position(report.epoch - 1);
        self.bar.set_message(format!(
            "{}, {:.4} bits/dim",
            self.name, report.bits_per_dim
        ));
        let saved = self
            .provenance
            .take()
            .map(|p| provenance::save(self.run, &p));
        match saved {
            Some(Err(error)) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
            _ if self.crew.is_ended() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) -> ControlFlow<()> {
        self.bar.set_position(record.epoch);
        self.ended = ended(&history(self.run), self.patience);
        match self.ended {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// The best validation of a run.
pub(super) fn bits_per_dim(run: &Path) -> f64 {
    Trained::of(&history(run)).bits_per_dim
}

/// Validation of every epoch so far, as the run's log has it: also those before an interruption.
fn history(run: &Path) -> Vec<f64> {
    let log = std::fs::read_to_string(run.join("log.csv")).unwrap_or_default();
    let lines = log.lines().skip(1);
    lines
        .filter_map(|line| line.split(',').nth(3)?.parse().ok())
        .collect()
}

/// Smoothed vectors are learned until the rate has fallen: the few that validate say little of when to end.
fn patience(config: &TrainConfig) -> usize {
    match config.smoothing {
        Some(_) => config.epochs as usize,
        None => PATIENCE,
    }
}

/// Whether the last epochs have gained nothing.
fn ended(history: &[f64], patience: usize) -> bool {
    let (mut best, mut at) = (f64::INFINITY, 0);
    for (epoch, &bits) in history.iter().enumerate() {
        if bits < best - LEAST_GAIN {
            (best, at) = (bits, epoch);
        }
    }
    history.len() > at + patience
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_ends_when_nothing_is_gained() {
        let ended = |history: &[f64]| ended(history, PATIENCE);
        assert!(!ended(&[]));
        let falling: Vec<f64> = (0..40).map(|i| 5.0 - 0.01 * f64::from(i)).collect();
        assert!(!ended(&falling));
        let flat = [5.0; 1 + PATIENCE];
        assert!(ended(&flat));
        assert!(!ended(&flat[1..]));
        let late = [&flat[1..], &[4.9]].concat();
        assert!(!ended(&late));
    }

    #[test]
    fn what_came_of_it_is_the_best_of_all_epochs() {
        let trained = Trained::of(&[5.0, 4.25, 4.5]);
        let said = "4.2500 bits/dim on the validation inputs after 3 epochs";
        assert_eq!(trained.to_string(), said);
    }
}
