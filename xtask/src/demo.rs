//! `cargo xtask demo`: the whole way, from images to the same decision on host and microcontroller.
//!
//! Every step is a command that is printed before it runs, so that the demo is also the manual.

mod data;

use crate::boards;
use crate::inputs::Inputs;
use crate::{compare, comparison, process, repo, watched};
use anyhow::{Context, Result};
use clap::Args;
use data::Data;
use flowgate::output::Output;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Images of each set that the board scores as well.
const ON_BOARD: usize = 100;

/// Train a gate on clothes, let it meet digits, and run it on an emulated Cortex-M4F.
///
/// Example: cargo xtask demo --quick
#[derive(Args)]
pub(crate) struct Demo {
    /// Use the committed model instead of training one.
    #[arg(long)]
    quick: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<()> {
        let folder = repo::root().join("target/demo");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        say("build the flowgate command");
        let flowgate = Flowgate(watched::build(true)?);
        say("get the data");
        let data = Data::get(&flowgate, &folder)?;
        let model = if self.quick {
            repo::device_model()
        } else {
            train(&flowgate, &data, &folder)?
        };

        say("evaluate clothes against digits");
        let report = folder.join("report");
        evaluate(&flowgate, &data, &model, &report)?;

        say("score the same images on an emulated Cortex-M4F and compare every bit");
        on_board(&data, &model)?;
        println!("\nopen {}", report.join("index.html").display());
        Ok(())
    }
}

/// Trains, quantizes and calibrates.
fn train(flowgate: &Flowgate, data: &Data, folder: &Path) -> Result<PathBuf> {
    let (run, model) = (folder.join("run"), folder.join("fashion.flow"));
    if run.exists() {
        fs::remove_dir_all(&run).with_context(|| run.display().to_string())?;
    }
    say("train a flow on clothes");
    let epochs = data.epochs.to_string();
    let train = data.train.as_os_str();
    flowgate.run(
        &[
            "train",
            "--preset",
            "fashion-bottleneck",
            "--epochs",
            &epochs,
        ],
        &[("--data", train), ("--out", run.as_os_str())],
    )?;
    say("quantize it: 8-bit weights, integers only");
    let name = run.to_string_lossy();
    flowgate.run(
        &[
            "export", &name, "--format", "q8", "--draws", "1", "--limit", "1500",
        ],
        &[("--calibrate", train), ("--out", model.as_os_str())],
    )?;
    say("calibrate its gate: at most 1 % false alarms");
    let (name, skip) = (model.to_string_lossy(), data.held_out_skip.to_string());
    flowgate.run(
        &["calibrate", &name, "--alpha", "0.01", "--skip", &skip],
        &[
            ("--data", data.held_out.as_os_str()),
            ("--out", model.as_os_str()),
        ],
    )?;
    Ok(model)
}

fn evaluate(flowgate: &Flowgate, data: &Data, model: &Path, report: &Path) -> Result<()> {
    let (benign, foreign) = (data.test.to_string_lossy(), data.foreign.to_string_lossy());
    let (benign, foreign) = (format!("clothes={benign}"), format!("digits={foreign}"));
    flowgate.run(
        &[
            "eval",
            &model.to_string_lossy(),
            "--in",
            &benign,
            "--ood",
            &foreign,
        ],
        &[("--report", report.as_os_str())],
    )
}

fn on_board(data: &Data, model: &Path) -> Result<()> {
    let bytes = fs::read(model).with_context(|| model.display().to_string())?;
    let mut inputs = Inputs::load(&data.test, Some(ON_BOARD))?;
    inputs.append(&Inputs::load(&data.foreign, Some(ON_BOARD))?)?;
    let comparisons = compare::compare(&[boards::find("m4")?], &bytes, &inputs)?;
    comparison::tabulate(&comparisons, inputs.len()).print(&mut Output::stdout())?;
    comparison::verdict(&comparisons)
}

fn say(what: &str) {
    println!("\n== {what}");
}

/// The command, as it was built.
struct Flowgate(PathBuf);

impl Flowgate {
    /// Prints a command and runs it.
    fn run(&self, words: &[&str], paths: &[(&str, &OsStr)]) -> Result<()> {
        let mut command = Command::new(&self.0);
        command.args(words).current_dir(repo::root());
        let mut shown = format!("$ flowgate {}", words.join(" "));
        for (flag, path) in paths {
            command.arg(flag).arg(path);
            shown += &format!(" {flag} {}", path.to_string_lossy());
        }
        println!(
            "{}",
            shown.replace(&format!("{}/", repo::root().display()), "")
        );
        process::run(&mut command)
    }
}
