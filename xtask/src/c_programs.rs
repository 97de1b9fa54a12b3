//! The C interface, as C programs use it: the same source for this host and for the emulated Cortex-M4.
//!
//! `flowgate-c/tests/bits.c` decides on images and tries what a program can get wrong. Its lines must be the ones that
//! this host computes in Rust, and the board's program must link, which proves that no panic path is left in it.

use crate::inputs::Inputs;
use crate::setup::{self, C_COMPILER};
use crate::{CheckFailed, host, process, repo};
use anyhow::{Context, Result};
use clap::Args;
use flow_infer::gate::Decision;
use flowgate::output::Output;
use flowgate::table::Table;
use object::{Object, ObjectSection, SectionKind};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const EMULATOR: &str = "qemu-system-arm";
const TARGET: &str = "thumbv7em-none-eabihf";
/// Images of each committed sample.
const IMAGES: usize = 8;

/// Build the C interface, run a C program with it on this host and on the emulated M4, and compare every number.
///
/// Example: cargo xtask c-programs
#[derive(Args)]
pub(crate) struct CPrograms {}

impl CPrograms {
    pub(crate) fn run(&self) -> Result<()> {
        check()
    }
}

/// # Errors
/// Something that it needs cannot be installed, a program does not build, or a number differs.
pub(crate) fn check() -> Result<()> {
    setup::targets([TARGET].into_iter())?;
    setup::programs([EMULATOR, C_COMPILER.0].into_iter())?;
    let libraries = [library(None)?, library(Some(TARGET))?];
    let mut inputs = Inputs::default();
    for sample in repo::samples() {
        inputs.append(&Inputs::load(&sample, Some(IMAGES))?)?;
    }
    let mut table = Table::new(["model", "host", "Cortex-M4", "code on it, bytes"]);
    for model in repo::committed_models() {
        let wanted = lines(&fs::read(&model)?, &inputs)?;
        let folder = TempDir::new()?;
        let images = folder.path().join("images.bin");
        fs::write(
            &images,
            inputs.iter().flatten().copied().collect::<Vec<u8>>(),
        )?;
        let included = [("MODEL", model.as_path()), ("IMAGES", images.as_path())];
        let on_host = folder.path().join("host");
        process::run(&mut host_compiler(&libraries[0], &included, &on_host))?;
        compare(
            "host",
            &wanted,
            &process::stdout(&mut Command::new(&on_host))?,
        )?;
        let on_board = folder.path().join("m4.elf");
        process::run(&mut board_compiler(&libraries[1], &included, &on_board))?;
        compare("m4", &wanted, &printed_by_board(&on_board)?)?;
        let name = model.file_name().unwrap_or_default().to_string_lossy();
        let identical = format!("{} lines, the same", wanted.len());
        let code = code(&on_board)?.to_string();
        table.row([name.into_owned(), identical.clone(), identical, code]);
    }
    Ok(table.print(&mut Output::stdout())?)
}

fn folder() -> PathBuf {
    repo::root().join("flowgate-c")
}

/// Builds the static library for a target, or for this host.
fn library(target: Option<&str>) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--release", "--quiet"])
        .current_dir(folder());
    match target {
        Some(target) => cargo.args(["--features", "panic-handler", "--target", target]),
        None => cargo.args(["--features", "std"]),
    };
    process::run(&mut cargo)?;
    let built = repo::target_folder(&folder())?.join(target.unwrap_or_default());
    Ok(built.join("release/libflowgate.a"))
}

fn compiler(program: &str, sources: &[&str], included: &[(&str, &Path)]) -> Command {
    let mut command = Command::new(program);
    command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]);
    command.args(
        included
            .iter()
            .map(|(name, path)| format!("-D{name}=\"{}\"", path.display())),
    );
    command.args(
        sources
            .iter()
            .map(|source| folder().join("tests").join(source)),
    );
    command
}

fn host_compiler(library: &Path, included: &[(&str, &Path)], to: &Path) -> Command {
    let mut command = compiler("cc", &["bits.c"], included);
    command
        .arg(library)
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(to);
    command
}

fn board_compiler(library: &Path, included: &[(&str, &Path)], to: &Path) -> Command {
    let mut command = compiler(C_COMPILER.0, &["bits.c", "m4.c"], included);
    command.args([
        "-mcpu=cortex-m4",
        "-mfpu=fpv4-sp-d16",
        "-mfloat-abi=hard",
        "-mthumb",
    ]);
    command.args([
        "-ffreestanding",
        "-ffunction-sections",
        "-nostdlib",
        "-Wl,--gc-sections",
    ]);
    command.arg("-T").arg(folder().join("tests/m4.ld"));
    command.arg(library).args(["-lgcc", "-o"]).arg(to);
    command
}

fn emulator(program: &Path) -> Command {
    let mut command = Command::new(EMULATOR);
    command.args([
        "-M",
        "mps2-an386",
        "-nographic",
        "-monitor",
        "none",
        "-serial",
        "none",
    ]);
    command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
    command.arg(program);
    command
}

/// What the emulated board prints: QEMU writes a program's semihosted text to its own standard error.
fn printed_by_board(program: &Path) -> Result<String> {
    let output = process::capture(&mut emulator(program))?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What the C program shall print: an image a line.
fn lines(model: &[u8], inputs: &Inputs) -> Result<Vec<String>> {
    let answers = host::answers(model, inputs)?.into_iter();
    let line = answers.map(|answer| {
        let scores = answer.scores.context("a committed image is an input")?;
        Ok(format!(
            "{} {} {} {}",
            scores.log_prob_raw,
            scores.code_length_raw.unwrap_or(0),
            answer
                .score_raw
                .context("a committed model is calibrated")?,
            match answer.decision {
                Some(Decision::Accept) => "accept",
                _ => "reject",
            }
        ))
    });
    line.collect()
}

fn compare(machine: &str, wanted: &[String], printed: &str) -> Result<()> {
    let expected = wanted.iter().map(String::as_str);
    let expected: Vec<&str> = ["sound"]
        .into_iter()
        .chain(expected)
        .chain(["done"])
        .collect();
    if printed.lines().eq(expected.iter().copied()) {
        return Ok(());
    }
    let expected = expected.join("\n");
    Err(CheckFailed(format!(
        "the C program on {machine} printed\n{printed}\ninstead of\n{expected}"
    ))
    .into())
}

/// Bytes of code of a program.
fn code(program: &Path) -> Result<u64> {
    let bytes = fs::read(program)?;
    let file = object::File::parse(bytes.as_slice())?;
    let code = file
        .sections()
        .filter(|section| section.kind() == SectionKind::Text);
    Ok(code.map(|section| section.size()).sum())
}
