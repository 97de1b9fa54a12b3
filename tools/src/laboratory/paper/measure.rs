//! What is measured of the runs.

use super::runs::{Lab, Own, Run};
use crate::evaluation::{Column, Evaluation};
use crate::progress;
use crate::verbs::eval;
use anyhow::{Context, Result};
use flow_train_host::metrics::Separation;
use std::path::{Path, PathBuf};

/// Everything that claims are measured by.
pub(super) struct Measured {
    /// By the run's name.
    pub(super) runs: Vec<(&'static str, Evaluation)>,
    /// The repository's records.
    pub(super) records: PathBuf,
    /// By their names.
    pub(super) pictures: Vec<(&'static str, PathBuf)>,
}

/// A finished run on clothes and digits that it has not seen.
pub(super) fn evaluation(lab: &Lab, run: &Run, directory: &Path, count: u32) -> Result<Evaluation> {
    let [clothes, digits] = lab.held();
    let (own, foreign) = match run.own {
        Own::Clothes => (clothes, digits),
        Own::Digits => (digits, clothes),
    };
    let spinner = progress::spinner(format!("evaluating {}", run.name));
    let evaluation = eval::evaluate(directory, &own, &foreign, count);
    spinner.finish_and_clear();
    evaluation
}

impl Measured {
    pub(super) fn run(&self, name: &str) -> Result<&Evaluation> {
        let found = self.runs.iter().find(|(run, _)| *run == name);
        let (_, evaluation) = found.with_context(|| format!("no run {name}"))?;
        Ok(evaluation)
    }

    /// How a score of a run tells its foreign set from its own.
    pub(super) fn separation(&self, run: &str, score: &str) -> Result<&Separation> {
        let evaluation = self.run(run)?;
        let set = evaluation.foreign.first();
        let column = self.column(run, score)?;
        let found = set.and_then(|set| column.against(set));
        found.with_context(|| format!("{run}: no {score} score"))
    }

    pub(super) fn column(&self, run: &str, score: &str) -> Result<&Column> {
        let columns = &self.run(run)?.scores;
        let found = columns.iter().find(|column| column.name == score);
        found.with_context(|| format!("{run}: no {score} score"))
    }

    pub(super) fn picture(&self, name: &str) -> Result<&Path> {
        let found = self.pictures.iter().find(|(picture, _)| *picture == name);
        let (_, path) = found.with_context(|| format!("no picture {name}"))?;
        Ok(path)
    }
}
