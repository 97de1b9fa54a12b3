//! `cargo xtask bench steps`: how long the Cortex-M4 computes between two returns of an evaluation in steps.

use super::counter::Counter;
use super::machine::Machine;
use crate::boards::Program;
use crate::inputs::Inputs;
use crate::{CheckFailed, process, repo};
use anyhow::{Context, Result};
use clap::Args;
use flow_train_host::data;
use flowgate::date;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;

/// A step is not longer.
const MOST_INSTRUCTIONS: u64 = 200_000;

/// Steps cost at most so many percent more than one go.
const MOST_PERCENT: u64 = 3;

/// Count the instructions of every step of an evaluation that can be left and resumed, on the emulated Cortex-M4.
#[derive(Args)]
pub(crate) struct Steps {
    /// Write the table to records/steps.md.
    #[arg(long)]
    record: bool,
}

impl Steps {
    /// Every model, without a record.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn check() -> Result<()> {
        Self { record: false }.run()
    }

    /// Counts both committed models and refuses a step that is too long, or steps that cost too much.
    ///
    /// # Errors
    /// A program failed, found another log_prob than the host, or computed too long without returning.
    pub(crate) fn run(&self) -> Result<()> {
        let board = Machine::build_program("m4", Program::Steps)?;
        let counter = Counter::build(std::slice::from_ref(&board))?;
        let [garments, _] = repo::samples();
        let inputs = Inputs::of(&data::load(&garments)?.take(0..1));
        let mut table = Table::new(["model", "in one go", "in steps", "steps", "longest step"]);
        let mut failed = None;
        for model in repo::committed_models() {
            let bytes = fs::read(&model).with_context(|| model.display().to_string())?;
            let marks = counter.marks(&board, &bytes, &inputs)?;
            let between: Vec<u64> = marks.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (in_one_go, steps) = between.split_first().context("no marks")?;
            let longest = steps.iter().copied().max().unwrap_or(0);
            let sum: u64 = steps.iter().sum();
            let name = model.file_stem().unwrap_or_default().to_string_lossy();
            table.row([
                name.into_owned(),
                in_one_go.to_string(),
                sum.to_string(),
                // The first one is the beginning.
                steps.len().saturating_sub(1).to_string(),
                longest.to_string(),
            ]);
            if longest > MOST_INSTRUCTIONS {
                failed = Some(format!(
                    "a step takes {longest} instructions, more than {MOST_INSTRUCTIONS}"
                ));
            }
            if 100 * sum > (100 + MOST_PERCENT) * in_one_go {
                failed = Some(format!(
                    "steps cost more than {MOST_PERCENT} % more than one go"
                ));
            }
        }
        table.print(&mut Output::stdout())?;
        match failed {
            Some(cause) => Err(CheckFailed(cause).into()),
            None if self.record => record(&table),
            None => Ok(()),
        }
    }
}

fn record(table: &Table) -> Result<()> {
    let path = repo::root().join("records/steps.md");
    let text = format!(
        "# Steps of an evaluation\n\nWritten by `cargo xtask bench steps --record` on {}: {}.\n\nInstructions of the \
         emulated Cortex-M4 for all scores of one garment: flow, code length and tests, in one go and in steps \
         (`Evaluation::poll(1)`), after each of which a program may do something else.\n\n{}",
        date::today(),
        process::version("rustc")?,
        table.markdown(),
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("written: {}", path.display());
    Ok(())
}
