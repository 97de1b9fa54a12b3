//! Activations: the image on its way to the latent.

use super::fact;
use super::sets::{Set, planes, traces};
use super::subject::Subject;
use crate::cost::mask_kind;
use crate::gallery::Draft;
use crate::output::Output;
use crate::picture::{Band, Figure, Row, Scale, range_of, tile};
use anyhow::Result;
use flow_infer::artifact::Artifact;
use flow_infer::plan::Step;
use flow_infer::spec::Shape;
use flow_train_host::trace::Trace;

/// Images of a set unless `--limit` says otherwise.
const IMAGES: usize = 4;
/// Columns of a band.
const COLUMNS: usize = 12;
/// Flows of at most so many steps are shown step by step; longer ones after their couplings only.
const STEPS: usize = 22;

/// Draw the latent after every step
#[derive(clap::Args)]
#[command(after_help = "Flows of many steps are shown after every coupling.\n\n\
    Example:\n  flowgate visualize activations runs/tiny --data clothes.idx3.gz --out pictures")]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        self.subject.draw(IMAGES, out, |artifact, shape, sets| {
            let traces = traces(sets, artifact)?;
            Ok(draft(shape, sets, &traces, &stages(artifact)))
        })
    }
}

fn draft(shape: Shape, sets: &[Set], traces: &[Vec<Trace>], stages: &[(usize, String)]) -> Draft {
    let latents = traces.iter().flatten().flat_map(|trace| {
        let shown = stages
            .iter()
            .filter_map(|(index, _)| trace.latents.get(*index));
        shown.flatten().copied()
    });
    let range = range_of(latents);
    let figures = sets.iter().zip(traces).map(|(set, traces)| {
        let caption = format!("{}: from the image to its latent", set.name);
        let figure = figure(set, traces, stages, shape, range);
        (format!("activations-{}", set.slug), caption, figure)
    });
    let colours = format!("-{range} to {range} in every picture, held beyond");
    Draft {
        kind: "activations",
        title: "Activations",
        note: "The image after every step, from its logit to its latent. A step changes what its mask says and \
               leaves the rest, so the image fades part by part, its outline last (the paper, section 5)."
            .to_owned(),
        facts: vec![fact("colours", colours)],
        figures: figures.collect(),
    }
}

/// Which latents are shown, each by its index and what came before it.
fn stages(artifact: &Artifact<'_>) -> Vec<(usize, String)> {
    let steps: Vec<Step> = artifact.steps().flatten().collect();
    let all = steps.len() <= STEPS;
    let mut stages = vec![(0, "logit".to_owned())];
    for (index, step) in steps.iter().enumerate() {
        let name = match step {
            Step::Coupling(coupling) => mask_kind(&coupling.mask),
            Step::Actnorm { .. } if all => "actnorm",
            Step::InvertibleLinear { .. } if all => "linear",
            _ => continue,
        };
        stages.push((index + 1, format!("{}\n{name}", index + 1)));
    }
    if let Some((_, last)) = stages.last_mut() {
        last.push_str("\n= latent");
    }
    stages
}

fn figure(
    set: &Set,
    traces: &[Trace],
    stages: &[(usize, String)],
    shape: Shape,
    range: f32,
) -> Figure {
    let heads = std::iter::once("image".to_owned());
    let heads: Vec<String> = heads
        .chain(stages.iter().map(|(_, head)| head.clone()))
        .collect();
    let rows = traces.iter().enumerate().map(|(index, trace)| {
        let shown = stages.iter().map(|(stage, _)| trace.latents.get(*stage));
        let shown = shown.map(|latent| latent.map(|z| tile::array(z, shape, range)));
        let photo = Some(set.photo(index, shape));
        Row {
            label: format!("#{}", set.number(index)),
            tiles: std::iter::once(photo).chain(shown).collect(),
        }
    });
    let rows: Vec<Row> = rows.collect();
    Figure {
        title: format!("{}: activations", set.name),
        bands: Band::wrapped(&heads, &rows, COLUMNS),
        scales: vec![Scale {
            name: format!("latent after the step{}", planes(shape)),
            range,
            blank: None,
        }],
    }
}
