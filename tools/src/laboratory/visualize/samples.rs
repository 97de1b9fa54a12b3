//! Samples: what the flow takes its data to be.

use super::sets::image_input;
use super::{fact, print};
use crate::gallery::{self, Draft};
use crate::inputs::{self, Limit};
use crate::model::Loaded;
use crate::output::Output;
use crate::picture::{Band, Figure, Row, tile};
use crate::reading::Reading;
use crate::{number, place, progress};
use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::spec::Shape;
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use flow_train_host::model::Model;
use flow_train_host::sample::{base_latent, to_byte, to_data};
use std::path::PathBuf;

/// Columns of a band.
const COLUMNS: usize = 16;

/// Draw samples at several temperatures
#[derive(clap::Args)]
#[command(
    after_help = "Needs a float model: the integers of a .flow run from data to latent only.\n\n\
    Example:\n  flowgate visualize samples runs/tiny --temperatures 0,0.7,1 --draws 8 --data clothes.idx3.gz \
    --out pictures"
)]
pub(super) struct Args {
    /// Run directory or .safetensors
    model: PathBuf,
    /// Images to show above the samples
    #[arg(long, value_name = "[NAME=]PATH", value_parser = inputs::maybe_named_path)]
    data: Option<(String, PathBuf)>,
    /// Of --data
    #[command(flatten)]
    limit: Limit,
    /// Directory for the pictures and their page
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Factors of the latents, a row each
    #[arg(long, value_name = "T,...", value_delimiter = ',', default_values_t = [0.0, 0.5, 0.7, 0.8, 0.9, 1.0],
          value_parser = temperature)]
    temperatures: Vec<f32>,
    /// Samples of a temperature
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    draws: u32,
    /// Seed of the latents
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

fn temperature(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(t) if (0.0..=100.0).contains(&t) => Ok(t),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        place::directory(&self.out)?;
        let loaded = Loaded::open(&self.model)?;
        let artifact = loaded.artifact()?;
        let (shape, _) = image_input(&artifact, &self.model)?;
        let Some(model) = loaded.float() else {
            bail!(
                "{}: samples need the float model; a .flow runs from data to latent only",
                one_line(&self.model)
            );
        };
        let originals = self.originals(&artifact, shape)?;
        let samples = self.samples(model)?;
        let mut rows: Vec<Row> = originals.into_iter().collect();
        let mut facts = vec![
            fact(
                "latents",
                format!("{} draws, seed {}", self.draws, self.seed),
            ),
            fact("temperatures", format!("{:?}", self.temperatures)),
        ];
        for (temperature, samples) in self.temperatures.iter().zip(&samples) {
            rows.push(row(*temperature, samples, shape));
            facts.push(fact(
                &format!("outside 0 to 255 at T = {temperature}"),
                number::percent(share_outside(samples)),
            ));
        }
        let draft = self.draft(facts, &rows);
        let facts = draft.facts.clone();
        let written = gallery::write(&self.out, &loaded, draft)?;
        print(&written, &facts, out)
    }

    /// A row of images to compare with.
    fn originals(&self, artifact: &Artifact<'_>, shape: Shape) -> Result<Option<Row>> {
        let Some((name, path)) = &self.data else {
            return Ok(None);
        };
        let most = self.limit.or(self.draws as usize);
        let Dataset::Images(images) = inputs::load(path, &Reading::default(), most, artifact)?
        else {
            bail!("{}: pictures are of images", one_line(path));
        };
        Ok(Some(Row {
            label: name.clone(),
            tiles: images
                .iter()
                .map(|bytes| Some(tile::photo(bytes, shape)))
                .collect(),
        }))
    }

    /// Pixels of every sample, temperature by temperature. A column is one latent, times the
    /// temperature.
    fn samples(&self, model: &Model) -> Result<Vec<Vec<Vec<f32>>>> {
        let dims = model.spec().input.shape().len();
        let draws = 0..u64::from(self.draws);
        let base: Vec<Vec<f32>> = draws.map(|d| base_latent(self.seed, d, dims)).collect();
        let latents = self.temperatures.iter().flat_map(|t| {
            let scaled = |z: &Vec<f32>| z.iter().map(|z| t * z).collect();
            base.iter().map(scaled).collect::<Vec<Vec<f32>>>()
        });
        let latents: Vec<Vec<f32>> = latents.collect();
        let bar = progress::bar(latents.len(), "sampling");
        let data = to_data(model, &latents, &|| bar.inc(1));
        bar.finish_and_clear();
        let data = data.with_context(|| one_line(&self.model).to_string())?;
        Ok(data.chunks(base.len()).map(<[_]>::to_vec).collect())
    }

    fn draft(&self, facts: Vec<(String, String)>, rows: &[Row]) -> Draft {
        let heads: Vec<String> = (0..self.draws).map(|d| format!("draw {d}")).collect();
        let figure = Figure {
            title: "samples".to_owned(),
            bands: Band::wrapped(&heads, rows, COLUMNS),
            scales: Vec::new(),
        };
        let caption = "Samples: a row for each temperature T, a column for each draw".to_owned();
        Draft {
            kind: "samples",
            title: "Samples",
            note: "Latents of the base distribution, taken back to data. A row multiplies them by its temperature: 0 \
                   is the data of the latent that is likeliest under the prior, 1 is what the flow takes its data to \
                   be. Pixels beyond black and white are held there."
                .to_owned(),
            facts,
            figures: vec![("samples".to_owned(), caption, figure)],
        }
    }
}

fn row(temperature: f32, samples: &[Vec<f32>], shape: Shape) -> Row {
    let tile = |pixels: &Vec<f32>| {
        let bytes: Vec<u8> = pixels.iter().map(|&v| to_byte(v)).collect();
        Some(tile::photo(&bytes, shape))
    };
    Row {
        label: format!("T = {temperature}"),
        tiles: samples.iter().map(tile).collect(),
    }
}

/// Share of the coordinates that no byte can hold.
fn share_outside(samples: &[Vec<f32>]) -> f64 {
    let values = || samples.iter().flatten();
    let outside = values().filter(|v| !(0.0..256.0).contains(*v)).count();
    outside as f64 / values().count().max(1) as f64
}
