//! The log of an emulated board as text.

use crate::{process, setup};
use anyhow::{Context, Result, bail};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Turns the frames of a board's log into text, with the program that wrote them at hand.
///
/// # Errors
/// defmt-print is missing or cannot read the log.
pub(crate) fn decode(elf: &Path, log: &[u8]) -> Result<String> {
    setup::log_decoder()?;
    let mut command = Command::new("defmt-print");
    command
        .arg("-e")
        .arg(elf)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let line = process::line(&command);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let mut input = child.stdin.take().context("no standard input")?;
    let log = log.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&log));
    let output = child.wait_with_output()?;
    if !output.status.success() || writer.join().is_err() {
        bail!("`{line}` failed: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
