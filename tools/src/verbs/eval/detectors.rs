//! scikit-learn's outlier detectors as further baselines.

use crate::evaluation::{Column, Set};
use crate::python::{self, Package};
use crate::{progress, scripts};
use anyhow::{Context, Result, bail};
use flow_train_host::data::Dataset;
use flow_train_host::data::npy::{NpyArray, NpyValues};
use std::path::Path;
use std::process::Command;

/// The detectors, as the program names them.
const NAMES: [&str; 3] = ["isolation_forest", "lof", "one_class_svm"];
/// Inputs that they are fitted to, as many as the other baselines.
const MOST_SAMPLES: usize = 10_000;

const PACKAGES: [Package; 2] = [
    Package {
        import: "numpy",
        name: "numpy",
    },
    Package {
        import: "sklearn",
        name: "scikit-learn",
    },
];

/// The detectors' columns, fitted to `sample`, and the version that they are of.
pub(super) fn columns(
    venv: &Path,
    benign: &Set,
    foreign: &[Set],
    sample: &Dataset,
    seed: u64,
) -> Result<(Vec<Column>, String)> {
    let python = python::environment(venv, &PACKAGES)?;
    let spinner = progress::spinner("fitting scikit-learn's detectors");
    let place = tempfile::tempdir().context("a directory for the detectors")?;
    let file = |name: &str| place.path().join(name);
    let sample = sample.take(0..MOST_SAMPLES);
    sample.to_npy()?.write(&file("fit.npy"))?;
    let sets: Vec<&Set> = std::iter::once(benign).chain(foreign).collect();
    for (index, set) in sets.iter().enumerate() {
        set.data.to_npy()?.write(&file(&format!("{index}.npy")))?;
    }
    let script = scripts::write(place.path(), &[scripts::DETECTORS])?;
    let mut command = Command::new(python);
    command.arg(script).arg(place.path()).arg(seed.to_string());
    let version = python::run(&mut command)?;
    let column = |name: &'static str| {
        let scores = sets.iter().enumerate().map(|(index, set)| {
            let scores = read(&file(&format!("{name}-{index}.npy")), set.count)?;
            Ok((*set, scores))
        });
        let mut scores = scores.collect::<Result<Vec<_>>>()?;
        let (_, own) = scores.remove(0);
        Ok(Column::new(name, true, own, scores))
    };
    let columns = NAMES.into_iter().map(column).collect::<Result<Vec<_>>>()?;
    spinner.finish_and_clear();
    Ok((columns, format!("scikit-learn {}", version.trim())))
}

fn read(path: &Path, count: usize) -> Result<Vec<f64>> {
    match NpyArray::load(path)?.into_parts() {
        (_, NpyValues::F64(scores)) if scores.len() == count => Ok(scores),
        _ => bail!("a detector gave no score for every input"),
    }
}
