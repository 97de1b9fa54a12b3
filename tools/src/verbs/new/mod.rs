//! `flowgate new`: a firmware of one's own around a `.flow`.

mod board;
mod example;
mod files;
mod fit;
mod template;

use crate::model::Loaded;
use crate::number::grouped;
use crate::output::Output;
use crate::table::Table;
use anyhow::{Context, Result, bail};
use board::{BOARDS, Board};
use clap::builder::PossibleValuesParser;
use example::Example;
use files::Files;
use fit::Need;
use flow_infer::{Gate, Model, Workspace};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};

/// Write a firmware of one's own around a calibrated .flow: a crate that `cargo run` flashes or emulates
#[derive(clap::Args)]
#[command(
    after_help = "The crate stands alone: its manifest, memory.x, runner and a short program around the model, which \
    decides about an example until you put your sensor there. A model that does not fit the board is refused.\n\n\
    Examples:\n  flowgate new parts-gate --board m4-qemu --model gate.flow\n  cd parts-gate && cargo run --release\n  \
    flowgate new camera --board stm32f401 --model gate.flow --example part.png --path ../flowgate"
)]
pub(crate) struct Args {
    /// Where the crate goes: a directory that is not there yet, or is empty
    dir: PathBuf,
    /// For which board
    #[arg(
        long,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(BOARDS.iter().map(|board| board.name))
    )]
    board: String,
    /// A calibrated .flow in integers
    #[arg(long, value_name = "GATE.flow")]
    model: PathBuf,
    /// What the program decides about: a picture, or data of which it takes the first item; otherwise a golden vector
    #[arg(long, value_name = "PATH")]
    example: Option<PathBuf>,
    /// Take flow-infer from this checkout of flowgate instead of the registry
    #[arg(long, value_name = "CHECKOUT")]
    path: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        files::check(&self.dir)?;
        let board = board::find(&self.board).context("--board: there is no such board")?;
        let loaded = Loaded::open_flow(&self.model)?;
        let name = || one_line(&self.model).to_string();
        opens(loaded.bytes()).with_context(name)?;
        let artifact = loaded.artifact()?;
        let example = Example::of(&artifact, self.example.as_deref())?;
        let need = Need::of(&artifact, &example.bytes, board);
        need.check(board).with_context(name)?;
        let files = Files {
            board,
            package: package(&self.dir)?,
            model: file_name(&self.model),
            artifact: &artifact,
            example: &example,
            need,
            source: self.source()?,
        };
        files.write(&self.dir)?;
        print(&self.dir, board, need, out)
    }

    /// Where the manifest gets flow-infer from.
    fn source(&self) -> Result<String> {
        let Some(checkout) = &self.path else {
            return Ok(format!("version = {:?}", env!("CARGO_PKG_VERSION")));
        };
        let folder = checkout.join("flow-infer");
        if !folder.join("Cargo.toml").is_file() {
            bail!(
                "--path: {}: there is no flow-infer in it",
                one_line(checkout)
            );
        }
        let folder = folder.canonicalize()?;
        let folder = folder.to_str().context("--path: is no Unicode")?;
        // A string of JSON is one of TOML.
        Ok(format!("path = {}", serde_json::to_string(folder)?))
    }
}

/// Whether a board could open the gate, asked here.
fn opens(bytes: &[u8]) -> Result<()> {
    let model = Model::load(bytes)?;
    let mut workspace = Workspace::for_model(&model);
    Gate::new(model, &mut workspace)?;
    Ok(())
}

/// What a file is called, without its folder.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    one_line(Path::new(name)).to_string()
}

/// A name that Cargo takes, after the directory.
fn package(dir: &Path) -> Result<String> {
    let name = dir.file_name().context("the directory has no name")?;
    let known = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = name.to_string_lossy().chars().map(known).collect();
    let name = name.trim_matches('-');
    // A word of Rust or Cargo is no name, and neither is a number.
    Ok(
        match name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.contains("gate") {
            true => name.to_owned(),
            false => format!("gate-{name}").trim_matches('-').to_owned(),
        },
    )
}

fn print(dir: &Path, board: &Board, need: Need, out: &mut Output) -> Result<()> {
    let of = |need, has| format!("{} of {} bytes", grouped(need), grouped(has));
    let mut table = Table::facts();
    table.fact("board", board.what);
    table.fact("flash", of(need.flash, board.flash));
    table.fact("RAM", of(need.ram, board.ram));
    table.fact("written", one_line(dir).to_string());
    table.fact(
        "next",
        format!("cd {} && cargo run --release", one_line(dir)),
    );
    Ok(table.print(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_give_names_that_cargo_takes() {
        let name = |dir: &str| package(Path::new(dir)).unwrap();
        assert_eq!(name("a/parts-gate"), "parts-gate");
        assert_eq!(name("Parts of 2026"), "gate-parts-of-2026");
        assert_eq!(name("2026"), "gate-2026");
        assert_eq!(name("test"), "gate-test");
        assert_eq!(name("é"), "gate");
        assert!(package(Path::new("/")).is_err());
    }
}
