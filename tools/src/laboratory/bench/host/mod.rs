//! `flowgate bench host`: how fast this machine scores images, alone and against PyTorch and ONNX
//! Runtime.
//!
//! `avx2_alone` the processor that is believed in, `case` a model's files, `side` who is timed, `worker` our side, `versus` the turns, `kernels`
//! the same bits from all of them, `report` the tables.

mod avx2_alone;
mod case;
mod kernels;
mod report;
mod side;
mod versus;
mod worker;

use super::machine::{self, Temporary};
use super::peer::{Peer, Python};
use super::python;
use crate::output::Output;
use crate::{date, place, progress, provenance, scripts};
use anyhow::{Context, Result, bail};
pub(super) use case::Case;
use clap::ValueEnum;
use flow_train_host::files::{one_line, write_atomically};
use report::{Goals, Outcome};
use side::Engine;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The scripts of the other sides.
const SCRIPTS: [(&str, &str); 3] = [
    (
        "host_peers.py",
        include_str!("../../../../bench/host_peers.py"),
    ),
    scripts::FLOW,
    python::PEER,
];
/// What they need beside PyTorch.
const PACKAGES: [&str; 2] = ["onnx", "onnxruntime"];

/// Time log-likelihoods of images, alone or in turns with PyTorch and ONNX Runtime on the same
/// cores
#[derive(clap::Args)]
#[command(
    after_help = "First every kernel of this processor evaluates the same images: not a bit may differ (exit code 1 if \
    one does). The other sides compute the same architecture with weights made for the purpose, of which this \
    side's quantized twin must agree with them before anything is timed; time does not depend on the weights.\n\n\
    Examples:\n  flowgate bench host firmware/models/fashion-tiny.flow\n  \
    flowgate bench host firmware/models/*.flow --against all --record records/host-throughput.md"
)]
pub(super) struct Args {
    /// Quantized models of images
    #[arg(value_name = "MODEL.flow", required_unless_present = "serve")]
    models: Vec<PathBuf>,
    /// The other sides
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Turns of every side
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Images on which the kernels are compared
    #[arg(long, value_name = "N", default_value_t = 1000)]
    images: usize,
    /// Python environment of the other sides; made or completed with pip
    #[arg(long, value_name = "DIR", default_value = "target/bench/venv")]
    venv: PathBuf,
    /// Write date, machine, versions and the tables to this file
    #[arg(long, value_name = "FILE.md")]
    record: Option<PathBuf>,
    /// Compare as on a processor with AVX2 alone: what came after it is hidden from all sides
    /// (x86-64 Linux, a processor that can refuse CPUID, and a C compiler)
    #[arg(long)]
    avx2: bool,
    /// Print all turns as JSON
    #[arg(long)]
    json: bool,
    /// Score as told on standard input
    #[arg(long, value_name = "DIR", hide = true)]
    serve: Option<PathBuf>,
    /// Whether the hidden role computes with floats
    #[arg(long, hide = true)]
    float: bool,
    /// Threads of the hidden role
    #[arg(long, default_value_t = 1, hide = true)]
    threads: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Against {
    /// PyTorch eager, ONNX Runtime, and its 8-bit integers
    All,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        if let Some(directory) = &self.serve {
            return worker::serve(directory, self.float, self.threads, out);
        }
        if self.avx2 {
            avx2_alone::ensure()?;
        }
        if let Some(path) = &self.record {
            place::file(path, &[], out)?;
        }
        let cases = self.models.iter().map(|path| Case::open(path));
        let cases = cases.collect::<Result<Vec<_>>>()?;
        let agreements = kernels::compare(&cases, self.images)?;
        kernels::verdict(&agreements)?;
        let interpreter = match self.against {
            Some(Against::All) => Some(python::environment(&self.venv, &PACKAGES)?),
            None => None,
        };
        let place = Temporary::new()?;
        let mut outcomes = Vec::new();
        for case in &cases {
            let directory = place.0.join(&case.name);
            outcomes.push(self.time(case, &directory, interpreter.as_deref())?);
        }
        if self.json {
            return report::print_json(&outcomes, out);
        }
        let mut tables = vec![report::side_table(&outcomes)];
        if self.against.is_some() {
            tables.push(report::ratio_table(&outcomes, &self.goals()));
        }
        tables.push(kernels::table(&agreements));
        for table in &tables {
            table.print(out)?;
            writeln!(out)?;
        }
        if let Some(path) = &self.record {
            let text = self.header(&outcomes);
            write_atomically(path, |w| {
                write!(w, "{text}")?;
                let mut tables = tables.iter();
                tables.try_for_each(|table| write!(w, "\n{}", table.markdown()))
            })?;
            writeln!(out, "written: {}", one_line(path))?;
        }
        Ok(())
    }

