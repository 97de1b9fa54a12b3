//! `cargo xtask compare`: the same integers on the host and on every board, or it says which bits.

use crate::boards::{self, Board, Program};
use crate::comparison::{Comparison, differing_bits, tabulate, verdict};
use crate::inputs::Inputs;
use crate::side_by_side::side_by_side;
use crate::{aarch64, host, process, repo, session};
use anyhow::{Context, Result};
use clap::Args;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What `--boards` calls a host of another architecture.
const AARCH64_HOST: &str = "aarch64";

/// Compare scores and decisions of emulated boards with the host's, bit for bit.
///
/// Example: cargo xtask compare --data fashion.idx3.gz --data digits.idx3.gz --limit 500 --record
#[derive(Args)]
pub(crate) struct Compare {
    /// The model.
    #[arg(long, value_name = "MODEL.flow", default_value_os_t = repo::device_model())]
    model: PathBuf,
    /// A data set; may be given several times.
    #[arg(long, value_name = "PATH", required = true)]
    data: Vec<PathBuf>,
    /// Only the first N inputs of each data set.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Which boards; `aarch64` is a host of that architecture, with each of its kernels.
    #[arg(long, value_delimiter = ',', default_value = "m3,m4,riscv")]
    boards: Vec<String>,
    /// Write the table to records/, with date, machine and versions.
    #[arg(long)]
    record: bool,
}

impl Compare {
    pub(crate) fn run(&self) -> Result<()> {
        let model = fs::read(&self.model).with_context(|| self.model.display().to_string())?;
        let mut inputs = Inputs::default();
        for path in &self.data {
            inputs.append(&Inputs::load(path, self.limit)?)?;
        }
        let is_host = |name: &&String| *name == AARCH64_HOST;
        let boards = self.boards.iter().filter(|name| !is_host(name));
        let boards = boards.map(|name| boards::find(name));
        let mut comparisons = compare(&boards.collect::<Result<Vec<_>>>()?, &model, &inputs)?;
        if self.boards.iter().any(|name| is_host(&name)) {
            comparisons.extend(aarch64::compare(&model, &inputs)?);
        }
        let table = tabulate(&comparisons, inputs.len());
        table.print(&mut Output::stdout())?;
        if self.record {
            self.write_record(&table)?;
        }
        verdict(&comparisons)
    }

    fn write_record(&self, table: &Table) -> Result<()> {
        let file = repo::root().join("records/host-against-boards.md");
        let tell = |program: &str, args: &[&str]| -> Result<String> {
            let text = process::stdout(Command::new(program).args(args).current_dir(repo::root()))?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        };
        // Where this machine keeps them is of no interest.
        let names = self.data.iter().filter_map(|path| path.file_name());
        let data: Vec<String> = names.map(|name| format!("`{}`", name.display())).collect();
        let text = format!(
            "# Host against emulated boards, bit for bit\n\n\
             `cargo xtask compare` with `{}` and {}, {} inputs of each.\n\n\
             {}, commit {}, {}, {}, host {}.\n\n{}",
            self.model
                .strip_prefix(repo::root())
                .unwrap_or(&self.model)
                .display(),
            data.join(" and "),
            self.limit
                .map_or("all".to_owned(), |limit| limit.to_string()),
            tell("date", &["--utc", "+%Y-%m-%d"])?,
            tell("git", &["rev-parse", "--short", "HEAD"])?,
            tell("rustc", &["--version"])?,
            tell("qemu-system-arm", &["--version"])?,
            std::env::consts::ARCH,
            table.markdown(),
        );
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        println!("written: {}", file.display());
        Ok(())
    }
}

/// Runs `inputs` on the host and on every board, the boards side by side.
///
/// # Errors
/// A board could not be built, or did not answer every input.
pub(crate) fn compare(boards: &[Board], model: &[u8], inputs: &Inputs) -> Result<Vec<Comparison>> {
    build(boards)?;
    compare_built(boards, model, inputs)
}

/// Builds what [`compare_built`] runs.
///
/// # Errors
/// A board could not be built.
pub(crate) fn build(boards: &[Board]) -> Result<()> {
    boards
        .iter()
        .try_for_each(|board| session::build(board, Program::Score).map(|_| ()))
}

/// [`compare`] on boards that are built: for many models one after the other.
///
/// # Errors
/// A board did not answer every input.
pub(crate) fn compare_built(
    boards: &[Board],
    model: &[u8],
    inputs: &Inputs,
) -> Result<Vec<Comparison>> {
    let expected = host::answers(model, inputs)?;
    let run = |board: &Board| -> Result<Comparison> {
        let run = session::run(board, Program::Score, model, inputs, &|_| ())?;
        Ok(Comparison {
            name: board.name.clone(),
            differing_bits: differing_bits(&expected, &run.answers),
            memory: Some([run.summary.stack_bytes, run.summary.scratch_bytes]),
            took: run.took,
        })
    };
    side_by_side(boards, run)
}
