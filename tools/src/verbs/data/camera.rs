//! `flowgate data camera`: images as a camera gives them.

use crate::inputs::{self, Limit};
use crate::output::Output;
use crate::place;
use crate::reading::Reading;
use crate::table::Table;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use flow_train_host::data::Dataset;
use flow_train_host::data::camera::{self, Camera};
use flow_train_host::files::one_line;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Images of the size that the model reads
    data: PathBuf,
    /// Where the inputs go, as an array
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// Columns and rows of the camera's frames
    #[arg(long, value_name = "WxH", value_parser = crate::frames::size, default_value = "640x480")]
    frame: (u16, u16),
    /// What makes an image's few pixels a frame's many
    #[arg(long, value_enum, default_value_t = Optic::Bilinear)]
    optic: Optic,
    /// Deviation of the noise of a frame's pixel, in grey levels of 255
    #[arg(long, value_name = "LEVELS", default_value = "4", value_parser = levels)]
    noise: f64,
    /// Seed of the noise
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Optic {
    /// Each pixel of the image becomes a block
    Block,
    /// Between pixels, light changes in a line
    Bilinear,
    /// Out of focus: a normal blur of three quarters of a pixel of the image
    Blur,
}

fn levels(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(levels) if (0.0..=255.0).contains(&levels) => Ok(levels),
        _ => Err("expected 0 to 255 grey levels".to_owned()),
    }
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        place::file(&self.out, &[&self.data], out)?;
        let Dataset::Images(images) = inputs::read(&self.data, &self.reading, self.limit)?.dataset
        else {
            bail!("{}: a camera sees images", one_line(&self.data));
        };
        let (width, height) = self.frame;
        let camera = Camera {
            width,
            height,
            optic: self.optic(),
            noise: self.noise,
            seed: self.seed,
        };
        let inputs = camera.inputs(&images);
        let inputs = inputs.with_context(|| one_line(&self.data).to_string())?;
        let inputs = Dataset::Images(inputs);
        inputs.to_npy()?.write(&self.out)?;
        let mut table = Table::facts();
        table.fact("frames", format!("{width}x{height}, noise {}", self.noise));
        table.fact("averaged to", inputs::describe(&inputs));
        table.fact("file", one_line(&self.out).to_string());
        Ok(table.print(out)?)
    }

    fn optic(&self) -> camera::Optic {
        match self.optic {
            Optic::Block => camera::Optic::Block,
            Optic::Bilinear => camera::Optic::Bilinear,
            Optic::Blur => camera::Optic::Blur,
        }
    }
}
