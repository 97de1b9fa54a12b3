//! Runs bench programs under the counting plugin.

use super::machine::Machine;
use crate::inputs::Inputs;
use crate::{CheckFailed, process, repo};
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Fixed, Noise, evaluate};
use flow_train_host::evaluate::HeapScratch;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// The built plugin.
pub(crate) struct Counter {
    plugin: PathBuf,
}

impl Counter {
    /// Builds the plugin for the emulators of `machines`.
    ///
    /// # Errors
    /// It did not build, or an emulator does not tell its version.
    pub(crate) fn build(machines: &[Machine]) -> Result<Self> {
        let mut cargo = process::cargo();
        cargo
            .args(["build", "--release", "--quiet", "--message-format=json"])
            .arg("--target-dir")
            .arg(repo::root().join("target/insn-count"))
            .current_dir(repo::root().join("xtask/insn-count"));
        for emulator in machines.iter().map(Machine::emulator) {
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

    /// Instructions of each evaluation of `model`.
    ///
    /// # Errors
    /// The program failed, or its log_probs are not the host's.
    pub(crate) fn count(
        &self,
        machine: &Machine,
        model: &[u8],
        inputs: &Inputs,
    ) -> Result<Vec<u64>> {
        let marks = self.marks(machine, model, inputs)?;
        let between = marks.chunks_exact(2).map(|pair| pair[1] - pair[0]);
        Ok(between.collect())
    }

    /// Instructions of a whole run.
    ///
    /// # Errors
    /// The program failed.
    pub(crate) fn whole(&self, machine: &Machine, model: &[u8], inputs: &Inputs) -> Result<u64> {
        let ran = machine.run(&self.plugin, model, inputs)?;
        let end = ran.marks.lines().next_back();
        Ok(end.context("nothing was counted")?.parse()?)
    }

    /// Instructions of each function in a whole run.
    ///
    /// # Errors
    /// The program failed.
    pub(crate) fn functions(
        &self,
        machine: &Machine,
        model: &[u8],
        inputs: &Inputs,
    ) -> Result<BTreeMap<String, u64>> {
        let ran = machine.run(&self.plugin, model, inputs)?;
        let one = |line: &str| -> Result<(String, u64)> {
            let (executed, name) = line.split_once(' ').context("no function's line")?;
            Ok((name.to_owned(), executed.parse()?))
        };
        ran.functions.lines().map(one).collect()
    }

    /// Instructions executed at each mark.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub(crate) fn marks(
        &self,
        machine: &Machine,
        model: &[u8],
        inputs: &Inputs,
    ) -> Result<Vec<u64>> {
        let ran = machine.run(&self.plugin, model, inputs)?;
        if ran.answers != host_answers(model, inputs)? {
            let what = format!("{}: other log_probs than the host's", machine.name());
            return Err(CheckFailed(what).into());
        }
        let marks = ran.marks.lines().map(str::parse);
        Ok(marks.collect::<Result<_, _>>()?)
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
