//! The flows that are trained, each in a directory of its own and once.

use crate::progress;
use crate::python::run as run_program;
use anyhow::{Context, Result};
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::model::store::MODEL_FILE;
use std::path::{Path, PathBuf};
use std::process::Command;

const FASHION: &str = "train-images-idx3-ubyte.gz";
const FASHION_TEST: &str = "t10k-images-idx3-ubyte.gz";
const DIGITS: &str = "mnist-images-idx3-ubyte.gz";
/// log_prob_nats below which negative digits are left alone.
const NEGATIVE_NATS: &str = "-10000";
/// Numbers that the preset's conditioners compress to.
const PRESET_LATENT: u32 = 10;

/// What a flow is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Clothes,
    Digits,
}

/// A flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) name: &'static str,
    pub(super) preset: &'static str,
    /// Numbers that conditioners compress to, where they do.
    pub(super) latent: Option<u32>,
    pub(super) own: Own,
    pub(super) negative: bool,
}

const fn run(name: &'static str, preset: &'static str, own: Own) -> Run {
    Run {
        name,
        preset,
        latent: None,
        own,
        negative: false,
    }
}

const fn bottleneck(name: &'static str, latent: u32) -> Run {
    Run {
        latent: Some(latent),
        ..run(name, "fashion-bottleneck", Own::Clothes)
    }
}

/// Every flow, in the order in which they are trained.
pub(super) const ALL: [Run; 11] = [
    run("realnvp", "fashion-tiny", Own::Clothes),
    Run {
        negative: true,
        ..run("negative", "fashion-tiny", Own::Clothes)
    },
    bottleneck("bottleneck-3", 3),
    bottleneck("bottleneck-10", 10),
    bottleneck("bottleneck-30", 30),
    bottleneck("bottleneck-100", 100),
    run("cycle", "cycle-masks", Own::Clothes),
    run("half", "half-masks", Own::Clothes),
    run("glow", "glow-tiny", Own::Clothes),
    run("realnvp-digits", "fashion-tiny", Own::Digits),
    run("bottleneck-digits", "fashion-bottleneck", Own::Digits),
];

/// Where everything lies, and how long it is trained.
#[derive(Clone, Debug)]
pub(super) struct Lab {
    pub(super) data: PathBuf,
    pub(super) out: PathBuf,
    pub(super) images: u32,
    pub(super) epochs: u32,
    pub(super) seed: u32,
}

