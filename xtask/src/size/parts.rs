//! `cargo xtask size --parts`: what each architecture costs in code when only it is used.
//!
//! The features of flow-infer decide what a build carries. The same gate is linked with each
//! choice; as one program without duplicates comes out of link-time optimization, differences of
//! its code are what a part adds.

use super::Sizes;
use crate::boards::{Board, Program};
use crate::{process, repo};
use anyhow::{Context, Result};
use flowgate::date;
use flowgate::table::Table;
use std::fs;

/// A choice of parts: its name, and the features of flow-infer.
struct Choice {
    name: &'static str,
    features: &'static str,
}

/// What the others are compared with.
const BASE: Choice = Choice {
    name: "RealNVP on images",
    features: "images",
};

/// The last one is the default, so that the folder is left as other verbs expect it.
const OTHERS: [Choice; 4] = [
    Choice {
        name: "RealNVP on vectors (tables, embeddings)",
        features: "vectors",
    },
    Choice {
        name: "RealNVP with autoencoder conditioners",
        features: "images,autoencoder",
    },
    Choice {
        name: "Glow",
        features: "images,glow",
    },
    Choice {
        name: "all",
        features: "full",
    },
];

/// Code of the gate with each choice of parts.
///
/// # Errors
/// A build failed.
pub(super) fn table(board: &Board) -> Result<Table> {
    let mut table = Table::new([
        "engine for",
        "features",
        "code, bytes",
        "more than the first",
    ]);
    let base = code(board, &BASE)?;
    table.row([BASE.name, BASE.features, &base.to_string(), "-"]);
    for choice in &OTHERS {
        let code = code(board, choice)?;
        let more = code as i64 - base as i64;
        let cells = [code.to_string(), format!("{more:+}")];
        table.row([choice.name, choice.features, &cells[0], &cells[1]]);
    }
    Ok(table)
}

fn code(board: &Board, choice: &Choice) -> Result<u64> {
    let features: Vec<String> = choice
        .features
        .split(',')
        .map(|name| format!("flow-infer/{name}"))
        .collect();
    let mut build = board.cargo("build");
    build.args([
        "--bin",
        &board.binary(Program::Gate),
        "--no-default-features",
    ]);
    process::run(build.args(["--features", &features.join(",")]))?;
    let elf = board.elf(Program::Gate)?;
    Ok(Sizes::of(&elf)
        .with_context(|| elf.display().to_string())?
        .text)
}

/// Writes the table to the records.
///
/// # Errors
/// The file cannot be written.
pub(super) fn record(board: &Board, table: &Table) -> Result<()> {
    let path = repo::root().join("records/code-size.md");
    let text = format!(
        "# Code size\n\nWritten by `cargo xtask size --board {} --parts --record` on {}: {}.\n\nThe gate as a whole \
         program (load, self-test, score, decide, log, drive the pin), optimized for size; the model is not counted. \
         Parts are features of flow-infer; a file that needs a part which a build leaves out is refused with a \
         sentence.\n\n{}",
        board.name,
        date::today(),
        process::version("rustc")?,
        table.markdown(),
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("written: {}", path.display());
    Ok(())
}
