//! What became of the inputs: which part each is in, what it is called, with what it belongs together.

use crate::inputs::Named;
use anyhow::{Context, Result};
use flow_infer::front_end::Reduction;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::front_end::FrontEnd;
use flow_train_host::windows::WindowSpec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The rest of the training inputs validate: one in so many.
const VALIDATED: usize = 12;

/// The parts, as later stages and their reader find them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Split {
    /// How pictures became inputs.
    pub(super) reduction: Option<Reduction>,
    /// How recordings became inputs.
    #[serde(default)]
    pub(super) windows: Option<WindowSpec>,
    /// The data as the model's provenance has them.
    pub(super) data: String,
    /// Blocks are stretches of one recording.
    #[serde(default)]
    pub(super) in_order: bool,
    pub(super) train: Part,
    /// The fold of each training input; none where others calibrate.
    pub(super) folds: Vec<usize>,
    pub(super) calibrate: Part,
    pub(super) test: Part,
}

/// The inputs of a part, in the order in which they lie in its file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) inputs: Vec<String>,
    /// The block of each; none where inputs stand alone.
    pub(super) blocks: Vec<String>,
}

impl Split {
    /// Inputs of all parts.
    pub(super) fn items(&self) -> usize {
        let parts = [&self.train, &self.calibrate, &self.test];
        parts.iter().map(|part| part.inputs.len()).sum()
    }

    /// The parts that there are.
    pub(super) fn names(&self) -> &[&str] {
        match self.folds.is_empty() {
            true => &["train", "calibrate", "test"],
            false => &["train", "test"],
        }
    }

    /// Folds of the training part; none where others calibrate.
    pub(super) fn fold_count(&self) -> usize {
        self.folds.iter().max().map_or(0, |last| last + 1)
    }

    /// Training inputs that are in a fold, and those that are not.
    pub(super) fn fold(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.folds.len()).partition(|&input| self.folds[input] == fold)
    }

    /// The blocks of the training inputs, fold by fold; none where they stand alone.
    pub(super) fn held_out_blocks(&self) -> Vec<String> {
        let folds = 0..self.fold_count();
        let held = folds.flat_map(|fold| self.train.pick(&self.fold(fold).0).blocks);
        held.collect()
    }

    /// What a model of these inputs carries.
    pub(super) fn front_end(&self) -> Option<FrontEnd> {
        let windows = self.windows.clone().map(FrontEnd::Windows);
        windows.or_else(|| self.reduction.map(FrontEnd::Frames))
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        write(self, path)
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        read(path)
    }
}

fn write(what: &impl Serialize, path: &Path) -> Result<()> {
    let json = serde_json::to_string_pretty(what)?;
    Ok(write_atomically(path, |w| writeln!(w, "{json}"))?)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let place = || one_line(path).to_string();
    let json = std::fs::read_to_string(path).with_context(place)?;
    serde_json::from_str(&json).with_context(place)
}

impl Part {
    /// The inputs at these indices of a set, and the labels of their blocks if there are any.
    pub(super) fn of(set: &Named, indices: &[usize], labels: &[String]) -> Self {
        let name = |&index: &usize| set.items.get(index).to_string();
        Self {
            inputs: indices.iter().map(name).collect(),
            blocks: indices
                .iter()
                .filter_map(|&index| labels.get(index).cloned())
                .collect(),
        }
    }

    /// Some of its inputs.
    pub(super) fn pick(&self, indices: &[usize]) -> Self {
        let of = |all: &[String]| {
            let picked = indices.iter().filter_map(|&index| all.get(index).cloned());
            picked.collect()
        };
        Self {
            inputs: of(&self.inputs),
            blocks: of(&self.blocks),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        write(self, path)
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        read(path)
    }

    /// How many of the last inputs validate: whole blocks, where that leaves enough to train.
    pub(super) fn validating(&self) -> usize {
        let all = self.inputs.len();
        let twelfth = (all / VALIDATED).max(1);
        let Some(of_twelfth) = self.blocks.get(all - twelfth.min(all)) else {
            return twelfth;
        };
        let before = self.blocks.iter().take_while(|block| *block != of_twelfth);
        match all - before.count() {
            whole if whole <= all / 3 => whole,
            _ => twelfth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(count: usize, block: usize) -> Part {
        Part {
            inputs: (0..count).map(|i| i.to_string()).collect(),
            blocks: match block {
                0 => Vec::new(),
                block => (0..count).map(|i| (i / block).to_string()).collect(),
            },
        }
    }

    #[test]
    fn folds_take_their_blocks_with_them() {
        let split = Split {
            reduction: None,
            windows: None,
            data: String::new(),
            in_order: false,
            train: part(6, 2),
            folds: vec![0, 0, 1, 1, 0, 0],
            calibrate: Part::default(),
            test: Part::default(),
        };
        assert_eq!(split.fold_count(), 2);
        assert_eq!(split.fold(0), (vec![0, 1, 4, 5], vec![2, 3]));
        assert_eq!(split.held_out_blocks(), ["0", "0", "2", "2", "1", "1"]);
    }

    #[test]
    fn a_twelfth_or_whole_blocks_validate() {
        assert_eq!(part(120, 0).validating(), 10);
        assert_eq!(part(120, 15).validating(), 15);
        assert_eq!(part(120, 4).validating(), 12);
        assert_eq!(part(120, 60).validating(), 10);
        assert_eq!(part(5, 0).validating(), 1);
    }
}
