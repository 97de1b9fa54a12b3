//! A virtual environment with PyTorch, made once.

use crate::progress;
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Wheels without CUDA, 0.2 GB. PyPI's Linux wheels for x86-64 bring CUDA, 3 GB: taken where the first cannot be had.
const CPU_WHEELS: &str = "https://download.pytorch.org/whl/cpu";

/// The interpreter of the environment in `directory`, made if it is not there yet.
pub(super) fn environment(directory: &Path) -> Result<PathBuf> {
    let python = directory.join(match cfg!(windows) {
        true => "Scripts/python.exe",
        false => "bin/python",
    });
    if has_torch(&python) {
        return Ok(python);
    }
    let spinner = progress::spinner(format!("PyTorch into {}", one_line(directory)));
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(directory));
    let made = made.and_then(|()| install(&python));
    spinner.finish_and_clear();
    made.with_context(|| one_line(directory).to_string())?;
    match has_torch(&python) {
        true => Ok(python),
        false => bail!("{}: PyTorch cannot be imported", one_line(directory)),
    }
}

fn has_torch(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import torch, numpy"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn install(python: &Path) -> Result<()> {
    let pip = |options: &[&str]| {
        let mut command = Command::new(python);
        command.args(["-m", "pip", "install", "--quiet"]);
        run(command.args(options))
    };
    pip(&["numpy"])?;
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