    fn goals(&self) -> Goals {
        match self.avx2 {
            true => report::AVX2_GOALS,
            false => report::GOALS,
        }
    }

    fn time(&self, case: &Case, directory: &Path, python: Option<&Path>) -> Result<Outcome> {
        machine::directory(directory)?;
        case.write(directory)?;
        let mut peers = Vec::new();
        for side in Engine::OURS.into_iter().flat_map(side::of) {
            let more = side.engine.arguments();
            peers.push(Peer::ours(side, "host", directory, side.threads, more)?);
        }
        if let Some(interpreter) = python {
            let script = &to_onnx(case, interpreter, directory)?;
            let python = Python {
                interpreter,
                script,
            };
            for side in Engine::OTHERS.into_iter().flat_map(side::of) {
                let threads = side.threads.to_string();
                let more = [side.engine.arguments(), &["--threads", &threads]].concat();
                peers.push(Peer::python(side, python, directory, &more)?);
            }
        }
        let bar = progress::bar(usize::from(self.rounds), &case.name);
        let sides = versus::run(case, &mut peers, usize::from(self.rounds), &bar);
        bar.finish_and_clear();
        Ok(Outcome {
            name: case.name.clone(),
            sides: sides?,
        })
    }

    /// What the record says before its tables.
    fn header(&self, outcomes: &[Outcome]) -> String {
        let mut text = format!(
            "# Host throughput\n\nWritten by `flowgate bench host` on {}: {} {}; {}; {} cores; {} rounds of turns.\n\
            From the bytes of an image to its log-likelihood in nats, the dequantization noise included, the code \
            length of the complexity score not; batches of {} images.\n",
            date::today(),
            provenance::tool(),
            provenance::commit(),
            machine::processor(),
            machine::cores(),
            self.rounds,
            case::BATCH,
        );
        if self.avx2 {
            text += "All sides on a processor with AVX2 alone, as far as they could find out (`--avx2`).\n";
        }
        let sides = outcomes.iter().flat_map(|outcome| &outcome.sides);
        let mut libraries: Vec<&str> = sides.map(|side| side.library.as_str()).collect();
        libraries.retain(|name| !name.is_empty());
        libraries.sort_unstable();
        libraries.dedup();
        if !libraries.is_empty() {
            text += &format!(
                "The other sides: {}. Float sides agreed within {:e} of their loss before anything was timed, this \
                side's quantized twin within {} bits per dim. A ratio is the median over rounds of our time over that \
                of the side's faster number of threads.\n",
                libraries.join("; "),
                versus::FLOAT_TOLERANCE,
                versus::QUANTIZED_TOLERANCE_BITS,
            );
        }
        text
    }
}

/// Writes what the other sides read, as ONNX too; the path of their script.
pub(super) fn to_onnx(case: &Case, interpreter: &Path, directory: &Path) -> Result<PathBuf> {
    case.write_for_others(directory)?;
    let script = scripts::write(directory, &SCRIPTS)?;
    export(interpreter, &script, directory)?;
    Ok(script)
}

/// Has the script write the flow for ONNX Runtime, in a process of its own: its memory is nobody's.
fn export(interpreter: &Path, script: &Path, directory: &Path) -> Result<()> {
    let spinner = progress::spinner("exporting to ONNX".to_owned());
    let mut command = Command::new(interpreter);
    command
        .arg(script)
        .arg(directory)
        .args(["--engine", "none"]);
    let output = command.output().context("python");
    spinner.finish_and_clear();
    let output = output?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!(
            "export to ONNX: {}",
            text.trim().lines().last().unwrap_or("failed")
        );
    }
    Ok(())
}
