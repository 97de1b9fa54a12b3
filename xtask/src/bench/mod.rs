//! `cargo xtask bench device`: instructions per multiply on emulated boards, beside the record; `bench scaling`: how
//! they grow with the model; `bench steps`: how long an evaluation in steps computes before it returns; `bench front-end`:
//! what a pixel of a frame costs; `bench decision`: what a decision takes on every board; `bench profile`: and
//! in which functions; `bench budgets` and `bench
//! stream`: what `flowgate build` makes of parts and of a fixed camera; `bench promise`: what gates say of simulated
//! streams, beside theory.
//!
//! Instructions, not cycles: the emulator executes exactly what the core would, but knows nothing of pipelines and
//! wait states. In exchange the counts are the same in every run and on every machine, so they can be held to 3 %.

mod budgets;
mod cases;
mod counter;
mod decision;
mod front_end;
mod machine;
pub(crate) mod models;
mod peers;
mod plot;
mod profile;
mod promise;
mod record;
mod scaling;
mod steps;
mod stream;
mod windows;

use crate::CheckFailed;
use crate::side_by_side::side_by_side;
use anyhow::Result;
use cases::Case;
use clap::{Args, Subcommand};
use counter::Counter;
use flowgate::output::Output;
use flowgate::table::{Cell, Table, Tone};
pub(crate) use front_end::FrontEnd;
use machine::Machine;
use record::{Entry, Record};
pub(crate) use steps::Steps;

/// Measure what the engine costs.
///
/// Example: cargo xtask bench device --boards m4,riscv
#[derive(Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Device(Device),
    Scaling(scaling::Scaling),
    Steps(steps::Steps),
    Decision(decision::Decision),
    Profile(profile::Profile),
    Promise(promise::Promise),
    Budgets(budgets::Budgets),
    Stream(stream::Stream),
    FrontEnd(front_end::FrontEnd),
    Windows(windows::Windows),
}

/// Count instructions per multiply on emulated boards and hosts and compare them with tools/records/instructions.csv.
#[derive(Args)]
pub(crate) struct Device {
    /// Which boards, and kernels of hosts.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "m0,m3,m4,m7,m33,m55,riscv,aarch64-sdot,aarch64-neon,aarch64-portable"
    )]
    pub(crate) boards: Vec<String>,
    /// Make these counts the record.
    #[arg(long)]
    pub(crate) record: bool,
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        match &self.what {
            What::Device(device) => device.run(),
            What::Scaling(scaling) => scaling.run(),
            What::Steps(steps) => steps.run(),
            What::Decision(decision) => decision.run(),
            What::Profile(profile) => profile.run(),
            What::Promise(promise) => promise.run(),
            What::Budgets(budgets) => budgets.run(),
            What::Stream(stream) => stream.run(),
            What::FrontEnd(front_end) => front_end.run(),
            What::Windows(windows) => windows.run(),
        }
    }
}

impl Device {
    /// Every emulated machine, compared with the record.
    pub(crate) fn check() -> Result<()> {
        Self {
            boards: Machine::names()?,
            record: false,
        }
        .run()
    }

    pub(crate) fn run(&self) -> Result<()> {
        let machines = self.boards.iter().map(|name| Machine::build(name));
        let boards = machines.collect::<Result<Vec<_>>>()?;
        let counter = Counter::build(&boards)?;
        let cases = cases::all()?;
        let counted = count(&counter, &boards, &cases)?;
        let record = Record::load()?;
        tabulate(&counted, &record).print(&mut Output::stdout())?;
        println!(
            "\nInstructions per nominal multiply, counted under emulation (not cycles). {}",
            peers::SOURCE
        );
        if self.record {
            return record.with(&counted).save(&cases);
        }
        match counted.iter().find_map(|entry| record.worse(entry)) {
            None => Ok(()),
            Some(what) => Err(CheckFailed(what).into()),
        }
    }
}

/// Every case on every machine, the machines side by side.
fn count(counter: &Counter, boards: &[Machine], cases: &[Case]) -> Result<Vec<Entry>> {
    let of_board = |board: &Machine| -> Result<Vec<Entry>> {
        let count = |case: &Case| -> Result<Entry> {
            Ok(Entry {
                case: case.name.to_owned(),
                board: board.name(),
                multiplies: case.multiplies,
                instructions: case.count(counter, board)?,
            })
        };
        cases.iter().map(count).collect()
    };
    Ok(side_by_side(boards, of_board)?.concat())
}

fn tabulate(counted: &[Entry], record: &Record) -> Table {
    let mut table = Table::new([
        "case",
        "board",
        "instructions",
        "per multiply",
        "recorded",
        "CMSIS-NN s16",
        "CMSIS-NN s8",
    ]);
    let figure = |figure: Option<f64>| figure.map_or("-".to_owned(), |f| format!("{f:.2}"));
    for entry in counted {
        let recorded = record.find(entry).map(Entry::per_multiply);
        let peer = peers::find(&entry.case, &entry.board);
        let tone = if record.worse(entry).is_none() {
            Tone::Good
        } else {
            Tone::Bad
        };
        table.row([
            entry.case.as_str().into(),
            entry.board.as_str().into(),
            entry.instructions.to_string().into(),
            Cell::new(figure(Some(entry.per_multiply())), tone),
            figure(recorded).into(),
            figure(peer.and_then(|peer| peer.wide)).into(),
            figure(peer.and_then(|peer| peer.narrow)).into(),
        ]);
    }
    table
}
