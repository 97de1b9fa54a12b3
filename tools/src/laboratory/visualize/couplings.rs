//! Couplings: what every conditioner says.

use super::fact;
use super::sets::{Set, planes, traces};
use super::subject::Subject;
use crate::cost::mask_kind;
use crate::gallery::Draft;
use crate::output::Output;
use crate::picture::{Band, Figure, Row, Scale, range_of, tile};
use anyhow::{Context, Result};
use flow_infer::spec::Shape;
use flow_train_host::files::one_line;
use flow_train_host::trace::{CouplingTrace, Field, Trace};

/// Images of a set unless `--limit` says otherwise.
const IMAGES: usize = 2;
/// Columns of a band: the image and ten couplings.
const COLUMNS: usize = 11;

/// Draw log_scale and shift of every coupling
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  flowgate visualize couplings fashion-tiny.flow --data clothes.idx3.gz --limit 1 \
    --out pictures"
)]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

/// Of all pictures together.
struct Ranges {
    log_scale: f32,
    shift: f32,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        self.subject.draw(IMAGES, out, |artifact, shape, sets| {
            let traces = traces(sets, artifact)?;
            let ranges = Ranges::of(&traces);
            let name = one_line(&self.subject.model);
            let ranges = ranges.with_context(|| format!("{name}: a flow without couplings"))?;
            Ok(draft(shape, sets, &traces, &ranges))
        })
    }
}

impl Ranges {
    /// `None` if there are no couplings.
    fn of(traces: &[Vec<Trace>]) -> Option<Self> {
        let couplings = || traces.iter().flatten().flat_map(|trace| &trace.couplings);
        couplings().next()?;
        let values = |of: fn(&CouplingTrace) -> &Field| {
            range_of(couplings().flat_map(|c| of(c).iter().flatten().copied()))
        };
        Some(Self {
            log_scale: values(|c| &c.log_scale),
            shift: values(|c| &c.shift),
        })
    }
}

fn draft(shape: Shape, sets: &[Set], traces: &[Vec<Trace>], ranges: &Ranges) -> Draft {
    let mut figures = Vec::new();
    for (set, traces) in sets.iter().zip(traces) {
        for (index, trace) in traces.iter().enumerate() {
            let number = set.number(index);
            let caption = format!("{} #{number}: what every coupling says", set.name);
            let name = format!("couplings-{}-{number}", set.slug);
            figures.push((name, caption, figure(set, index, trace, shape, ranges)));
        }
    }
    let within = |range: f32| format!("-{range} to {range} in every picture, held beyond");
    Draft {
        kind: "couplings",
        title: "Couplings",
        note: "What the conditioner of every coupling says of the coordinates that it changes, in the order data to \
               latent. log_scale: orange coordinates are spread, which gains log_det. shift: what is expected of a \
               pixel from those around it, with the other sign. Gaps of checkerboards and split channels take the \
               mean of the values around them. Shifts that trace a foreign image as sharply as an own one are what \
               makes it likely (the paper, section 6)."
            .to_owned(),
        facts: vec![
            fact("log_scale colours", within(ranges.log_scale) + ", in nats"),
            fact("shift colours", within(ranges.shift)),
        ],
        figures,
    }
}

fn figure(set: &Set, index: usize, trace: &Trace, shape: Shape, ranges: &Ranges) -> Figure {
    let mut heads = vec!["image".to_owned()];
    heads.extend(trace.couplings.iter().enumerate().map(|(i, coupling)| {
        let seen = coupling.view.shape();
        format!("{}\n{}\n{seen}", i + 1, mask_kind(&coupling.mask))
    }));
    let row = |label: &str, first, of: fn(&CouplingTrace) -> &Field, range| {
        let field = |c: &CouplingTrace| {
            let whole = tile::without_gaps(of(c), c.mask, c.view);
            Some(tile::field(&whole, shape, range))
        };
        let tiles = trace.couplings.iter().map(field);
        Row {
            label: label.to_owned(),
            tiles: std::iter::once(first).chain(tiles).collect(),
        }
    };
    let photo = Some(set.photo(index, shape));
    let halves = trace
        .couplings
        .iter()
        .any(|c| !tile::is_interleaved(c.mask));
    let rows = [
        row("log_scale", photo, |c| &c.log_scale, ranges.log_scale),
        row("shift", None, |c| &c.shift, ranges.shift),
    ];
    let scale = |name: &str, range, blank| Scale {
        name: format!("{name}{}", planes(shape)),
        range,
        blank,
    };
    Figure {
        title: format!("{} #{}: couplings", set.name, set.number(index)),
        bands: Band::wrapped(&heads, &rows, COLUMNS),
        scales: vec![
            scale(
                "log_scale in nats",
                ranges.log_scale,
                halves.then_some("not changed"),
            ),
            scale("shift", ranges.shift, None),
        ],
    }
}
