//! `cargo xtask bench decision`: what a decision of the committed gate takes on every board, and what its program needs.

use super::counter::Counter;
use super::machine::Machine;
use crate::boards::{self, Board, Program};
use crate::inputs::Inputs;
use crate::side_by_side::side_by_side;
use crate::size::Sizes;
use crate::{process, repo, session, setup};
use anyhow::{Context, Result};
use clap::Args;
use flow_train_host::data;
use flowgate::date;
use flowgate::output::Output;
use flowgate::table::Table;
use std::collections::BTreeMap;
use std::fs;

/// Decisions between the shorter run and the longer one.
const DECISIONS: usize = 4;

/// Count the instructions of a decision on every emulated board, and say what that is on chips at their clock.
#[derive(Args)]
pub(super) struct Decision {
    /// Write the table to records/decision.md.
    #[arg(long)]
    record: bool,
}

/// What a chip's manifest says: its clock, and the emulated board with the same instructions.
struct Chip {
    mhz: u64,
    counted_on: String,
}

impl Decision {
    pub(super) fn run(&self) -> Result<()> {
        let boards = boards::all()?;
        setup::targets(boards.iter().map(|board| board.target.as_str()))?;
        let instructions = count(&boards)?;
        let mut table = Table::new([
            "board",
            "code",
            "constants",
            "static RAM",
            "counted on",
            "instructions",
            "MHz",
            "ms",
        ]);
        for board in &boards {
            let elf = session::build(board, Program::Gate)?;
            let sizes = Sizes::of(&elf).with_context(|| elf.display().to_string())?;
            let chip = Chip::of(board)?;
            let counted_on = chip.as_ref().map_or(&board.name, |chip| &chip.counted_on);
            let counted = instructions.get(counted_on);
            let counted = counted.with_context(|| format!("no emulated board `{counted_on}`"))?;
            let [mhz, ms] = chip
                .as_ref()
                .map_or(["-".to_owned(), "-".to_owned()], |chip| {
                    [chip.mhz, counted.div_ceil(chip.mhz * 1000)].map(|number| number.to_string())
                });
            table.row([
                board.name.clone(),
                sizes.text.to_string(),
                sizes.constants.to_string(),
                sizes.ram.to_string(),
                counted_on.clone(),
                counted.to_string(),
                mhz,
                ms,
            ]);
        }
        table.print(&mut Output::stdout())?;
        match self.record {
            true => record(&table),
            false => Ok(()),
        }
    }
}

/// Instructions of a decision, by emulated board.
fn count(boards: &[Board]) -> Result<BTreeMap<String, u64>> {
    let emulated = boards.iter().filter(|board| board.emulator.is_some());
    let machines = emulated.map(|board| Machine::build_program(&board.name, Program::Score));
    let machines = machines.collect::<Result<Vec<_>>>()?;
    let counter = Counter::build(&machines)?;
    let model = fs::read(repo::device_model())?;
    let [garments, _] = repo::samples();
    let garments = data::load(&garments)?;
    let [first, all] = [1, 1 + DECISIONS].map(|count| Inputs::of(&garments.take(0..count)));
    let of_board = |machine: &Machine| -> Result<(String, u64)> {
        let whole = |inputs: &Inputs| counter.whole(machine, &model, inputs);
        let decisions = whole(&all)?.saturating_sub(whole(&first)?);
        Ok((machine.name(), decisions / DECISIONS as u64))
    };
    Ok(side_by_side(&machines, of_board)?.into_iter().collect())
}

impl Chip {
    /// `None` for an emulated board.
    fn of(board: &Board) -> Result<Option<Self>> {
        if board.emulator.is_some() {
            return Ok(None);
        }
        let found = &board.metadata()?["chip"];
        let missing = || format!("{}: metadata.chip", board.name);
        let counted_on = found["counted-on"].as_str().with_context(missing)?;
        Ok(Some(Self {
            mhz: found["mhz"].as_u64().with_context(missing)?,
            counted_on: counted_on.to_owned(),
        }))
    }
}

fn record(table: &Table) -> Result<()> {
    let path = repo::root().join("records/decision.md");
    let text = format!(
        "# A decision on every board\n\nWritten by `cargo xtask bench decision --record` on {}: {}.\n\nThe committed \
         gate, `fashion-bottleneck`: bytes of its program (the model is among the constants, RAM is without the stack), \
         and the mean of {DECISIONS} decisions about garments, all scores and all tests. Instructions are counted under \
         emulation, on a chip's behalf by a board that executes the same ones; milliseconds are those instructions at \
         one a cycle of the chip's clock, and no measurement: a load or a taken branch takes a core two cycles or \
         three, and flash makes it wait where no cache helps.\n\n{}",
        date::today(),
        process::version("rustc")?,
        table.markdown(),
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("written: {}", path.display());
    Ok(())
}
