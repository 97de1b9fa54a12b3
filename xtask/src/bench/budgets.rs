//! `cargo xtask bench budgets`: what `flowgate build` makes of budgets and sizes, on the same drawn parts.
//!
//! The parts are those of `flowgate data parts`; nothing was tuned to them. A row that no flow fits says so.

use crate::{process, watched};
use anyhow::{Context, Result, bail};
use clap::Args;
use flowgate::table::Table;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A budget, and what is asked of it.
struct Case {
    flash: &'static str,
    ram: &'static str,
    multiplies: &'static str,
    size: &'static str,
    colour: &'static str,
    family: &'static str,
}

impl Case {
    const fn new(
        [flash, ram, multiplies]: [&'static str; 3],
        [size, colour, family]: [&'static str; 3],
    ) -> Self {
        Self {
            flash,
            ram,
            multiplies,
            size,
            colour,
            family,
        }
    }

    /// Most passes over the training data, so that no row takes more than some minutes.
    fn epochs(&self) -> &'static str {
        match (self.family, self.size) {
            ("dense", _) | (_, "16x16") => "60",
            (_, "32x32") => "20",
            (_, "64x64") => "8",
            _ => "2",
        }
    }
}

const CASES: [Case; 11] = [
    Case::new(["64K", "16K", "16M"], ["8x8", "grey", "dense"]),
    Case::new(["64K", "16K", "16M"], ["16x16", "grey", "dense"]),
    Case::new(["256K", "64K", "16M"], ["16x16", "grey", "dense"]),
    Case::new(["256K", "64K", "16M"], ["16x16", "rgb", "dense"]),
    Case::new(["1M", "256K", "16M"], ["32x32", "grey", "dense"]),
    Case::new(["1M", "256K", "16M"], ["32x32", "rgb", "dense"]),
    Case::new(["64K", "16K", "16M"], ["16x16", "grey", "realnvp"]),
    Case::new(["256K", "64K", "16M"], ["32x32", "grey", "realnvp"]),
    Case::new(["256K", "64K", "16M"], ["32x32", "grey", "bottleneck"]),
    Case::new(["1M", "256K", "16M"], ["64x64", "grey", "glow"]),
    Case::new(["1M", "256K", "64M"], ["96x96", "rgb", "glow"]),
];
/// Sides of the drawings: larger than every input, and whole multiples of none.
const SIDES: [&str; 2] = ["280", "420"];

/// Build gates of drawn parts for budgets from 64 KiB of flash to 1 MiB, and say what each costs and detects.
///
/// Example: cargo xtask bench budgets --first 3
#[derive(Args)]
pub(crate) struct Budgets {
    /// The part that is drawn.
    #[arg(long, default_value = "board")]
    kind: String,
    /// Only the first cases.
    #[arg(long, default_value_t = CASES.len())]
    first: usize,
    /// Leave out so many cases before.
    #[arg(long, default_value_t = 0)]
    skip: usize,
}

impl Budgets {
    pub(crate) fn run(&self) -> Result<()> {
        let program = watched::build(true)?;
        let folder = tempfile::tempdir()?;
        let parts = folder.path().join("parts");
        process::run(
            Command::new(&program)
                .args(["data", "parts", "--kind", &self.kind, "--sides"])
                .args(SIDES)
                .arg("--out")
                .arg(&parts),
        )?;
        let mut table = Table::new([
            "flash, RAM, multiplies",
            "input",
            "family, epochs",
            "gate",
            "scratch",
            "multiplies",
            "M4",
            "own rejected",
            "broken rejected",
            "AUROC",
        ])
        .left(3);
        let cases = CASES.iter().enumerate().take(self.first).skip(self.skip);
        for (index, case) in cases {
            let out = folder.path().join(format!("gate-{index}"));
            let row = row(&program, &parts, &out, case)?;
            eprintln!("{}", row.join(" | "));
            table.row(row);
        }
        print!("{}", table.markdown());
        Ok(())
    }
}

fn row(program: &Path, parts: &Path, out: &Path, case: &Case) -> Result<Vec<String>> {
    let mut foreign = std::ffi::OsString::from("broken=");
    foreign.push(parts.join("broken"));
    let mut build = Command::new(program);
    build
        .args(["build", "--flash", case.flash, "--ram", case.ram])
        .args(["--multiplies", case.multiplies, "--size", case.size])
        .args(["--colour", case.colour, "--preset", case.family])
        .args(["--epochs", case.epochs(), "--data"])
        .arg(parts.join("good"))
        .arg("--ood")
        .arg(foreign)
        .arg("--out")
        .arg(out);
    let output = build.output()?;
    let begin = [
        format!("{}, {}, {}", case.flash, case.ram, case.multiplies),
        format!("{} {}", case.size, case.colour),
        format!("{}, {}", case.family, case.epochs()),
    ];
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let Some((_, why)) = why.split_once("takes ") else {
            bail!("{} of {}: {why}", case.family, case.size);
        };
        let why = why.split(';').next().unwrap_or_default().trim();
        return Ok([&begin[..], &[format!("does not fit: {why}")]].concat());
    }
    let model = json(
        Command::new(program)
            .args(["inspect", "--json"])
            .arg(out.join("gate.flow")),
    )?;
    let results = std::fs::read(out.join("report/results.json"))?;
    let results: Value = serde_json::from_slice(&results)?;
    let share = |set: &Value| {
        format!(
            "{:.1} %",
            100.0 * set["rejected_share"].as_f64().unwrap_or(0.0)
        )
    };
    let number = |value: &Value| value.as_u64().map_or("-".to_owned(), |n| n.to_string());
    let cost = &model["cost"];
    let cores = cost["instructions"].as_array();
    let m4 = cores.and_then(|all| all.iter().find(|core| core["board"] == "m4"));
    let scores = results["scores"].as_array();
    let combined = scores.and_then(|all| all.iter().find(|s| s["name"] == "combined"));
    let auroc = combined.and_then(|c| c["separation"]["broken"]["auroc"].as_f64());
    Ok([
        &begin[..],
        &[
            number(&cost["flash_bytes"]),
            number(&cost["scratch_bytes"]),
            number(&cost["macs"]),
            m4.map_or("-".to_owned(), |core| number(&core["instructions"])),
            share(&results["in"]),
            share(&results["ood"][0]),
            auroc.map_or("-".to_owned(), |a| format!("{a:.4}")),
        ],
    ]
    .concat())
}

fn json(command: &mut Command) -> Result<Value> {
    let text = process::stdout(command)?;
    serde_json::from_str(&text).context("flowgate inspect --json")
}
