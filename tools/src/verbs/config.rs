//! `flowgate config`: a preset as a file to begin from.

use crate::config;
use crate::output::Output;
use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;
use flow_infer::spec::{InputSpec, Shape};
use flow_train_host::families::{Family, WIDTH};
use flow_train_host::presets;
use flow_train_host::train::TrainConfig;
use std::io::Write;

/// Print a preset as TOML, every setting explained: a file for `train --config`
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  flowgate config fashion-tiny > own.toml\n  flowgate config glow --image 3x32x48 --width 24 > own.toml\n  \
    flowgate train --config own.toml --data images --out runs/own"
)]
pub(crate) struct Args {
    /// The preset or the family; `flowgate presets` lists them
    #[arg(value_name = "PRESET", value_parser = PossibleValuesParser::new(names()))]
    preset: String,
    /// Values of a vector, which a preset for vectors takes from the data otherwise
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u16).range(2..))]
    dims: Option<u16>,
    /// Channels, rows and columns of the images that a family reads
    #[arg(long, value_name = "CxHxW", value_parser = image)]
    image: Option<Shape>,
    /// Channels of the conditioners of a family
    #[arg(long, value_name = "N", default_value_t = WIDTH, value_parser = clap::value_parser!(u16).range(2..=256))]
    width: u16,
}

/// Presets, then families.
pub(crate) fn names() -> Vec<&'static str> {
    let presets = presets::NAMES.into_iter().map(|(name, _)| name);
    presets.chain(Family::ALL.map(Family::name)).collect()
}

fn image(text: &str) -> Result<Shape, String> {
    let sides: Result<Vec<u16>, _> = text.split(['x', 'X']).map(str::parse).collect();
    match sides.as_deref() {
        Ok(&[channels, height, width]) if channels > 0 && height > 0 && width > 0 => {
            Ok(Shape::new(channels, height, width))
        }
        _ => Err("expected CxHxW, as 1x28x28".to_owned()),
    }
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let name = &self.preset;
        let config = match Family::from_name(name) {
            Some(family) => self.member(family)?,
            None => {
                if self.image.is_some() || self.width != WIDTH {
                    bail!("--image and --width are for families, and {name} is a preset");
                }
                let config = presets::preset(name, self.dims.unwrap_or(2));
                config.with_context(|| format!("there is no preset {name}"))?
            }
        };
        let reads_vectors = !matches!(config.spec.input, InputSpec::Image { .. });
        match (reads_vectors, self.dims) {
            (true, None) => bail!("--dims: preset {name} reads vectors: of how many values?"),
            (false, Some(_)) => bail!("--dims is for vectors, and preset {name} reads images"),
            _ => Ok(write!(out, "{}", config::text(name, &config)?)?),
        }
    }

    fn member(&self, family: Family) -> Result<TrainConfig> {
        let name = family.name();
        let shape = match (family.reads_images(), self.image) {
            (true, Some(shape)) => shape,
            (true, None) => bail!("--image: family {name} reads images: of which size?"),
            (false, None) => Shape::new(self.dims.unwrap_or(2), 1, 1),
            (false, Some(_)) => bail!("--image is for images, and family {name} reads vectors"),
        };
        if family.reads_images() && !family.reads(shape.height, shape.width) {
            bail!("--image {shape}: family {name} reads {}", family.wants());
        }
        let config = family.config(shape, self.width);
        match config.spec.validate() {
            Ok(()) => Ok(config),
            Err(error) => bail!("family {name} of {shape}: {error}"),
        }
    }
}
