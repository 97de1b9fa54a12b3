//! The page that `eval` writes: one file without anything from outside, and the figures beside it.

mod both;
mod charts;
pub(crate) mod histogram;
mod loss;
mod page;
pub(crate) mod parts;
mod pictures;
mod roc;
mod slider;
mod tables;
mod windows;

pub(crate) use loss::TrainingLog;

use crate::cost::{Cost, format_name};
use crate::evaluation::Evaluation;
use crate::html::Element;
use crate::instructions::Estimate;
use crate::json;
use crate::model;
use crate::number::{bytes, grouped};
use crate::traces::rate;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::plan::PlannedInput;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::windows::WindowSpec;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What the page says of the model.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Name and value.
    model: Vec<(&'static str, String)>,
    history: Vec<String>,
    /// What an input takes, core by core.
    instructions: Vec<Estimate>,
    log: Option<TrainingLog>,
}

impl Facts {
    pub(crate) fn of(artifact: &Artifact<'_>, log: Option<TrainingLog>) -> Self {
        let cost = Cost::of(artifact);
        let provenance = model::provenance(artifact);
        let input = match artifact.input() {
            _ if artifact.windows().is_some() => windows_of(artifact),
            PlannedInput::Image { shape, .. } => format!("8-bit images of {shape}"),
            PlannedInput::Vector { dims, .. } => format!("vectors of {dims} values"),
            PlannedInput::Whitened { measured, dims, .. } => {
                format!("vectors of {measured} values, whitened to {dims}")
            }
        };
        let mut model = vec![
            ("reads", input),
            ("numbers", format_name(artifact.number_format()).to_owned()),
            ("flash", bytes(cost.flash_bytes)),
            ("scratch", bytes(cost.scratch_bytes)),
            ("multiplies", grouped(cost.macs)),
            ("weights", grouped(cost.weights)),
            ("steps", cost.steps.len().to_string()),
        ];
        if !provenance.data.is_empty() {
            model.push(("trained on", provenance.data));
            model.push(("seed", provenance.seed.to_string()));
        }
        Self {
            model,
            history: provenance.history,
            instructions: cost.instructions,
            log,
        }
    }
}

/// "windows of 128 samples of ax, ay, az, one every 64; of each means:8, bands:4x1".
fn windows_of(artifact: &Artifact<'_>) -> String {
    let Some(spec) = artifact.windows().map(|windows| WindowSpec::of(&windows)) else {
        return String::new();
    };
    let names: Vec<&str> = spec.channels.iter().map(|c| c.name.as_str()).collect();
    let features: Vec<String> = spec.features.iter().map(ToString::to_string).collect();
    let rate = match rate(&spec) {
        Some(rate) => format!(", {rate} a second"),
        None => String::new(),
    };
    format!(
        "windows of {} samples{rate}, of {}, one every {}; of each {}",
        spec.length,
        names.join(", "),
        spec.hop,
        features.join(", ")
    )
}

/// Writes `index.html` and `results.json` into a directory; the path of the page.
pub(crate) fn write(directory: &Path, evaluation: &Evaluation, facts: &Facts) -> Result<PathBuf> {
    write_page(directory, evaluation, &page::page(evaluation, facts))
}

/// The same of two models: a page of both, and each one's own in a folder below.
pub(crate) fn write_both(
    directory: &Path,
    results: &impl Serialize,
    both: [&(Evaluation, Facts); 2],
) -> Result<PathBuf> {
    let side = |folder: &str, (evaluation, facts): &'_ (Evaluation, Facts)| {
        write(&directory.join(folder), evaluation, facts).map(|_| format!("{folder}/{PAGE}"))
    };
    let pages = [side("first", both[0])?, side("second", both[1])?];
    let [first, second] = pages;
    let [a, b] = both;
    let sides = [
        both::Side {
            evaluation: &a.0,
            facts: &a.1,
            page: first,
        },
        both::Side {
            evaluation: &b.0,
            facts: &b.1,
            page: second,
        },
    ];
    write_page(directory, results, &both::page(&sides))
}

const PAGE: &str = "index.html";

fn write_page(directory: &Path, results: &impl Serialize, page: &Element) -> Result<PathBuf> {
    std::fs::create_dir_all(directory).with_context(|| one_line(directory).to_string())?;
    let json = serde_json::to_string_pretty(&json::versioned(results))?;
    write_atomically(&directory.join("results.json"), |w| writeln!(w, "{json}"))?;
    let path = directory.join(PAGE);
    write_atomically(&path, |w| writeln!(w, "<!doctype html>\n{page}"))?;
    Ok(path)
}
