//! `cargo xtask bench windows`: what a decision about a window takes on boards.

use super::counter::Counter;
use super::machine::Machine;
use crate::boards::{self, Program};
use crate::inputs::Inputs;
use crate::setup;
use crate::side_by_side::side_by_side;
use anyhow::{Context, Result};
use clap::Args;
use flow_infer::artifact::Artifact;
use flow_infer::score::complexity::Coder;
use flow_train_host::data::recordings::RecordingOptions;
use flow_train_host::data::{self, ReadOptions};
use flow_train_host::windows::WindowSpec;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;
use std::path::PathBuf;

/// Decisions between the shorter run and the longer one.
const DECISIONS: usize = 4;

/// Count the instructions of a decision about a window: features, flow, code length and tests.
///
/// Example: cargo xtask bench windows gate.flow --data recording.csv
#[derive(Args)]
pub(super) struct Windows {
    /// A model of windows.
    model: PathBuf,
    /// A recording.
    #[arg(long)]
    data: PathBuf,
    /// Which boards.
    #[arg(long, value_delimiter = ',', default_value = "m0,m4,riscv")]
    boards: Vec<String>,
}

impl Windows {
    pub(super) fn run(&self) -> Result<()> {
        let model = fs::read(&self.model).with_context(|| self.model.display().to_string())?;
        let artifact = Artifact::load(&model).context("the model is refused")?;
        let windows = artifact
            .windows()
            .context("the model is not one of windows")?;
        let options = ReadOptions {
            recordings: Some(RecordingOptions::of_model(WindowSpec::of(&windows))),
            ..ReadOptions::default()
        };
        let data = data::read(&self.data, &options)?.dataset;
        let [first, all] = [1, 1 + DECISIONS].map(|count| Inputs::of(&data.take(0..count)));
        let found = self.boards.iter().map(|name| boards::find(name));
        let found = found.collect::<Result<Vec<_>>>()?;
        setup::targets(found.iter().map(|board| board.target.as_str()))?;
        let machines = found.iter();
        let machines = machines.map(|board| Machine::build_program(&board.name, Program::Score));
        let machines = machines.collect::<Result<Vec<_>>>()?;
        let counter = Counter::build(&machines)?;
        let of_board = |machine: &Machine| -> Result<(String, u64)> {
            let whole = |inputs: &Inputs| counter.whole(machine, &model, inputs);
            let decisions = whole(&all)?.saturating_sub(whole(&first)?);
            Ok((machine.name(), decisions / DECISIONS as u64))
        };
        let mut table = Table::new(["board", "instructions of a decision"]);
        for (board, instructions) in side_by_side(&machines, of_board)? {
            table.row([board, instructions.to_string()]);
        }
        table.print(&mut Output::stdout())?;
        let need = artifact.scratch_need();
        println!(
            "\nRAM: scratch {} B, last window {} B, coder {} B",
            4 * need.latents + 2 * need.activations,
            windows.byte_len(),
            size_of::<Coder>()
        );
        Ok(())
    }
}
