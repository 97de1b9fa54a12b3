//! `flowgate data foreign`: foreign images out of public packages, and drawn ones.

use crate::output::Output;
use crate::python::{self, Package};
use crate::table::Table;
use crate::{number, place, progress, scripts};
use anyhow::{Context, Result};
use flow_train_host::files::one_line;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Command;

const PACKAGES: [Package; 4] = [
    Package {
        import: "numpy",
        name: "numpy",
    },
    Package {
        import: "PIL",
        name: "pillow",
    },
    Package {
        import: "sklearn",
        name: "scikit-learn",
    },
    Package {
        import: "skimage",
        name: "scikit-image",
    },
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory for a SET.npy each
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Virtual environment of Python, made if it is not there; packages are unpacked in it
    #[arg(long, value_name = "DIR")]
    venv: PathBuf,
    /// Rows and columns of the images
    #[arg(long, value_name = "N", default_value_t = 28, value_parser = clap::value_parser!(u16).range(8..=256))]
    side: u16,
    /// Images of a set, at most
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Seed of what is drawn and cut out
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u32,
}

/// A line of the program.
#[derive(Deserialize)]
struct Made {
    set: String,
    origin: String,
    images: Option<u64>,
    left_out: Option<String>,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        place::directory(&self.out)?;
        let python = python::environment(&self.venv, &PACKAGES)?;
        let spinner = progress::spinner("fetching and drawing");
        let work = self.venv.join("foreign");
        std::fs::create_dir_all(&work).with_context(|| one_line(&work).to_string())?;
        let script = scripts::write(&work, &[scripts::FOREIGN_SETS])?;
        let mut command = Command::new(python);
        command.arg(script).arg(&self.out).arg(&work);
        let numbers = [u32::from(self.side), self.count, self.seed];
        command.args(numbers.map(|number| number.to_string()));
        let said = python::run(&mut command);
        spinner.finish_and_clear();
        let mut table = Table::new(["set", "origin", "images"]).left(2);
        for line in said?.lines() {
            let made: Made = serde_json::from_str(line)
                .with_context(|| format!("{}: {line}", scripts::FOREIGN_SETS.0))?;
            let images = match (made.images, made.left_out) {
                (Some(images), _) => number::grouped(images),
                (None, why) => format!("none: {}", why.unwrap_or_default()),
            };
            table.row([made.set, made.origin, images]);
        }
        Ok(table.print(out)?)
    }
}
