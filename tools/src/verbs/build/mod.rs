//! `flowgate build`: from own data to a gate and a report, stage by stage.
//!
//! A stage is what the verb of its name does. What a stage was made from is kept beside its results, so that a second
//! run repeats only what has changed, and goes on where the first was interrupted.

mod budget;
mod data;
mod fit;
mod folds;
mod look;
mod models;
mod parts;
mod recipe;
mod shape;
mod split;
mod stages;
mod starts;
mod state;
mod together;
mod training;

use crate::inputs;
use crate::number::bytes;
use crate::output::Output;
use crate::place;
use crate::reading::Reading;
use crate::verbs::calibrate::PromiseName;
use crate::{ratio, sensor};
use anyhow::Result;
use budget::Budget;
use clap::builder::PossibleValuesParser;
use flow_train_host::families::Family;
use flow_train_host::files::one_line;
use state::State;
use std::io::Write;
use std::path::PathBuf;

/// Make a gate of own data: look at them, split, train, quantize, calibrate, evaluate, test
#[derive(clap::Args)]
#[command(
    after_help = "DIR/gate.flow is what a board runs, DIR/report/index.html what it decides. The same command goes on \
    where it was interrupted, and does nothing where nothing has changed.\n\n\
    Example:\n  flowgate build --data photographs --ood broken=scratched --out own"
)]
pub(crate) struct Args {
    /// Own data: what the gate shall accept
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Directory of the gate, the report and everything in between
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Foreign data under a name, to measure how much of it is rejected; may be given several times
    #[arg(long, value_name = "NAME=PATH", value_parser = inputs::named_path)]
    ood: Vec<(String, PathBuf)>,
    #[command(flatten)]
    reading: Reading,
    /// What belongs together and is never both learned and tested: N stretches in time, `folders`, the column of a table
    /// that names user, site or day, or `none`; by default what names and order suggest
    #[arg(long, value_name = "N|folders|COLUMN|none", value_parser = together::choice)]
    blocks: Option<together::Choice>,
    /// Folds that what trains is cut into, each held out of a model of the others, so that all of it sets the gate; by
    /// default 5 of up to 2,000 inputs, or of up to 5,000 in blocks, and none of more
    #[arg(long, value_name = "N|none", value_parser = folds::choice)]
    folds: Option<folds::Choice>,
    /// Family of architectures (`flowgate presets`); by default vector for vectors, dense for up to 5,000 pictures of
    /// any size, and realnvp for more
    #[arg(long, value_name = "NAME",
          value_parser = PossibleValuesParser::new(Family::ALL.map(Family::name)))]
    preset: Option<String>,
    #[command(flatten)]
    budget: Budget,
    /// Bound on the false-alarm rate
    #[arg(long, value_name = "RATE", default_value = "0.01", value_parser = rate)]
    alpha: f64,
    /// What is promised, instead of the strongest that the blocks can give; with what else is as before, a build that is
    /// done only calibrates and evaluates anew
    #[arg(long, value_name = "NAME")]
    promise: Option<PromiseName>,
    /// Most passes over the training data; training ends before where it gains nothing more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// The sensor that training images pass through: off, default, or parts of one as noise=2,black-level=4
    /// (unchanged, shift, blur, gain, black-level, noise)
    #[arg(long, value_name = "SENSOR", value_parser = sensor::choice)]
    sensor: Option<sensor::Choice>,
    /// The ratio net, a second opinion beside the flow: off, default, or its optimizer steps
    #[arg(long, value_name = "STEPS", value_parser = ratio::choice)]
    ratio: Option<ratio::Choice>,
    /// Seed of the split, of weights, order and noise
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Go on with a build; without, one is begun where there is none
    #[arg(long)]
    resume: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (1e-6..1.0).contains(&rate) => Ok(rate),
        _ => Err("a rate lies between 0 and 1, and is at least 0.000001".to_owned()),
    }
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let time = self.budget.time().map_err(anyhow::Error::msg)?;
        place::directory(&self.out)?;
        let mut state = State::open(&self.out, self.resume)?;
        let mut worked = self.prepare(&mut state, out)?;
        worked |= self.foreign(&mut state)?;
        let (run, trained) = self.train(&mut state, time, out)?;
        worked |= trained;
        worked |= self.finish(&run, &mut state, out)?;
        let gate = one_line(&self.gate()).to_string();
        let flash = std::fs::metadata(self.gate()).map_or(0, |file| file.len());
        match worked {
            true => writeln!(out, "\n{gate}: {}", bytes(flash))?,
            false => writeln!(out, "nothing has changed: {gate}")?,
        }
        Ok(())
    }

    fn gate(&self) -> PathBuf {
        self.out.join("gate.flow")
    }

    fn part(&self, name: &str) -> PathBuf {
        self.out.join("data").join(format!("{name}.npy"))
    }

    fn alpha_ppm(&self) -> u32 {
        (self.alpha * 1e6).round() as u32
    }
}

/// What was printed so far is read now, not at the end of the next stage.
fn heading(what: &str, out: &mut Output) -> Result<()> {
    writeln!(out, "\n{what}")?;
    Ok(out.flush()?)
}
