//! Virtual environments of Python, for what its libraries do better than we should.

use crate::progress;
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A package: as it is imported, and as it is called on PyPI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    pub(crate) import: &'static str,
    pub(crate) name: &'static str,
}

/// Where the interpreter of an environment lies.
pub(crate) fn interpreter(directory: &Path) -> PathBuf {
    directory.join(match cfg!(windows) {
        true => "Scripts/python.exe",
        false => "bin/python",
    })
}

/// The interpreter of the environment in `directory` with these packages, made or completed if they
/// are not there yet.
pub(crate) fn environment(directory: &Path, packages: &[Package]) -> Result<PathBuf> {
    let python = interpreter(directory);
    let imports: Vec<&str> = packages.iter().map(|package| package.import).collect();
    if has(&python, &imports) {
        return Ok(python);
    }
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    let what = format!("{} into {}", names.join(", "), one_line(directory));
    let spinner = progress::spinner(what);
    let made = make(directory).and_then(|()| pip(&python, &names));
    spinner.finish_and_clear();
    made.with_context(|| one_line(directory).to_string())?;
    match has(&python, &imports) {
        true => Ok(python),
        false => bail!(
            "{}: cannot import {}",
            one_line(directory),
            imports.join(", ")
        ),
    }
}

/// An environment without packages, if there is none yet.
pub(crate) fn make(directory: &Path) -> Result<()> {
    if interpreter(directory).exists() {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(directory)).map(drop)
}

/// Installs packages; options may stand among them.
pub(crate) fn pip(python: &Path, packages: &[&str]) -> Result<()> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet"]);
    run(command.args(packages)).map(drop)
}

/// Whether modules can be imported.
pub(crate) fn has(python: &Path, imports: &[&str]) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {}", imports.join(", "))]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs a program to its end and gives what it printed; of a failure the last line that it said.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| program.clone())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    bail!(
        "{program}: {}",
        text.trim().lines().last().unwrap_or("failed")
    )
}
