//! A board with too little RAM does not link, and the linker says how many bytes are missing: shown in both directions.

use super::{STACK, is_stack};
use crate::boards::{Board, Program, target_folder};
use crate::{CheckFailed, process};
use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the linker of `firmware/link` looks for another part's `memory.x`.
const MEMORY: &str = "FLOWGATE_MEMORY";
/// Bytes by which the smaller part is too small.
const MISSING: u64 = 1000;

/// Links the gate with just enough RAM, and with [`MISSING`] bytes less; returns what is enough.
///
/// # Errors
/// The first does not link, or the second does, or fails with another sentence.
pub(super) fn prove(board: &Board) -> Result<u64> {
    let enough = need(&board.elf(Program::Gate)?)?;
    ensure!(
        build(board, enough)?.is_none(),
        "{}: {enough} bytes of RAM are not enough",
        board.name
    );
    let sentence = format!("will not fit in region 'RAM': overflowed by {MISSING} bytes");
    let errors = build(board, enough - MISSING)?.unwrap_or_default();
    if !errors.contains(&sentence) {
        let cause = format!(
            "{}: a link with {MISSING} bytes too little does not say `{sentence}`\n{errors}",
            board.name
        );
        return Err(CheckFailed(cause).into());
    }
    Ok(enough)
}

/// Bytes of RAM from the first static to the end of the stack.
fn need(elf: &Path) -> Result<u64> {
    let bytes = fs::read(elf)?;
    let file = object::File::parse(bytes.as_slice())?;
    let section = |wanted: &dyn Fn(&str) -> bool| {
        file.sections()
            .find(|section| section.name().is_ok_and(wanted))
    };
    let stack = section(&is_stack).with_context(|| format!("no section `{STACK}...`"))?;
    let first = section(&|name| name == ".data").context("no section `.data`")?;
    Ok(stack.address() + stack.size() - first.address())
}

/// What the linker complains of with so much RAM; `None` if it does not.
fn build(board: &Board, ram: u64) -> Result<Option<String>> {
    let folder = part(board, ram)?;
    let mut build = board.cargo("build");
    build
        .args(["--bin", &board.binary(Program::Gate)])
        .env(MEMORY, &folder);
    let output = process::capture(&mut build)?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((!output.status.success()).then_some(errors))
}

/// A folder with the board's `memory.x`, but so much RAM.
fn part(board: &Board, ram: u64) -> Result<PathBuf> {
    let layout = fs::read_to_string(board.folder().join("memory.x"))?;
    let lines = layout
        .lines()
        .map(|line| match line.split_once("LENGTH =") {
            Some((start, _)) if line.trim_start().starts_with("RAM") => {
                format!("{start}LENGTH = {ram}\n")
            }
            _ => format!("{line}\n"),
        });
    let folder = target_folder()?.join(format!("ram/{}-{ram}", board.name));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("memory.x"), lines.collect::<String>())?;
    Ok(folder)
}
