//! A virtual environment with PyTorch and what else a comparison needs, made once.

use crate::progress;
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a peer talks: what the scripts of every bench import.
pub(super) const PEER: (&str, &str) = ("peer.py", include_str!("../../../bench/peer.py"));

/// Wheels without CUDA, 0.2 GB. PyPI's Linux wheels for x86-64 bring CUDA, 3 GB: taken where the first cannot be had.
const CPU_WHEELS: &str = "https://download.pytorch.org/whl/cpu";

/// The interpreter of the environment in `directory` with PyTorch and `more` packages, made or completed if it is not
/// there yet.
pub(super) fn environment(directory: &Path, more: &[&str]) -> Result<PathBuf> {
    let python = directory.join(match cfg!(windows) {
        true => "Scripts/python.exe",
        false => "bin/python",
    });
    let needed = [&["torch", "numpy"], more].concat();
    if has(&python, &needed) {
        return Ok(python);
    }
    let spinner = progress::spinner(format!(
        "{} into {}",
        needed.join(", "),
        one_line(directory)
    ));
    let made = match python.exists() {
        true => Ok(()),
        false => run(Command::new("python3").args(["-m", "venv"]).arg(directory)),
    };
    let made = made.and_then(|()| install(&python, more));
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

fn has(python: &Path, packages: &[&str]) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {}", packages.join(", "))]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn install(python: &Path, more: &[&str]) -> Result<()> {
    let pip = |options: &[&str]| {
        let mut command = Command::new(python);
        command.args(["-m", "pip", "install", "--quiet"]);
        run(command.args(options))
    };
    pip(&[&["numpy"], more].concat())?;
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
    pip(&small).or_else(|_| pip(&["torch"]))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| program.clone())?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    bail!(
        "{program}: {}",
        text.trim().lines().last().unwrap_or("failed")
    )
}
