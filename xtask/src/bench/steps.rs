//! `cargo xtask bench steps`: how long the Cortex-M4 computes between two returns of an evaluation in steps.

use super::counter::Counter;
use super::machine::Machine;
use crate::boards::Program;
use crate::inputs::Inputs;
use crate::{CheckFailed, repo};
use anyhow::{Context, Result};
use clap::Args;
use flow_train_host::data;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;

/// A step is not longer.
const MOST_INSTRUCTIONS: u64 = 200_000;

/// Count the instructions of every step of an evaluation that can be left and resumed, on the emulated Cortex-M4.
#[derive(Args)]
pub(crate) struct Steps;

impl Steps {
    /// Counts both committed models and refuses a step that is too long.
    ///
    /// # Errors
    /// A program failed, found another log_prob than the host, or computed too long without returning.
    pub(crate) fn run() -> Result<()> {
        let board = Machine::build_program("m4", Program::Steps)?;
        let counter = Counter::build(std::slice::from_ref(&board))?;
        let [garments, _] = repo::samples();
        let inputs = Inputs::of(&data::load(&garments)?.take(0..1));
        let mut table = Table::new(["model", "steps", "instructions", "longest step", "begin"]);
        let mut worst = 0;
        for model in repo::committed_models() {
            let bytes = fs::read(&model).with_context(|| model.display().to_string())?;
            let marks = counter.marks(&board, &bytes, &inputs)?;
            let steps: Vec<u64> = marks.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let longest = steps.iter().copied().max().unwrap_or(0);
            let name = model.file_stem().unwrap_or_default().to_string_lossy();
            table.row([
                name.into_owned(),
                (steps.len() - 1).to_string(),
                steps.iter().sum::<u64>().to_string(),
                longest.to_string(),
                steps[0].to_string(),
            ]);
            worst = worst.max(longest);
        }
        table.print(&mut Output::stdout())?;
        if worst > MOST_INSTRUCTIONS {
            let cause = format!("a step takes {worst} instructions, more than {MOST_INSTRUCTIONS}");
            return Err(CheckFailed(cause).into());
        }
        Ok(())
    }
}