/// A set to evaluate on: name, file, and how many of its first inputs are left out.
pub(super) type Held = (&'static str, PathBuf, u32);

impl Lab {
    /// Fetches what is not there.
    pub(super) fn fetch(&self) -> Result<()> {
        for (name, file) in [("fashion-mnist", FASHION_TEST), ("mnist", DIGITS)] {
            if !self.data.join(file).exists() {
                let spinner = progress::spinner(format!("fetching {name}"));
                let mut command = flowgate()?;
                command.args(["data", "fetch", name, "--out"]);
                run_program(command.arg(&self.data))?;
                spinner.finish_and_clear();
            }
        }
        Ok(())
    }

    /// Clothes and digits that no flow has seen.
    pub(super) fn held(&self) -> [Held; 2] {
        let clothes = ("clothes", self.data.join(FASHION_TEST), 0);
        // Of the digits there is one file: behind those that flows are trained on.
        [clothes, ("digits", self.data.join(DIGITS), self.images)]
    }

    /// The directory of a run that is finished, however much of it was there.
    pub(super) fn train(&self, run: &Run) -> Result<PathBuf> {
        let directory = self.out.join("runs").join(run.name);
        if self.is_finished(&directory) {
            return Ok(directory);
        }
        let spinner = progress::spinner(format!("training {}", run.name));
        let mut command = flowgate()?;
        // The paper knows flows alone.
        command.args(["train", "--ratio", "off"]);
        match (directory.join("config.json").exists(), run.latent) {
            (true, _) => command.arg("--resume"),
            (false, None) => command.args(["--preset", run.preset]),
            (false, Some(latent)) => command.arg("--config").arg(self.config(run, latent)?),
        };
        let own = match run.own {
            Own::Clothes => FASHION,
            Own::Digits => DIGITS,
        };
        command.arg("--data").arg(self.data.join(own));
        if run.negative {
            command.arg("--negative").arg(self.data.join(DIGITS));
            command.args(["--negative-threshold", NEGATIVE_NATS]);
        }
        let numbers = [
            ("--limit", self.images),
            ("--epochs", self.epochs),
            ("--seed", self.seed),
        ];
        for (flag, number) in numbers {
            command.arg(flag).arg(number.to_string());
        }
        command.arg("--out").arg(&directory);
        run_program(&mut command).with_context(|| one_line(&directory).to_string())?;
        spinner.finish_and_clear();
        Ok(directory)
    }

    fn is_finished(&self, directory: &Path) -> bool {
        let log = std::fs::read_to_string(directory.join("log.csv"));
        let epochs = log.map_or(0, |log| log.lines().count().saturating_sub(1));
        epochs >= self.epochs as usize && directory.join(MODEL_FILE).exists()
    }

    /// The preset's configuration with conditioners of another width in the middle.
    fn config(&self, run: &Run, latent: u32) -> Result<PathBuf> {
        let preset = run_program(flowgate()?.args(["config", run.preset]))?;
        let of = |latent: u32| format!("latent = {latent}");
        let text = preset.replace(&of(PRESET_LATENT), &of(latent));
        let folder = self.out.join("runs");
        std::fs::create_dir_all(&folder).with_context(|| one_line(&folder).to_string())?;
        let path = folder.join(format!("{}.toml", run.name));
        write_atomically(&path, |w| write!(w, "{text}"))?;
        Ok(path)
    }

    /// Pictures of what flows do, as files of SVG by their names; what is there is not made again.
    pub(super) fn pictures(&self) -> Result<Vec<(&'static str, PathBuf)>> {
        let first = self.images;
        let kinds = [
            ("latents-clothes", "latents", "realnvp", 6),
            ("latents-digits", "latents", "realnvp", 6),
            ("activations-digits", "activations", "realnvp", 2),
            ("couplings-clothes", "couplings", "realnvp", 1),
            ("couplings-digits", "couplings", "realnvp", 1),
            ("coadaptation-digits", "coadaptation", "half", 6),
            ("heat-digits", "heat", "bottleneck-10", 10),
        ];
        let mut pictures = Vec::new();
        for (name, kind, run, count) in kinds {
            let directory = self.out.join("pictures").join(kind);
            let file = match name {
                // Pictures of couplings are called after the image's number in its file.
                "couplings-clothes" => "couplings-clothes-0.svg".to_owned(),
                "couplings-digits" => format!("couplings-digits-{first}.svg"),
                _ => format!("{name}.svg"),
            };
            let path = directory.join(file);
            if !path.exists() {
                self.draw(kind, run, count, &directory)?;
            }
            pictures.push((name, path));
        }
        Ok(pictures)
    }

    /// Draws a kind of picture of both sets, one after the other for their own first images.
    fn draw(&self, kind: &str, run: &str, count: u32, directory: &Path) -> Result<()> {
        let spinner = progress::spinner(format!("drawing {kind}"));
        for (name, path, skip) in self.held() {
            let mut command = flowgate()?;
            command.args(["visualize", kind]);
            command.arg(self.out.join("runs").join(run));
            command.args(["--data", &format!("{name}={}", path.display())]);
            let numbers = [("--skip", skip), ("--limit", count)];
            for (flag, number) in numbers {
                command.arg(flag).arg(number.to_string());
            }
            run_program(command.arg("--out").arg(directory))?;
        }
        spinner.finish_and_clear();
        Ok(())
    }
}

/// This very program.
fn flowgate() -> Result<Command> {
    let program = std::env::current_exe().context("this program's own path")?;
    Ok(Command::new(program))
}
