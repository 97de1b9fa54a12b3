//! Heat: where an image is odd.

use super::fact;
use super::sets::Set;
use super::subject::Subject;
use crate::gallery::Draft;
use crate::output::Output;
use crate::picture::{Band, Figure, Row, Scale, range_of, tile};
use crate::progress;
use anyhow::Result;
use flow_infer::artifact::Artifact;
use flow_infer::spec::Shape;
use flow_train_host::heat::{HeatMap, heat_all};

/// Images of a set unless `--limit` says otherwise.
const IMAGES: usize = 10;
/// Columns of a band.
const COLUMNS: usize = 10;

/// Draw where images are odd
#[derive(clap::Args)]
#[command(
    after_help = "A pixel is odd where the flow pays more nats than a lossless code that knows \
    nothing of the benign data. The map adds up to minus the complexity score.\n\n\
    Example:\n  flowgate visualize heat gate.flow --data own=clothes.idx3.gz --data digits.idx3.gz \
    --out pictures"
)]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        self.subject.draw(IMAGES, out, |artifact, shape, sets| {
            let maps = sets.iter().map(|set| maps(artifact, set));
            let maps = maps.collect::<Result<Vec<_>>>()?;
            Ok(draft(shape, sets, &maps))
        })
    }
}

fn maps(artifact: &Artifact<'_>, set: &Set) -> Result<Vec<HeatMap>> {
    let bar = progress::bar(set.len(), set.name.as_str());
    let maps = heat_all(artifact, &set.dataset(), &|| bar.inc(1));
    bar.finish_and_clear();
    maps.map_err(|refused| set.refused(refused))
}

fn draft(shape: Shape, sets: &[Set], maps: &[Vec<HeatMap>]) -> Draft {
    let all = maps.iter().flatten();
    let range = range_of(all.flat_map(|map| map.nats.iter().copied()));
    let mut facts = vec![fact(
        "colours",
        format!("-{range} to {range} nats a pixel in every picture, held beyond"),
    )];
    for (set, maps) in sets.iter().zip(maps) {
        let sums = maps.iter().map(|map| map.nats.iter().sum::<f32>());
        let mean = sums.sum::<f32>() / maps.len().max(1) as f32;
        let what = format!("mean of whole maps, {}", set.name);
        facts.push(fact(&what, format!("{mean:.0} nats")));
    }
    let figures = sets.iter().zip(maps).map(|(set, maps)| {
        let caption = format!("{}: where they are odd", set.name);
        let name = format!("heat-{}", set.slug);
        (name, caption, figure(set, maps, shape, range))
    });
    Draft {
        kind: "heat",
        title: "Heat",
        note: "Orange: the flow pays more for a pixel than a lossless code that knows nothing of \
               the benign data, so something is there that the data has not taught. Blue: it pays \
               less. A map adds up to minus the complexity score of its image, and is smoothed \
               over a fourteenth of the side."
            .to_owned(),
        facts,
        figures: figures.collect(),
    }
}

fn figure(set: &Set, maps: &[HeatMap], shape: Shape, range: f32) -> Figure {
    let count = set.len();
    let heads: Vec<String> = (0..count).map(|i| format!("#{}", set.number(i))).collect();
    let grey = Shape::new(1, shape.height, shape.width);
    let heat = maps
        .iter()
        .map(|map| Some(tile::array(&map.nats, grey, range)));
    let rows = [
        Row {
            label: "image".to_owned(),
            tiles: (0..count).map(|i| Some(set.photo(i, shape))).collect(),
        },
        Row {
            label: "heat".to_owned(),
            tiles: heat.collect(),
        },
    ];
    Figure {
        title: format!("{}: heat", set.name),
        bands: Band::wrapped(&heads, &rows, COLUMNS),
        scales: vec![Scale {
            name: "nats a pixel beyond a code that knows nothing".to_owned(),
            range,
            blank: None,
        }],
    }
}
