//! A virtual environment with PyTorch and what else a comparison needs, made once.

use crate::progress;
use crate::python::{has, interpreter, make, pip};
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};

/// How a peer talks: what the scripts of every bench import.
pub(super) const PEER: (&str, &str) = ("peer.py", include_str!("../../../bench/peer.py"));

/// Wheels without CUDA, 0.2 GB. PyPI's Linux wheels for x86-64 bring CUDA, 3 GB: taken where the first cannot be had.
const CPU_WHEELS: &str = "https://download.pytorch.org/whl/cpu";

/// The interpreter of the environment in `directory` with PyTorch and `more` packages, made or completed if it is not
/// there yet.
pub(super) fn environment(directory: &Path, more: &[&str]) -> Result<PathBuf> {
    let python = interpreter(directory);
    let needed = [&["torch", "numpy"], more].concat();
    if has(&python, &needed) {
        return Ok(python);
    }
    let what = format!("{} into {}", needed.join(", "), one_line(directory));
    let spinner = progress::spinner(what);
    let made = make(directory).and_then(|()| install(&python, more));
    spinner.finish_and_clear();
    made.with_context(|| one_line(directory).to_string())?;
    match has(&python, &needed) {
        true => Ok(python),
        false => bail!(
            "{}: cannot import {}",
            one_line(directory),
            needed.join(", ")
        ),
    }
}

fn install(python: &Path, more: &[&str]) -> Result<()> {
    pip(python, &[&["numpy"], more].concat())?;
    if has(python, &["torch"]) {
        return Ok(());
    }
    let small = [
        "torch",
        "--index-url",
        CPU_WHEELS,
        "--retries",
        "0",
        "--timeout",
        "15",
    ];
    pip(python, &small).or_else(|_| pip(python, &["torch"]))
}
