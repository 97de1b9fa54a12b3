//! Latents: where the image still shows in them.

use super::fact;
use super::sets::{Set, planes};
use super::subject::Subject;
use crate::gallery::Draft;
use crate::output::Output;
use crate::picture::{Band, Figure, Row, Scale, tile};
use crate::progress;
use anyhow::Result;
use flow_infer::artifact::Artifact;
use flow_infer::plan::NumberFormat;
use flow_infer::spec::Shape;
use flow_train_host::trace::{draws, planned_draws};

/// Images of a set unless `--limit` says otherwise.
const IMAGES: usize = 8;
/// The prior has 997 of 1000 coordinates within it.
const RANGE: f32 = 3.0;
/// Columns of a band.
const COLUMNS: usize = 8;

/// Draw latents: of one dequantization draw, and averaged over many
#[derive(clap::Args)]
#[command(
    after_help = "An integer model draws what its file says, if anything.\n\n\
    Example:\n  flowgate visualize latents runs/tiny --data fashion=clothes.idx3.gz --data digits.idx3.gz \
    --out pictures"
)]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Draws of the dequantization noise that are averaged
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    draws: u32,
    /// Seed of the noise
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

/// A kind of latent with its label, for every image of a set.
type Kinds = Vec<(String, Vec<Vec<f32>>)>;

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        self.subject.draw(IMAGES, out, |artifact, shape, sets| {
            let kinds = sets.iter().map(|set| self.kinds(artifact, set));
            let kinds = kinds.collect::<Result<Vec<Kinds>>>()?;
            Ok(self.draft(artifact, shape, sets, &kinds))
        })
    }

    fn kinds(&self, artifact: &Artifact<'_>, set: &Set) -> Result<Kinds> {
        let is_float = artifact.number_format() != NumberFormat::Q8;
        let count = match is_float {
            true => self.draws,
            false => artifact.input().draws().into(),
        };
        let data = set.dataset();
        let bar = progress::bar(set.len() * count as usize, set.name.as_str());
        let drawn = match is_float {
            true => draws(artifact, &data, count, self.seed, &|| bar.inc(1)),
            false => planned_draws(artifact, &data, &|| bar.inc(count.into())),
        };
        bar.finish_and_clear();
        let drawn = drawn.map_err(|refused| set.refused(refused))?;
        let (first, mean) = drawn.into_iter().map(|d| (d.first, d.mean)).unzip();
        Ok(match (is_float, count) {
            (false, 1) => vec![("latent".to_owned(), first)],
            _ => vec![
                ("latent\none draw".to_owned(), first),
                (format!("latent\nmean of {count}"), mean),
            ],
        })
    }

    fn draft(&self, artifact: &Artifact<'_>, shape: Shape, sets: &[Set], kinds: &[Kinds]) -> Draft {
        let noise = match artifact.number_format() {
            NumberFormat::Q8 => match artifact.input().draws() {
                1 => "as the model's file says".to_owned(),
                count => format!("{count} draws, as the model's file says"),
            },
            _ => format!("{} draws, seed {}", self.draws, self.seed),
        };
        let mut facts = vec![
            fact(
                "colours",
                format!("-{RANGE} to {RANGE} in every picture, held beyond"),
            ),
            fact("dequantization noise", noise),
        ];
        for (set, kinds) in sets.iter().zip(kinds) {
            let deviations = kinds.iter().map(|(label, latents)| {
                let label = label.replace('\n', ", ");
                format!("{:.2} ({label})", deviation(latents))
            });
            let deviations: Vec<String> = deviations.collect();
            facts.push(fact(
                &format!("deviation, {}", set.name),
                deviations.join("; "),
            ));
        }
        let figures = sets.iter().zip(kinds).map(|(set, kinds)| {
            let caption = format!("{}: images and their latents", set.name);
            (
                format!("latents-{}", set.slug),
                caption,
                figure(set, kinds, shape),
            )
        });
        Draft {
            kind: "latents",
            title: "Latents",
            note: "A flow that had learned what its images mean would make noise of them, and something else of \
                   foreign images. What it makes of both is noise where the image is flat, and the image's edges: \
                   it has learned how neighbouring pixels depend on each other, which foreign images share. One \
                   draw hides that behind its own noise, the mean over many draws does not (the paper, section 5)."
                .to_owned(),
            facts,
            figures: figures.collect(),
        }
    }
}

fn figure(set: &Set, kinds: &Kinds, shape: Shape) -> Figure {
    let count = set.len();
    let heads: Vec<String> = (0..count).map(|i| format!("#{}", set.number(i))).collect();
    let mut rows = vec![Row {
        label: "image".to_owned(),
        tiles: (0..count).map(|i| Some(set.photo(i, shape))).collect(),
    }];
    rows.extend(kinds.iter().map(|(label, latents)| {
        Row {
            label: label.clone(),
            tiles: latents
                .iter()
                .map(|z| Some(tile::array(z, shape, RANGE)))
                .collect(),
        }
    }));
    Figure {
        title: format!("{}: latents", set.name),
        bands: Band::wrapped(&heads, &rows, COLUMNS),
        scales: vec![Scale {
            name: format!("latent{}", planes(shape)),
            range: RANGE,
            blank: None,
        }],
    }
}

/// Standard deviation over all coordinates; 1 under the prior.
fn deviation(latents: &[Vec<f32>]) -> f64 {
    let values = || latents.iter().flatten().map(|&z| f64::from(z));
    let count = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    let variance = values().map(|z| (z - mean).powi(2)).sum::<f64>() / count;
    variance.sqrt()
}
