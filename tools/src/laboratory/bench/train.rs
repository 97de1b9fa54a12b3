//! `flowgate bench train`: optimizer steps of the paper's building blocks.

use super::case::Case;
use super::epoch::{self, Shares};
use super::machine::{self, Temporary, processor};
use super::peer::{Peer, Python};
use super::report::{self, Outcome};
use super::versus::Side;
use super::{files, gradients, python, versus, worker};
use crate::output::Output;
use crate::table::Table;
use crate::{date, place, progress, provenance, scripts};
use anyhow::Result;
use clap::ValueEnum;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::train::Instructions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The scripts of the other side.
const SCRIPTS: [(&str, &str); 3] = [
    (
        "train_torch.py",
        include_str!("../../../bench/train_torch.py"),
    ),
    scripts::FLOW,
    python::PEER,
];

/// Time optimizer steps, alone or in turns with PyTorch on the same cores
#[derive(clap::Args)]
#[command(
    after_help = "Both sides begin with the same weights, batch and noise; their losses and gradients must agree before anything is \
    timed (exit code 1 if not). Ratios are medians over rounds of our time over that of PyTorch's \
    faster memory layout. Only what the processor has can be chosen as --instructions; with --against, that these \
    kernels compute the same is checked as well.\n\n\
    Examples:\n  flowgate bench train --case realnvp-16\n  \
    flowgate bench train --against torch --venv venv-torch --record records/training-speed.md"
)]
pub(super) struct Args {
    /// What to time; all by default
    #[arg(long, value_name = "CASE", value_enum)]
    case: Vec<Case>,
    /// The other side
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Turns of every side
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Threads of every side; all cores by default
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Compute with this instruction set on our side: avx512, avx2, neon or portable; the best by
    /// default
    #[arg(long, value_name = "SET", value_parser = instructions)]
    instructions: Option<Instructions>,
    /// Python environment with PyTorch; made with pip if it is not there
    #[arg(long, value_name = "DIR", default_value = "target/bench/venv")]
    venv: PathBuf,
    /// Images for the epoch; generated ones by default
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Write date, machine, versions and the tables to this file
    #[arg(long, value_name = "FILE.md")]
    record: Option<PathBuf>,
    /// Print all turns as JSON
    #[arg(long)]
    json: bool,
    /// Take steps as told on standard input
    #[arg(long, value_name = "DIR", hide = true)]
    serve: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Against {
    /// PyTorch, both memory layouts
    Torch,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        if let Some(directory) = &self.serve {
            return worker::serve(directory, self.threads, self.instructions(), out);
        }
        if let Some(path) = &self.record {
            place::file(path, &[], out)?;
        }
        let python = match self.against {
            Some(Against::Torch) => Some(python::environment(&self.venv, &[])?),
            None => None,
        };
        let cases = match self.case.is_empty() {
            true => Case::all(),
            false => self.case.clone(),
        };
        let place = Temporary::new()?;
        let mut outcomes = Vec::new();
        for case in cases {
            let directory = place.0.join(case.name());
            outcomes.push(self.time(case, &directory, python.as_deref())?);
        }
        if self.json {
            return print_json(&outcomes, out);
        }
        let shares = match self.case.is_empty() {
            true => Some(epoch::measure(
                self.data.as_deref(),
                &place.0,
                self.threads,
            )?),
            false => None,
        };
        let tables = self.tables(&outcomes, shares.as_ref());
        for table in &tables {
            table.print(out)?;
            writeln!(out)?;
        }
        if let Some(path) = &self.record {
            let text = self.text(&outcomes, &tables);
            write_atomically(path, |w| write!(w, "{text}"))?;
            writeln!(out, "written: {}", one_line(path))?;
        }
        Ok(())
    }

    fn instructions(&self) -> Instructions {
        self.instructions.unwrap_or_default()
    }

    fn time(&self, case: Case, directory: &Path, python: Option<&Path>) -> Result<Outcome> {
        machine::directory(directory)?;
        files::write(case, directory)?;
        let more = ["--instructions", self.instructions().name()];
        let script = scripts::write(directory, &SCRIPTS)?;
        let python = python.map(|interpreter| Python {
            interpreter,
            script: &script,
        });
        let threads = match self.threads {
            0 => machine::cores(),
            threads => threads,
        };
        let gradients = python.map(|p| gradients::compare(case, directory, threads, &more, p));
        let gradients = gradients.transpose()?;
        let ours = Peer::ours(Side::Ours, "train", directory, threads, &more)?;
        let mut peers = vec![ours];
        if let Some(python) = python {
            let threads = threads.to_string();
            for side in [Side::Nchw, Side::ChannelsLast] {
                let layout = side.layout().unwrap_or_default();
                let more = ["--layout", layout, "--threads", &threads];
                peers.push(Peer::python(side, python, directory, &more)?);
            }
        }
        let bar = progress::bar(usize::from(self.rounds), case.name());
        let sides = versus::run(case, &mut peers, usize::from(self.rounds), &bar);
        bar.finish_and_clear();
        Ok(Outcome {
            case,
            gradients,
            sides: sides?,
        })
    }

    fn tables(&self, outcomes: &[Outcome], shares: Option<&Shares>) -> Vec<Table> {
        let mut tables = vec![report::step_table(outcomes)];
        if self.against.is_some() {
            tables.push(report::ratio_table(outcomes));
        }
        tables.extend(shares.map(report::epoch_table));
        tables
    }

    /// The record: when, where, with what, and the tables.
    fn text(&self, outcomes: &[Outcome], tables: &[Table]) -> String {
        let sides = outcomes.iter().flat_map(|o| &o.sides);
        let torch = sides.map(|s| s.torch.as_str()).find(|t| !t.is_empty());
        let cores = machine::cores();
        let threads = if self.threads == 0 {
            cores
        } else {
            self.threads
        };
        let mut text = format!(
            "# Training speed\n\nWritten by `flowgate bench train` on {}: {} {}; {}, {}; {cores} cores, {threads} \
            threads a side; {} rounds.\n",
            date::today(),
            provenance::tool(),
            provenance::commit(),
            processor(),
            self.instructions().name(),
            self.rounds
        );
        if let Some(torch) = torch {
            text += &format!(
                "{torch} at its default thread policy. Losses agreed within {:e}, and the gradient of every tensor with \
                PyTorch's autodiff within {:e} of its length, before anything was timed. A ratio is the median over rounds of our time over that of PyTorch's faster layout; below 1 we are \
                faster.\n",
                versus::LOSS_TOLERANCE,
                gradients::TOLERANCE
            );
        }
        for table in tables {
            text += &format!("\n{}", table.markdown());
        }
        text
    }
}

/// One of the sets that this processor has.
fn instructions(name: &str) -> Result<Instructions, String> {
    Instructions::named(name).ok_or_else(|| {
        let all = Instructions::all().into_iter().map(Instructions::name);
        let all: Vec<_> = all.collect();
        format!("this processor has {}", all.join(", "))
    })
}

fn print_json(outcomes: &[Outcome], out: &mut Output) -> Result<()> {
    for outcome in outcomes {
        for side in &outcome.sides {
            let line = serde_json::json!({
                "case": outcome.case.name(),
                "side": side.side.name(),
                "step_ms": side.step_ms,
                "eval_ms": side.eval_ms,
                "first_loss_nats": side.loss_nats,
                "peak_kib": side.peak_kib,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
