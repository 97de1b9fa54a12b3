//! Running a registry's client.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::FetchError;

/// Runs `program` in `directory`; `instead` is the advice when it is not installed.
pub(super) fn run(
    program: &str,
    arguments: &[&str],
    directory: &Path,
    instead: &'static str,
) -> Result<(), FetchError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FetchError::MissingProgram {
            program: program.to_owned(),
            instead,
        },
        _ => FetchError::Io {
            path: program.into(),
            source: error,
        },
    })?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().map(str::trim).rfind(|line| !line.is_empty());
    Err(FetchError::ProgramFailed {
        command: [&[program], arguments].concat().join(" "),
        output: last.map_or_else(|| output.status.to_string(), str::to_owned),
    })
}
