//! `cargo xtask bench windows`: what a sample and a decision about a window take on boards.

use super::counter::Counter;
use super::machine::Machine;
use super::models::windows_flow;
use crate::boards::Program;
use crate::inputs::Inputs;
use crate::side_by_side::side_by_side;
use crate::{CheckFailed, made_windows, process, repo};
use anyhow::{Context, Result, bail};
use clap::Args;
use flow_infer::artifact::Artifact;
use flow_infer::front_end::windows::Windows as Described;
use flow_infer::score::complexity::Coder;
use flow_infer::spec::ConditionerSpec;
use flowgate::date;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};

/// Windows that are counted of a recording.
const MOST_WINDOWS: usize = 5;
/// Couplings of the made flow.
const COUPLINGS: usize = 6;
/// Half of the decisions about 3 channels of 128 samples take no core more, and the static memory is no larger.
const MOST_INSTRUCTIONS: u64 = 1_000_000;
const MOST_BYTES: u64 = 4096;

/// Count the instructions of a sample and of a decision about a window: features, flow, code length, tests.
///
/// Example: cargo xtask bench windows --model gate.flow --data recording.csv
#[derive(Args)]
pub(crate) struct Windows {
    /// A model of windows, instead of a made one.
    #[arg(long, value_name = "GATE.flow", requires = "data")]
    model: Option<PathBuf>,
    /// A recording for it.
    #[arg(long, value_name = "PATH", requires = "model")]
    data: Option<PathBuf>,
    /// Which boards.
    #[arg(long, value_delimiter = ',', default_value = "m0,m4,riscv")]
    boards: Vec<String>,
    /// Write the table to records/windows.md.
    #[arg(long, conflicts_with = "model")]
    record: bool,
}

/// A model, and samples for it.
struct Subject {
    model: Vec<u8>,
    inputs: Inputs,
}

impl Windows {
    pub(super) fn run(&self) -> Result<()> {
        let subject = match (&self.model, &self.data) {
            (Some(model), Some(data)) => given(model, data)?,
            _ => made()?,
        };
        let artifact = Artifact::load(&subject.model).context("the model is refused")?;
        let described = artifact.windows().context("a model of other inputs")?;
        let table = self.count(&subject, &described)?;
        table.print(&mut Output::stdout())?;
        let memory = Memory::of(&artifact);
        println!("\n{memory}");
        if self.model.is_none() && memory.sum() > MOST_BYTES {
            bail!(CheckFailed(format!("more than {MOST_BYTES} B of memory")));
        }
        match self.record {
            true => record(&table, &memory),
            false => Ok(()),
        }
    }

    /// A row a board.
    fn count(&self, subject: &Subject, described: &Described<'_>) -> Result<Table> {
        let machines = self.boards.iter();
        let machines = machines.map(|name| Machine::build_program(name, Program::Bench));
        let machines = machines.collect::<Result<Vec<_>>>()?;
        let counter = Counter::build(&machines)?;
        let of_board = |machine: &Machine| {
            let counted = counter.count(machine, &subject.model, &subject.inputs)?;
            Ok((machine.name(), counted))
        };
        let mut table = Table::new(["board", "a sample", "a window's last", "the dearest"]);
        for (board, counted) in side_by_side(&machines, of_board)? {
            let [samples, windows] = split(&counted, described);
            let dearest = |counts: &[u64]| counts.last().copied().unwrap_or(0);
            let median = windows.get(windows.len() / 2).copied().unwrap_or(0);
            table.row([
                board.clone(),
                dearest(&samples).to_string(),
                median.to_string(),
                dearest(&windows).to_string(),
            ]);
            if self.model.is_none() && median > MOST_INSTRUCTIONS {
                let what = format!("{board}: more than {MOST_INSTRUCTIONS} instructions");
                return Err(CheckFailed(format!("{what}: {median}")).into());
            }
        }
        Ok(table)
    }
}

/// What samples took after which no window is due, and what those took after which one is, each in order: every window
/// comes by itself.
fn split(counted: &[u64], windows: &Described<'_>) -> [Vec<u64>; 2] {
    let windows = counted.chunks(windows.len().max(1));
    let split = windows.filter_map(|window| window.split_last());
    let [mut samples, mut last] = [vec![], vec![]];
    for (of_window, others) in split {
        last.push(*of_window);
        samples.extend(others);
    }
    samples.sort_unstable();
    last.sort_unstable();
    [samples, last]
}

/// A gate of one's own on the first windows of a recording.
fn given(model: &Path, data: &Path) -> Result<Subject> {
    let model = fs::read(model).with_context(|| model.display().to_string())?;
    let artifact = Artifact::load(&model).context("the model is refused")?;
    let inputs = Inputs::load_for(&artifact, data, Some(MOST_WINDOWS))?;
    Ok(Subject { model, inputs })
}

/// A made flow with as many values and weights as the one of `records/motion.md`.
fn made() -> Result<Subject> {
    let [spec, ..] = made_windows::specs()?;
    let samples = made_windows::samples(spec.length.into(), spec.channels.len());
    let conditioner = ConditionerSpec::Mlp {
        hidden: 64,
        layers: 1,
    };
    let subject = windows_flow(&spec, samples, COUPLINGS, conditioner)?;
    Ok(Subject {
        model: subject.bytes,
        inputs: Inputs::of(&subject.data),
    })
}

/// Static memory beside the model and the program, in bytes.
struct Memory {
    window: u64,
    scratch: u64,
    coder: u64,
}

impl Memory {
    fn of(artifact: &Artifact<'_>) -> Self {
        let (need, windows) = (artifact.scratch_need(), artifact.windows());
        Self {
            window: windows.map_or(0, |windows| windows.byte_len() as u64),
            scratch: 4 * u64::from(need.latents) + 2 * u64::from(need.activations),
            coder: size_of::<Coder>() as u64,
        }
    }

    fn sum(&self) -> u64 {
        self.window + self.scratch + self.coder
    }
}

impl Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            window,
            scratch,
            coder,
        } = self;
        write!(
            f,
            "Static memory: the last window {window} B, scratch {scratch} B, the coder's state {coder} B, together {} B",
            self.sum()
        )
    }
}

fn record(table: &Table, memory: &Memory) -> Result<()> {
    let path = repo::root().join("records/windows.md");
    let text = format!(
        "# Windows of samples on boards\n\nWritten by `cargo xtask bench windows --record` on {}: {}, {}.\n\n\
         A window of 128 samples of 3 channels with 8 means and 4 times 4 octaves each, a flow of {COUPLINGS} couplings \
         of 64 hidden units, 66,048 weights: instructions, counted under emulation, of a sample that is pushed, and of \
         the one with which a window ends, from the features to log_prob, code length and decision: the median and the \
         dearest, which is a window of nothing but lowest samples, or of noise over the whole range. Weights are made; the \
         count does not depend on them.\n\n{}\n{memory}.\n",
        date::today(),
        process::version("rustc")?,
        process::version("qemu-system-arm")?,
        table.markdown(),
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("written: {}", path.display());
    Ok(())
}
