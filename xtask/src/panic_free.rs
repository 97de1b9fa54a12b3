//! `cargo xtask panic-free`: the proof by the linker, in both directions.
//!
//! The panic handler of a release build calls a function that does not exist, so a firmware that
//! links contains no path to a panic. That a path does stop the linker is shown as well: the same
//! firmware is built once more with one panic left in on purpose.

use crate::boards::{self, Board, Program};
use crate::{CheckFailed, process, setup};
use anyhow::Result;
use clap::Args;

/// The one panic that `firmware/app/src/forced_panic.rs` leaves in: a feature of the program that all boards run.
const FORCED_PANIC: [&str; 4] = [
    "--package",
    "flowgate-app",
    "--features",
    "flowgate-app/forced-panic",
];
/// The function that does not exist.
const UNDEFINED: &str = "undefined symbol: a_panic_path_remains";

/// Prove that no panic path remains in the release firmware, and that the proof can fail.
///
/// Example: cargo xtask panic-free
#[derive(Args)]
pub(crate) struct PanicFree {}

impl PanicFree {
    pub(crate) fn run(&self) -> Result<()> {
        let boards = boards::all()?;
        setup::targets(boards.iter().map(|board| board.target.as_str()))?;
        for board in &boards {
            prove(board)?;
            prove_noticed(board)?;
            println!(
                "{}: no panic path; one left in on purpose does not link",
                board.name
            );
        }
        Ok(())
    }
}

/// # Errors
/// A panic path remains.
pub(crate) fn prove(board: &Board) -> Result<()> {
    for programs in board.programs() {
        process::run(&mut board.cargo_of_all("build", &programs))?;
    }
    Ok(())
}

/// # Errors
/// A panic path that remains would not be noticed.
pub(crate) fn prove_noticed(board: &Board) -> Result<()> {
    let mut forced = board.cargo_of("build", Program::Gate);
    forced
        .args(["--package", &board.package()])
        .args(FORCED_PANIC);
    let output = process::capture(&mut forced)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || !errors.contains(UNDEFINED) {
        let line = process::line(&forced);
        return Err(CheckFailed(format!(
            "`{line}` did not fail with `{UNDEFINED}`\n{errors}"
        ))
        .into());
    }
    Ok(())
}
