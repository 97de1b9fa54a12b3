//! `flowgate new`, as somebody uses it: what it writes builds, and decides on the emulated board as `flowgate score` does
//! on this host.

use crate::{CheckFailed, process, repo, setup, watched};
use anyhow::{Context, Result};
use flowgate::output::Output;
use flowgate::table::Table;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const EMULATED: &str = "m4-qemu";
const EMULATOR: &str = "qemu-system-arm";
/// Boards, and what rustc calls them.
const BOARDS: [(&str, &str); 6] = [
    (EMULATED, "thumbv7em-none-eabihf"),
    ("stm32f401", "thumbv7em-none-eabihf"),
    ("nrf52840", "thumbv7em-none-eabihf"),
    ("rp2040", "thumbv6m-none-eabi"),
    ("rp2350", "thumbv8m.main-none-eabihf"),
    ("esp32c3", "riscv32imc-unknown-none-elf"),
];
/// An input of the vector model.
const MEASURED: &str = "1.5,-2.25\n";

/// Writes a crate for every board and builds it; runs those of the emulated board, one a kind of model.
///
/// # Errors
/// A crate is not written or does not build, or a decision or score is not the host's.
pub(crate) fn check() -> Result<()> {
    setup::targets(BOARDS.iter().map(|(_, target)| *target))?;
    setup::programs([EMULATOR].into_iter())?;
    let program = watched::build(true)?;
    let folder = TempDir::new()?;
    let table_file = folder.path().join("measured.csv");
    std::fs::write(&table_file, MEASURED)?;
    let recording = folder.path().join("recorded.csv");
    std::fs::write(&recording, recorded())?;
    let [garments, _] = repo::samples();
    let picture = repo::compiled_in_images().join("0-garment.pgm");
    let models = [
        ("images", repo::device_model(), garments),
        ("frames", repo::frames_model(), picture),
        ("vectors", repo::vectors_model(), table_file),
        ("windows", repo::windows_model(), recording),
    ];
    let mut table = Table::new(["crate", "on the board", "on this host"]);
    for (kind, model, example) in &models {
        let dir = folder.path().join(kind);
        write(&program, &dir, EMULATED, model, Some(example))?;
        let board = run(&dir)?;
        let host = score(&program, model, example)?;
        if !board.ends_with(&host) {
            return Err(CheckFailed(format!("{kind}: `{board}` instead of `{host}`")).into());
        }
        table.row([kind, board.as_str(), host.as_str()]);
    }
    for (board, _) in BOARDS.iter().filter(|(board, _)| *board != EMULATED) {
        let dir = folder.path().join(board);
        write(&program, &dir, board, &repo::device_model(), None)?;
        process::run(&mut built(&dir, "build"))?;
        table.row([board, "links", "-"]);
    }
    Ok(table.print(&mut Output::stdout())?)
}

/// A window of the windows model's two channels, 50 samples a second: they swing.
fn recorded() -> String {
    const SWING: [i16; 8] = [3, 165, 231, 158, -4, -161, -229, -164];
    let sample = |t: usize| {
        let [a, b] = [SWING[t % 8], SWING[(t + 2) % 8]];
        format!("{:.2},{a},{b}\n", t as f64 / 50.0)
    };
    let samples: String = (0..16).map(sample).collect();
    format!("time_s,a0,a1\n{samples}")
}

fn write(
    program: &Path,
    dir: &Path,
    board: &str,
    model: &Path,
    example: Option<&PathBuf>,
) -> Result<()> {
    let mut new = Command::new(program);
    new.args(["new", "--board", board, "--model"]);
    new.arg(model).arg("--path").arg(repo::root()).arg(dir);
    if let Some(example) = example {
        new.arg("--example").arg(example);
    }
    process::stdout(&mut new).map(|_| ())
}

/// A command of cargo in a written crate, with the dependencies that the boards have built already.
fn built(dir: &Path, verb: &str) -> Command {
    let mut cargo = process::cargo();
    cargo.args([verb, "--release", "--quiet"]).current_dir(dir);
    cargo.env("CARGO_TARGET_DIR", repo::firmware().join("target"));
    cargo
}

/// The last line that the program prints: decision and score.
fn run(dir: &Path) -> Result<String> {
    let printed = process::stdout(&mut built(dir, "run"))?;
    let last = printed.lines().last().context("nothing was printed")?;
    Ok(last.to_owned())
}

/// The same line, from this host.
fn score(program: &Path, model: &Path, data: &Path) -> Result<String> {
    let mut score = Command::new(program);
    score.args(["score", "--json", "--limit", "1", "--data"]);
    let printed = process::stdout(score.arg(data).arg(model))?;
    let line: serde_json::Value = serde_json::from_str(printed.trim())?;
    let decision = line["decision"].as_str().context("no decision")?;
    let raw = line["score_raw"].as_i64().context("no score")?;
    let (first, rest) = decision.split_at_checked(1).context("no decision")?;
    Ok(format!("{}{rest}, score_raw {raw}", first.to_uppercase()))
}
