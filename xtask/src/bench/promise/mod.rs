//! `cargo xtask bench promise`: what gates promise of simulated streams, beside theory.
//!
//! `stream` makes scores and gates of them; `thresholds` measures calibration, `rate` the long-run rate of false alarms,
//! `alarms` false alarms and delays of the three alarms. What they should give comes from `theory`, which knows their
//! definitions and none of their code. `measured` puts both side by side.

mod alarms;
mod measured;
mod rate;
mod stream;
mod theory;
mod thresholds;

use crate::side_by_side::side_by_side;
use crate::{CheckFailed, process, repo};
use anyhow::{Context, Result};
use clap::Args;
use flowgate::date;
use flowgate::output::Output;
use measured::{Measured, Summary};
use std::fs;

/// Calibration scores of the gates before which streams run.
const SAMPLES: usize = 2000;
const ALPHA_PPM: u32 = 10_000;

/// Simulate streams that stand still, drift and jump: false alarms and delays of thresholds and alarms, beside theory.
///
/// Example: cargo xtask bench promise --seeds 5 --record
#[derive(Args)]
pub(crate) struct Promise {
    /// Simulations of each kind; their seeds are 1, 2, ...
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Inputs of a stream.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(100_000..))]
    inputs: u32,
    /// Write the table to records/streams.md.
    #[arg(long)]
    record: bool,
}

impl Promise {
    pub(super) fn run(&self) -> Result<()> {
        let seeds: Vec<u64> = (1..=self.seeds).collect();
        let measured = side_by_side(&seeds, |&seed| self.simulate(seed))?;
        let summaries = Summary::of_seeds(&measured);
        let table = measured::table(&summaries);
        table.print(&mut Output::stdout())?;
        println!(
            "\nOf {} seeds: the mean, and from the least to the greatest.",
            self.seeds
        );
        if let Some(broken) = summaries.iter().find(|summary| !summary.is_kept()) {
            return Err(CheckFailed(format!("{}: not what theory says", broken.what())).into());
        }
        match self.record {
            true => self.write(&table.markdown()),
            false => Ok(()),
        }
    }

    fn simulate(&self, seed: u64) -> Result<Vec<Measured>> {
        let parts = [
            thresholds::measure(seed)?,
            rate::measure(seed, self.inputs)?,
            alarms::measure(seed, self.inputs)?,
        ];
        Ok(parts.concat())
    }

    fn write(&self, table: &str) -> Result<()> {
        let path = repo::root().join("records/streams.md");
        let text = format!(
            "# Gates on streams: simulations against theory\n\nWritten by `cargo xtask bench promise --seeds {} --inputs {} \
             --record` on {}: {}. Of as many seeds the mean, and from the least to the greatest.\n\n{ABOUT}\n{table}\n{AFTER}",
            self.seeds,
            self.inputs,
            date::today(),
            process::version("rustc")?,
        );
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("written: {}", path.display());
        Ok(())
    }
}

/// What was simulated.
const ABOUT: &str = "\
Scores are normal with a deviation of one nat; a gate is calibrated on 2,000 of them at 1 %. Thresholds, alarms and
calibrations are the product's own (`AdaptiveThreshold`, `HoldAlarm`, `SequenceAlarm`, `DriftAlarm` as a board runs them,
`flow_train_host::calibrate`); theory is computed from their definitions beside them. The drift is two slow waves of 1.5
deviations. Jumps: the scores of benign inputs fall by one deviation at once and rise again, twenty times. Foreign scenes:
forty stretches of 500 inputs that score five deviations lower. The command fails where a figure is not what theory says.
";

/// What the figures say.
const AFTER: &str = "\
* **Blocks**: the mean over new blocks is kept by `new-blocks` alone; `each-block` says for how many of them the rate holds,
  and the unlucky one may have much more. A threshold of single inputs keeps neither.
* **The adaptive threshold** keeps the long-run rate whatever drifts, and a foreign scene does not move it. A benign change
  so great that it raises the alarm is a foreign scene to it: it stays frozen until somebody says otherwise.
* **`SequenceAlarm`** is conservative by far: the calibration's own uncertainty is paid for (Chernoff, one calibration in a
  hundred), and capital that is not wagered rests.
* **`DriftAlarm`** promises a mean time and is conservative, too: no false alarm comes in ten times that. What it costs: half a
  deviation is noticed after some 200 inputs.

## Against nonconform

`FLOWGATE_PYTHON=python cargo test -p flow-tests --test nonconform -- --nocapture` compares thresholds and p-values with the
p-values of PyPI `nonconform` where that Python has it, and says so where it has not. 2026-11-29, nonconform 2.0.0 (Python
3.13): every decision is the one that its p-value makes, of calibrations on 99, 500 and 2,000 inputs, and on 2,000 whose
scores are often the same; the lowest 31 p-values are equal to a millionth; further up, where a file keeps fewer scores, the
device's are larger, by 5 % at most (2,000 different scores), and never smaller.
";
