//! `flowgate config`: a preset as a file to begin from.

use crate::config;
use crate::output::Output;
use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;
use flow_infer::spec::InputSpec;
use flow_train_host::presets;
use std::io::Write;

/// Print a preset as TOML, every setting explained: a file for `train --config`
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  flowgate config fashion-tiny > own.toml\n  flowgate train --config own.toml --data images \
    --out runs/own"
)]
pub(crate) struct Args {
    /// The preset; `flowgate presets` lists them
    #[arg(value_name = "PRESET", value_parser = PossibleValuesParser::new(presets::NAMES.map(|(name, _)| name)))]
    preset: String,
    /// Values of a vector, which a preset for vectors takes from the data otherwise
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u16).range(2..))]
    dims: Option<u16>,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let name = &self.preset;
        let config = presets::preset(name, self.dims.unwrap_or(2));
        let config = config.with_context(|| format!("there is no preset {name}"))?;
        let reads_vectors = !matches!(config.spec.input, InputSpec::Image { .. });
        match (reads_vectors, self.dims) {
            (true, None) => bail!("--dims: preset {name} reads vectors: of how many values?"),
            (false, Some(_)) => bail!("--dims is for vectors, and preset {name} reads images"),
            _ => Ok(write!(out, "{}", config::text(name, &config)?)?),
        }
    }
}
