//! `cargo xtask size`: what the firmware costs in flash and RAM, by crate or by architecture.

mod parts;
mod ram;

use crate::boards::{self, Board, Program};

use crate::{CheckFailed, process, setup};
use anyhow::{Context, Result};
use clap::Args;
use flowgate::output::Output;
use flowgate::table::Table;
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Code of the whole gate on the Cortex-M4, engine included, stays below this.
const TEXT_LIMIT: u64 = 36 * 1024;

/// Show the size of the gate firmware, section by section and crate by crate.
///
/// Example: cargo xtask size --board m4
#[derive(Args)]
pub(crate) struct Size {
    /// Folder name under firmware/boards.
    #[arg(long, default_value = "m4")]
    board: String,
    /// Show what each architecture costs in code instead.
    #[arg(long)]
    parts: bool,
    /// Write that table to records/code-size.md.
    #[arg(long, requires = "parts")]
    record: bool,
}

/// How the section that `firmware/link` reserves for the stack begins; its length follows.
const STACK: &str = ".stack_of_";

/// Sizes of one program, in bytes.
pub(crate) struct Sizes {
    pub(crate) text: u64,
    pub(crate) constants: u64,
    /// Statics, scratch included.
    pub(crate) ram: u64,
    /// Reserved for the stack by the linker; nothing on RISC-V, where it gets all that is left.
    pub(crate) stack: Option<u64>,
    text_by_crate: BTreeMap<String, u64>,
}

impl Size {
    pub(crate) fn run(&self) -> Result<()> {
        let boards = boards::all()?;
        let board = boards.into_iter().find(|board| board.name == self.board);
        let board = board.with_context(|| format!("no board `{}`", self.board))?;
        setup::targets([board.target.as_str()].into_iter())?;
        if !self.parts {
            return check(&board);
        }
        let table = parts::table(&board)?;
        table.print(&mut Output::stdout())?;
        match self.record {
            true => parts::record(&board, &table),
            false => Ok(()),
        }
    }
}

/// Builds the gate, prints its sizes, and checks the code against the limit.
///
/// # Errors
/// The build failed, or the code is too large.
pub(crate) fn check(board: &Board) -> Result<()> {
    process::run(
        board
            .cargo("build")
            .args(["--bin", &board.binary(Program::Gate)]),
    )?;
    let elf = board.elf(Program::Gate)?;
    let sizes = Sizes::of(&elf).with_context(|| elf.display().to_string())?;
    let mut table = Table::new(["code of crate", "bytes"]);
    let mut crates: Vec<_> = sizes.text_by_crate.iter().collect();
    crates.sort_by_key(|&(_, &bytes)| std::cmp::Reverse(bytes));
    for (name, bytes) in crates {
        table.row([name.clone(), bytes.to_string()]);
    }
    table.row(["all code".into(), sizes.text.to_string()]);
    table.row([
        "constants, model included".into(),
        sizes.constants.to_string(),
    ]);
    table.row(["static RAM, scratch included".into(), sizes.ram.to_string()]);
    if let Some(stack) = sizes.stack {
        table.row(["reserved for the stack".into(), stack.to_string()]);
    }
    table.print(&mut Output::stdout())?;
    if sizes.text > TEXT_LIMIT {
        let cause = format!(
            "{}: {} bytes of code, more than {TEXT_LIMIT}",
            board.name, sizes.text
        );
        return Err(CheckFailed(cause).into());
    }
    if sizes.stack.is_some() {
        let enough = ram::prove(board)?;
        println!(
            "links with {enough} bytes of RAM; with fewer the linker says how many are missing"
        );
    }
    Ok(())
}

impl Sizes {
    /// Code of a crate, without what was inlined elsewhere.
    pub(crate) fn text_of(&self, name: &str) -> u64 {
        self.text_by_crate.get(name).copied().unwrap_or(0)
    }

    /// Sizes of a linked program. Inlined code counts for the crate of the function that it was inlined into.
    ///
    /// # Errors
    /// The file is missing or no ELF file.
    pub(crate) fn of(elf: &Path) -> Result<Self> {
        let bytes = fs::read(elf)?;
        let file = object::File::parse(bytes.as_slice())?;
        let total = |wanted: &[SectionKind]| -> u64 {
            let sections = file
                .sections()
                .filter(|section| wanted.contains(&section.kind()))
                // riscv-rt's linker script gives the stack all RAM that is left, as a section.
                .filter(|section| !matches!(section.name(), Ok(".stack" | ".heap")))
                .filter(|section| !section.name().is_ok_and(is_stack));
            sections.map(|section| section.size()).sum()
        };
        let mut text_by_crate = BTreeMap::new();
        for symbol in file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text)
        {
            *text_by_crate.entry(crate_of(symbol.name()?)).or_default() += symbol.size();
        }
        text_by_crate.retain(|_, &mut bytes| bytes > 0);
        Ok(Self {
            text: total(&[SectionKind::Text]),
            constants: total(&[SectionKind::ReadOnlyData, SectionKind::ReadOnlyString]),
            ram: total(&[SectionKind::Data, SectionKind::UninitializedData]),
            stack: file
                .sections()
                .find(|section| section.name().is_ok_and(is_stack))
                .map(|section| section.size()),
            text_by_crate,
        })
    }
}

fn is_stack(section: &str) -> bool {
    section.starts_with(STACK)
}

/// The crate in which a symbol was written: the first path segment that is an identifier.
fn crate_of(symbol: &str) -> String {
    let path = format!("{:#}", rustc_demangle::demangle(symbol));
    if !path.contains("::") {
        return "(runtime)".to_owned();
    }
    let start = path
        .trim_start_matches(['<', '&'])
        .trim_start_matches("mut ");
    let end = start
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(start.len());
    start[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::crate_of;

    #[test]
    fn symbols_name_their_crate() {
        assert_eq!(
            crate_of("_ZN17flowgate_emulated3run17h1846cd6a35c9f11eE"),
            "flowgate_emulated"
        );
        let of_trait =
            "_ZN53_$LT$flow_infer..a..B$u20$as$u20$core..fmt..Debug$GT$4send17h79cdd17601c0bd00E";
        assert_eq!(crate_of(of_trait), "flow_infer");
        assert_eq!(crate_of("__aeabi_memclr4"), "(runtime)");
    }
}
