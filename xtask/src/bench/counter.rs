//! Runs the boards' bench program under the counting plugin.

use crate::boards::{Board, Program};
use crate::inputs::Inputs;
use crate::{CheckFailed, process, repo, session};
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Fixed, Noise, evaluate};
use flow_train_host::evaluate::HeapScratch;
use flowgate_stream::ANSWERS_FILE;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the plugin writes, in the board's folder.
const MARKS_FILE: &str = "marks";

/// The built plugin.
pub(crate) struct Counter {
    plugin: PathBuf,
}

impl Counter {
    /// Builds the plugin for the emulators of `boards`.
    ///
    /// # Errors
    /// It did not build, or an emulator does not tell its version.
    pub(crate) fn build(boards: &[Board]) -> Result<Self> {
        let mut cargo = process::cargo();
        cargo
            .args(["build", "--release", "--quiet", "--message-format=json"])
            .arg("--target-dir")
            .arg(repo::root().join("target/insn-count"))
            .current_dir(repo::root().join("xtask/insn-count"));
        let emulators = boards.iter().filter_map(|board| board.emulator.as_deref());
        for emulator in emulators {
            // The plugin interface changed its number, and nothing that is used here, with QEMU 9.
            if major_version(emulator)? >= 9 {
                cargo.env("QEMU_PLUGIN_VERSION_2", "1");
            }
        }
        let messages = process::stdout(&mut cargo)?;
        let mut libraries = messages.lines().filter_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["filenames"][0].as_str()?))
        });
        let plugin = libraries.next_back().context("cargo names no plugin")?;
        Ok(Self { plugin })
    }

    /// Instructions of each evaluation of `model` on a board that [`session::build`] has built the bench program for.
    ///
    /// # Errors
    /// The program failed, or its log_probs are not the host's.
    pub(crate) fn count(&self, board: &Board, model: &[u8], inputs: &Inputs) -> Result<Vec<u64>> {
        let folder = session::folder(board, model, inputs)?;
        let folder = folder.path();
        let mut command = Command::new(board.emulator.as_deref().context("a real chip")?);
        let (kernel, arguments) = board.arguments.split_last().context("no arguments")?;
        let plugin = format!("{},out={MARKS_FILE}", self.plugin.display());
        command
            .args(arguments)
            .args(["-plugin", &plugin, kernel])
            .arg(board.elf(Program::Bench)?)
            .current_dir(folder)
            .stdin(Stdio::null());
        let output = process::capture(&mut command)?;
        session::judge(board, output.status)?;
        let answers = fs::read(folder.join(session::name(ANSWERS_FILE)))?;
        if answers != host_answers(model, inputs)? {
            let what = format!("board {}: other log_probs than the host's", board.name);
            return Err(CheckFailed(what).into());
        }
        let marks = fs::read_to_string(folder.join(MARKS_FILE))?;
        let marks: Vec<u64> = marks.lines().map(str::parse).collect::<Result<_, _>>()?;
        let between = marks.chunks_exact(2).map(|pair| pair[1] - pair[0]);
        Ok(between.collect())
    }
}

/// log_prob of each input, as the bench program writes it.
fn host_answers(model: &[u8], inputs: &Inputs) -> Result<Vec<u8>> {
    let artifact = Artifact::load(model).context("the model is refused")?;
    let mut scratch = HeapScratch::<Fixed>::new(&artifact);
    let mut answers = vec![];
    for input in inputs.iter() {
        let scratch = scratch.borrow();
        let evaluation = evaluate(&artifact, input, Noise::Planned, scratch, &mut ())?;
        answers.extend(evaluation.log_prob_raw.to_le_bytes());
    }
    Ok(answers)
}

fn major_version(emulator: &str) -> Result<u32> {
    let text = process::stdout(Command::new(emulator).arg("--version"))?;
    let version = text.split("version ").nth(1).unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    major
        .parse()
        .with_context(|| format!("{emulator} has no version: {text}"))
}
