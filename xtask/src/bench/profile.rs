//! `cargo xtask bench profile`: in which functions a decision spends its instructions.

use super::counter::Counter;
use super::machine::Machine;
use crate::boards::Program;
use crate::inputs::Inputs;
use crate::repo;
use anyhow::{Context, Result, bail};
use clap::Args;
use flow_train_host::data;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;
use std::path::PathBuf;

/// Count the instructions of each function in a decision of a model on an emulated board.
///
/// Example: cargo xtask bench profile --board m4 gate/gate.flow --data gears/good
#[derive(Args)]
pub(super) struct Profile {
    /// The model; by default the committed gate.
    model: Option<PathBuf>,
    /// Images of its shape; by default garments of the committed sample.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The board.
    #[arg(long, default_value = "m4")]
    board: String,
    /// Functions to show.
    #[arg(long, default_value_t = 30)]
    top: usize,
}

impl Profile {
    pub(super) fn run(&self) -> Result<()> {
        let machine = Machine::build_program(&self.board, Program::Score)?;
        let counter = Counter::build(std::slice::from_ref(&machine))?;
        let model = self.model.clone().unwrap_or_else(repo::device_model);
        let model = fs::read(&model).with_context(|| model.display().to_string())?;
        let [garments, _] = repo::samples();
        let images = data::load(self.data.as_ref().unwrap_or(&garments))?;
        if images.len() < 2 {
            bail!("a profile needs two inputs, of which it shows the second one");
        }
        let [one, two] = [1, 2].map(|count| Inputs::of(&images.take(0..count)));
        let before = counter.functions(&machine, &model, &one)?;
        let mut functions: Vec<(String, u64)> = counter
            .functions(&machine, &model, &two)?
            .into_iter()
            .map(|(name, executed)| {
                let of_first = before.get(&name).copied().unwrap_or(0);
                (name, executed.saturating_sub(of_first))
            })
            .collect();
        functions.sort_by_key(|&(_, executed)| std::cmp::Reverse(executed));
        let all: u64 = functions.iter().map(|&(_, executed)| executed).sum();
        let mut table = Table::new(["function", "instructions", "share"]).left(1);
        let mut row = |name: String, executed: u64| {
            let share = 100.0 * executed as f64 / all.max(1) as f64;
            table.row([name, executed.to_string(), format!("{share:.1} %")]);
        };
        for (name, executed) in functions.iter().take(self.top) {
            row(format!("{:#}", rustc_demangle::demangle(name)), *executed);
        }
        row("all".to_owned(), all);
        Ok(table.print(&mut Output::stdout())?)
    }
}
