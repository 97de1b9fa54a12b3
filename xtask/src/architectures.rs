//! Every architecture on every emulated board: the small models of the tests, bit for bit.
//!
//! The committed models use two conditioners and two masks; what else the format can hold is run
//! here.

use crate::boards::Board;
use crate::inputs::Inputs;
use crate::{CheckFailed, compare, comparison, process, repo};
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs the small models on the boards; returns how many there are.
///
/// # Errors
/// A model could not be made or run, or a bit differs.
pub(crate) fn check(boards: &[Board]) -> Result<usize> {
    let folder = tempfile::tempdir()?;
    let words = ["run", "--quiet", "-p", "flow-tests", "--bin", "small_flows"];
    process::run(
        process::cargo()
            .args(words)
            .arg(folder.path())
            .current_dir(repo::root()),
    )?;
    let models = models(folder.path())?;
    compare::build(boards)?;
    for path in &models {
        let model = fs::read(path)?;
        let artifact = Artifact::load(&model).with_context(|| path.display().to_string())?;
        let inputs = fs::read(path.with_extension("inputs"))?;
        let inputs = Inputs::new(artifact.input_len(), inputs);
        let comparisons = compare::compare_built(boards, &model, &inputs)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        comparison::verdict(&comparisons)
            .map_err(|error| CheckFailed(format!("{name}: {error}")))?;
    }
    match models.len() {
        0 => Err(CheckFailed("there are no small models".to_owned()).into()),
        count => Ok(count),
    }
}

fn models(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let files: Vec<PathBuf> = files.collect::<std::io::Result<_>>()?;
    let is_model = |path: &PathBuf| path.extension().is_some_and(|e| e == "flow");
    let mut models: Vec<PathBuf> = files.into_iter().filter(is_model).collect();
    models.sort();
    Ok(models)
}
