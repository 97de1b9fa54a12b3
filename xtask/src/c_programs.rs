//! The C interface, as C programs use it: the same source for this host and for the emulated Cortex-M4.
//!
//! `flowgate-c/tests/bits.c` decides on images, `windows.c` on a sensor's samples, and both try what a program can get
//! wrong. Their lines must be the ones that this host computes in Rust, and the board's programs must link, which proves
//! that no panic path is left in them.

use crate::inputs::Inputs;
use crate::setup::{self, C_COMPILER};
use crate::{CheckFailed, host, made_windows, process, repo};
use anyhow::{Context, Result};
use clap::Args;
use flow_infer::{Decision, Gate, Model, Workspace};
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
    let images: Vec<u8> = inputs.iter().flatten().copied().collect();
    for model in repo::committed_models() {
        let program = Trial {
            source: "bits.c",
            data: ("IMAGES", &images),
            wanted: lines(&fs::read(&model)?, &inputs)?,
            model,
        };
        table.row(program.compare(&libraries)?);
    }
    let model = repo::windows_model();
    let (wanted, samples) = windows(&fs::read(&model)?)?;
    let program = Trial {
        source: "windows.c",
        data: ("SAMPLES", &samples),
        wanted,
        model,
    };
    table.row(program.compare(&libraries)?);
    Ok(table.print(&mut Output::stdout())?)
}

/// A C program with what is included in it, and what it shall print.
struct Trial<'d> {
    source: &'static str,
    model: PathBuf,
    /// Name of the macro, and the file's bytes.
    data: (&'static str, &'d [u8]),
    wanted: Vec<String>,
}

impl Trial<'_> {
    /// Runs it on this host and on the board; a row of the table.
    fn compare(&self, libraries: &[PathBuf; 2]) -> Result<[String; 4]> {
        let folder = TempDir::new()?;
        let data = folder.path().join("data.bin");
        fs::write(&data, self.data.1)?;
        let included = [
            ("MODEL", self.model.as_path()),
            (self.data.0, data.as_path()),
        ];
        let on_host = folder.path().join("host");
        process::run(&mut host_compiler(
            &libraries[0],
            self.source,
            &included,
            &on_host,
        ))?;
        let printed = process::stdout(&mut Command::new(&on_host))?;
        compare("host", &self.wanted, &printed)?;
        let on_board = folder.path().join("m4.elf");
        process::run(&mut board_compiler(
            &libraries[1],
            self.source,
            &included,
            &on_board,
        ))?;
        compare("m4", &self.wanted, &printed_by_board(&on_board)?)?;
        let name = self.model.file_name().unwrap_or_default();
        let identical = format!("{} lines, the same", self.wanted.len());
        Ok([
            name.to_string_lossy().into_owned(),
            identical.clone(),
            identical,
            code(&on_board)?.to_string(),
        ])
    }
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

fn host_compiler(library: &Path, source: &str, included: &[(&str, &Path)], to: &Path) -> Command {
    let mut command = compiler("cc", &[source], included);
    command
        .arg(library)
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(to);
    command
}

fn board_compiler(library: &Path, source: &str, included: &[(&str, &Path)], to: &Path) -> Command {
    let mut command = compiler(C_COMPILER.0, &[source, "m4.c"], included);
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
            word(answer.decision.context("a committed model decides")?)
        ))
    });
    line.collect()
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "accept",
        Decision::Reject => "reject",
        Decision::Invalid => "invalid",
    }
}

/// What the C program shall print of made samples, a window a line, and the samples' bytes.
fn windows(model: &[u8]) -> Result<(Vec<String>, Vec<u8>)> {
    let model = Model::load(model)?;
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace)?;
    let shape = gate.windows().context("the model has no windows")?;
    let (length, channels) = (shape.samples(), shape.channels());
    let samples = made_windows::samples(length, channels);
    let mut lines = Vec::new();
    for sample in samples.chunks_exact(channels) {
        let Some(assessment) = gate.push(sample)? else {
            continue;
        };
        let scores = assessment.scores;
        let fault = scores.fault.map_or_else(String::new, |fault| {
            format!(" {} {}", fault.kind.name(), fault.channel)
        });
        lines.push(format!(
            "{} {} {} {}{fault}",
            scores.log_prob_raw,
            scores.code_length_raw.unwrap_or(0),
            assessment.score_raw,
            word(assessment.decision)
        ));
    }
    let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes());
    Ok((lines, bytes.collect()))
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
