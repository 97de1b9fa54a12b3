//! Python programs that the command carries, so that it needs no checkout.

use anyhow::{Context, Result};
use flow_train_host::files::write_atomically;
use std::path::{Path, PathBuf};

/// A file's name and its text.
pub(crate) type Script = (&'static str, &'static str);

/// Any of our flows in PyTorch, from its file of weights.
pub(crate) const FLOW: Script = ("flow_torch.py", include_str!("../bench/flow_torch.py"));
/// Trains such a flow, as one process or many.
pub(crate) const TRAIN: Script = ("train.py", include_str!("../torch/train.py"));

/// Foreign images out of public packages, and drawn ones.
pub(crate) const FOREIGN_SETS: Script =
    ("foreign_sets.py", include_str!("../data/foreign_sets.py"));
/// scikit-learn's outlier detectors.
pub(crate) const DETECTORS: Script = (
    "outlier_detectors.py",
    include_str!("../peers/outlier_detectors.py"),
);

/// Writes scripts; the path of the first.
pub(crate) fn write(directory: &Path, scripts: &[Script]) -> Result<PathBuf> {
    for (name, text) in scripts {
        write_atomically(&directory.join(name), |w| write!(w, "{text}"))?;
    }
    let (name, _) = scripts.first().context("no script")?;
    Ok(directory.join(name))
}
