//! Commands that say what they are when they fail.

use crate::CheckFailed;
use anyhow::{Context, Result};
use std::process::{Command, Output, Stdio};

/// The cargo that runs this program, so that every build uses one toolchain.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The command as one would type it, with the folder it runs in.
pub(crate) fn line(command: &Command) -> String {
    let mut words: Vec<String> = vec![];
    if let Some(folder) = command.get_current_dir() {
        words.push(format!("cd {} &&", folder.display()));
    }
    for (name, value) in command.get_envs() {
        let value = value.unwrap_or_default().to_string_lossy();
        words.push(format!("{}='{value}'", name.to_string_lossy()));
    }
    let program = command.get_program().to_string_lossy();
    words.push(program.rsplit('/').next().unwrap_or_default().to_owned());
    words.extend(command.get_args().map(|word| {
        let word = word.to_string_lossy();
        if word.contains([' ', '"']) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    }));
    words.join(" ")
}

/// Runs the command, its output going where ours goes.
///
/// # Errors
/// The command could not start, or failed; the message is the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(CheckFailed(format!("`{}` failed: {status}", line(command))).into())
    }
}

/// Runs the command and keeps its output, whatever its status.
///
/// # Errors
/// The command could not start.
pub(crate) fn capture(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))
}

/// Runs the command and returns what it printed.
///
/// # Errors
/// The command could not start, or failed; its error output is shown.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let output = capture(command)?;
    if !output.status.success() {
        let cause = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let line = line(command);
        return Err(CheckFailed(format!("`{line}` failed: {}\n{cause}", output.status)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a program says of its version, in one line.
///
/// # Errors
/// As [`stdout`].
pub(crate) fn version(program: &str) -> Result<String> {
    let text = stdout(Command::new(program).arg("--version"))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
