//! `cargo xtask bench budgets`: what `flowgate build` makes of budgets and sizes, on the same drawn parts.
//!
//! The parts are those of `flowgate data parts`; nothing was tuned to them. A row that no flow fits says so.

use crate::{process, repo};
use anyhow::{Context, Result, bail};
use clap::Args;
use flowgate::table::Table;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Budgets of flash and RAM, sizes, colours, families.
const CASES: [(&str, &str, &str, &str, &str); 10] = [
    ("64K", "16K", "8x8", "grey", "dense"),
    ("64K", "16K", "16x16", "grey", "dense"),
    ("256K", "64K", "16x16", "grey", "dense"),
    ("256K", "64K", "16x16", "rgb", "dense"),
    ("1M", "256K", "32x32", "grey", "dense"),
    ("1M", "256K", "32x32", "rgb", "dense"),
    ("64K", "16K", "16x16", "grey", "realnvp"),
    ("256K", "64K", "32x32", "grey", "realnvp"),
    ("1M", "256K", "64x64", "grey", "realnvp"),
    ("1M", "256K", "96x96", "rgb", "realnvp"),
];

/// Build gates of drawn parts for budgets from 64 KiB of flash to 1 MiB, and say what each costs and detects.
///
/// Example: cargo xtask bench budgets --first 3
#[derive(Args)]
pub(crate) struct Budgets {
    /// The part that is drawn.
    #[arg(long, default_value = "board")]
    kind: String,
    /// Most passes over the training data.
    #[arg(long, default_value_t = 150)]
    epochs: u32,
    /// Only the first cases.
    #[arg(long, default_value_t = CASES.len())]
    first: usize,
    /// Leave out so many cases before.
    #[arg(long, default_value_t = 0)]
    skip: usize,
}

impl Budgets {
    pub(crate) fn run(&self) -> Result<()> {
        process::run(
            process::cargo()
                .args(["build", "--quiet", "-p", "flowgate"])
                .current_dir(repo::root()),
        )?;
        let folder = tempfile::tempdir()?;
        let parts = folder.path().join("parts");
        process::run(
            flowgate()
                .args(["data", "parts", "--kind", &self.kind, "--out"])
                .arg(&parts),
        )?;
        let mut table = Table::new([
            "flash, RAM",
            "input",
            "family",
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
            table.row(self.row(&parts, &out, *case)?);
        }
        print!("{}", table.markdown());
        Ok(())
    }

    fn row(
        &self,
        parts: &Path,
        out: &Path,
        (flash, ram, size, colour, family): (&str, &str, &str, &str, &str),
    ) -> Result<Vec<String>> {
        let mut foreign = std::ffi::OsString::from("broken=");
        foreign.push(parts.join("broken"));
        let epochs = self.epochs.to_string();
        let mut build = flowgate();
        build
            .args(["build", "--flash", flash, "--ram", ram, "--size", size])
            .args(["--colour", colour, "--preset", family, "--epochs", &epochs])
            .args(["--multiplies", "64M", "--data"])
            .arg(parts.join("good"))
            .arg("--ood")
            .arg(foreign)
            .arg("--out")
            .arg(out);
        let output = build.output()?;
        let begin = [
            format!("{flash}, {ram}"),
            format!("{size} {colour}"),
            family.to_owned(),
        ];
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let Some((_, why)) = why.split_once("takes ") else {
                bail!("{family} of {size}: {why}");
            };
            let why = why.split(';').next().unwrap_or_default().trim();
            return Ok([&begin[..], &[format!("does not fit: {why}")]].concat());
        }
        let model = json(
            flowgate()
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
}

fn flowgate() -> Command {
    Command::new(binary())
}

fn binary() -> PathBuf {
    repo::root().join("target/debug/flowgate")
}

fn json(command: &mut Command) -> Result<Value> {
    let text = process::stdout(command)?;
    serde_json::from_str(&text).context("flowgate inspect --json")
}
