//! `flowgate train --torch`: all that PyTorch needs to train the flow elsewhere, in one directory.

use super::Args;
use crate::output::Output;
use crate::table::Table;
use crate::{number, provenance, scripts};
use anyhow::Result;
use flow_train_host::data::Dataset;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::model::Model;
use flow_train_host::model::store::{MODEL_FILE, TRAINED_FILE};
use flow_train_host::train::{self, TrainConfig};
use std::io::Write;
use std::path::Path;

/// The data, whatever files they came from: the directory is then all that has to be copied to
/// where the GPUs are.
const DATA_FILE: &str = "data.npy";

impl Args {
    /// Writes the directory, the model last, and says what to do with it.
    pub(super) fn write_for_torch(
        &self,
        config: &TrainConfig,
        data: &Dataset,
        out: &mut Output,
    ) -> Result<()> {
        let first = train::initial_model(config, data).map_err(|error| self.blame(error))?;
        let _lock = train::claim_directory(&self.out).map_err(|error| self.blame(error))?;
        let json = serde_json::to_string_pretty(config)?;
        write_atomically(&self.out.join("config.json"), |w| writeln!(w, "{json}"))?;
        data.to_npy()?.write(&self.out.join(DATA_FILE))?;
        scripts::write(&self.out, &[scripts::TRAIN, scripts::FLOW])?;
        provenance::save(&self.out, &self.provenance(data, config))?;
        first.save(&self.out.join(MODEL_FILE))?;
        self.written(config, data, &first).print(out)?;
        writeln!(out, "\n{}", self.next(data))?;
        Ok(())
    }

    fn written(&self, config: &TrainConfig, data: &Dataset, first: &Model) -> Table {
        let in_directory = |name: &str| one_line(&self.out.join(name)).to_string();
        let numbers: usize = first.tensors().values().map(|t| t.values.len()).sum();
        let items = number::grouped(data.len() as u64);
        let mut table = Table::facts();
        table.fact("first weights", in_directory(MODEL_FILE));
        table.fact("numbers in it", number::grouped(numbers as u64));
        table.fact("data", format!("{} ({items})", in_directory(DATA_FILE)));
        table.fact("settings", in_directory("config.json"));
        table.fact(
            "to be trained",
            number::count(config.epochs as usize, "epoch"),
        );
        table.fact("program", in_directory(scripts::TRAIN.0));
        table
    }

    /// The commands that come next, for a shell.
    fn next(&self, data: &Dataset) -> String {
        let program = quoted(&self.out.join(scripts::TRAIN.0));
        let trained = quoted(&self.out.join(TRAINED_FILE));
        let data_path = quoted(&self.data);
        let draws = match data {
            Dataset::Images(_) => " --draws 1",
            Dataset::Vectors(_) => "",
        };
        format!(
            "next, where PyTorch is (python instead of torchrun: one process):\n  \
            torchrun --nproc-per-node auto {program}\n\
            then:\n  \
            flowgate eval {trained} --in TEST_DATA --ood NAME=OTHER_DATA --report REPORT_DIR\n  \
            flowgate export {trained} --format q8 --calibrate {data_path}{draws} --out MODEL.flow"
        )
    }
}

/// A path as one word of a shell's command line.
fn quoted(path: &Path) -> String {
    let text = one_line(path).to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=,:@%".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word() {
        assert_eq!(quoted(Path::new("runs/a-1.b")), "runs/a-1.b");
        assert_eq!(quoted(Path::new("it's $HOME")), "'it'\\''s $HOME'");
    }
}
