//! Provenance: who made a file, from what.
//!
//! A run directory keeps `provenance.json` beside its model, because neither the weights nor the
//! training config say which data they saw; `export` carries it into the `.flow`.

use crate::{date, inputs};
use anyhow::{Context, Result};
use flow_train_host::data::Dataset;
use flow_train_host::export::provenance::Provenance;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::model::store::{MODEL_FILE, TRAINED_FILE};
use std::path::{Path, PathBuf};

const FILE: &str = "provenance.json";

/// Name and version of this program.
pub(crate) fn tool() -> String {
    format!("flowgate {}", env!("CARGO_PKG_VERSION"))
}

/// The commit this program was built from; empty if unknown.
pub(crate) fn commit() -> &'static str {
    env!("FLOWGATE_COMMIT")
}

/// A line of a history: what was done, when, by which build.
pub(crate) fn line(what: &str) -> String {
    match commit() {
        "" => format!("{}: {what} ({})", date::today(), tool()),
        commit => format!("{}: {what} ({} {commit})", date::today(), tool()),
    }
}

/// What a data set is, in one line: name, size, the beginning of its fingerprint.
pub(crate) fn describe(path: &Path, data: &Dataset) -> String {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let fingerprint = &inputs::fingerprint(data)[..16];
    format!("{name}: {}, sha256 {fingerprint}", inputs::describe(data))
}

/// Keeps where a run's model comes from, unless it is there from before an interruption.
pub(crate) fn save(run: &Path, provenance: &Provenance) -> Result<()> {
    let path = run.join(FILE);
    if path.exists() {
        return Ok(());
    }
    let json = serde_json::to_string_pretty(provenance)?;
    write_atomically(&path, |w| writeln!(w, "{json}"))?;
    Ok(())
}

/// Adds a line to the history of a run.
pub(crate) fn add(run: &Path, what: &str) -> Result<()> {
    let mut provenance = of_model(run)?;
    provenance.history.push(line(what));
    let json = serde_json::to_string_pretty(&provenance)?;
    write_atomically(&run.join(FILE), |w| writeln!(w, "{json}"))?;
    Ok(())
}

/// Where a float model comes from, as its run directory says; nothing is known of a lone file.
pub(crate) fn of_model(model: &Path) -> Result<Provenance> {
    let Some(path) = beside(model) else {
        return Ok(Provenance::default());
    };
    let place = || one_line(&path).to_string();
    let json = std::fs::read_to_string(&path).with_context(place)?;
    serde_json::from_str(&json).with_context(place)
}

/// The provenance file beside a model, if the model is that of a run.
fn beside(model: &Path) -> Option<PathBuf> {
    let directory = match model.is_dir() {
        true => model,
        false => {
            let name = model.file_name()?;
            let of_run = [MODEL_FILE, TRAINED_FILE]
                .iter()
                .any(|known| name == *known);
            of_run.then(|| model.parent())??
        }
    };
    let path = directory.join(FILE);
    path.exists().then_some(path)
}
