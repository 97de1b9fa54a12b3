//! What instructions are counted on: an emulated board, or one kernel of an emulated host.

use crate::boards::{self, Board, Program};
use crate::inputs::Inputs;
use crate::{aarch64, process, session, setup};
use anyhow::{Context, Result, bail};
use flowgate_stream::ANSWERS_FILE;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What the names of a host's kernels begin with.
const HOST: &str = "aarch64-";

/// A machine whose program is built.
#[derive(Clone, Debug)]
pub(crate) enum Machine {
    /// With a program that sets marks.
    Board(Board, Program),
    /// A kernel of an aarch64 host, and the program.
    Host(&'static str, PathBuf),
}

/// A run that is over.
pub(crate) struct Ran {
    /// log_prob of every input, in the bytes of 64-bit integers.
    pub(crate) answers: Vec<u8>,
    /// What the counter wrote.
    pub(crate) marks: String,
    /// A line for each function: instructions and its name.
    pub(crate) functions: String,
}

impl Machine {
    /// Finds a machine by its name and builds its program.
    ///
    /// # Errors
    /// There is none of that name, or the program does not build.
    pub(crate) fn build(name: &str) -> Result<Self> {
        let Some(kernel) = name.strip_prefix(HOST) else {
            return Self::build_program(name, Program::Bench);
        };
        let known = aarch64::KERNELS.into_iter().find(|k| *k == kernel);
        match known {
            Some(kernel) => Ok(Self::Host(kernel, aarch64::build("marks")?)),
            None => bail!(
                "no kernel `{kernel}`; there are {}",
                aarch64::KERNELS.join(", ")
            ),
        }
    }

    /// Finds a board by its name and builds a program that sets marks.
    ///
    /// # Errors
    /// There is none of that name, or the program does not build.
    pub(crate) fn build_program(name: &str, program: Program) -> Result<Self> {
        let board = boards::find(name)?;
        session::build(&board, program)?;
        Ok(Self::Board(board, program))
    }

    /// Names of all machines.
    ///
    /// # Errors
    /// The boards cannot be listed.
    pub(crate) fn names() -> Result<Vec<String>> {
        let boards = boards::emulated()?.into_iter().map(|board| board.name);
        let kernels = aarch64::KERNELS.map(|kernel| format!("{HOST}{kernel}"));
        Ok(boards.chain(kernels).collect())
    }

    /// The machine's name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Board(board, _) => board.name.clone(),
            Self::Host(kernel, _) => format!("{HOST}{kernel}"),
        }
    }

    /// The emulator that loads the plugin.
    pub(crate) fn emulator(&self) -> &str {
        match self {
            Self::Board(board, _) => board.emulator.as_deref().unwrap_or_default(),
            Self::Host(..) => setup::AARCH64_EMULATOR,
        }
    }

    /// Evaluates every input under a plugin.
    ///
    /// # Errors
    /// The program failed.
    pub(crate) fn run(&self, plugin: &Path, model: &[u8], inputs: &Inputs) -> Result<Ran> {
        match self {
            Self::Board(board, program) => run_board((board, *program), plugin, model, inputs),
            Self::Host(kernel, program) => {
                let folder = aarch64::folder(model, inputs)?;
                let mut command = self.command(plugin, &folder);
                command
                    .arg(program)
                    .args(aarch64::arguments(&folder, kernel));
                let output = process::capture(&mut command)?;
                if !output.status.success() {
                    let error = String::from_utf8_lossy(&output.stderr).into_owned();
                    bail!("{}: {}: {error}", self.name(), output.status);
                }
                ran(output.stdout, &folder)
            }
        }
    }

    fn command(&self, plugin: &Path, folder: &TempDir) -> Command {
        let mut command = Command::new(self.emulator());
        command.args(["-plugin", &argument(plugin)]);
        command.current_dir(folder.path()).stdin(Stdio::null());
        command
    }
}

/// What the plugin writes, in the run's folder.
const MARKS_FILE: &str = "marks";
const FUNCTIONS_FILE: &str = "functions";

fn argument(plugin: &Path) -> String {
    let plugin = plugin.display();
    format!("{plugin},out={MARKS_FILE},functions={FUNCTIONS_FILE}")
}

fn ran(answers: Vec<u8>, folder: &TempDir) -> Result<Ran> {
    let read = |name| {
        let path = folder.path().join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    Ok(Ran {
        answers,
        marks: read(MARKS_FILE)?,
        functions: read(FUNCTIONS_FILE)?,
    })
}

fn run_board(
    (board, program): (&Board, Program),
    plugin: &Path,
    model: &[u8],
    inputs: &Inputs,
) -> Result<Ran> {
    let folder = session::folder(board, model, inputs)?;
    let mut command = Command::new(board.emulator.as_deref().context("a real chip")?);
    let (kernel, arguments) = board.arguments.split_last().context("no arguments")?;
    command
        .args(arguments)
        .args(["-plugin", &argument(plugin), kernel])
        .arg(board.elf(program)?)
        .current_dir(folder.path())
        .stdin(Stdio::null());
    session::check_status(board, process::capture(&mut command)?.status)?;
    let answers = fs::read(folder.path().join(session::name(ANSWERS_FILE)))?;
    ran(answers, &folder)
}
