//! Co-adaptation: couplings that write each other notes (the paper's section 6).

mod measure;

use super::sets::{Set, image_input, planes};
use super::subject::Subject;
use super::{fact, print};
use crate::gallery::{self, Draft};
use crate::model::Loaded;
use crate::output::Output;
use crate::picture::{Band, Figure, Raster, Row, Scale, range_of, tile};
use crate::place;
use crate::table::Table;
use anyhow::{Result, bail};
use flow_infer::spec::Shape;
use flow_train_host::files::one_line;
use flow_train_host::sample::{to_byte, to_pixel};
use flow_train_host::trace::Trace;
use measure::{Expectation, Seen, agreement, halves, measure};
use std::io::Write;

/// Images of a set that are measured unless `--limit` says otherwise.
const IMAGES: usize = 64;
/// Images that are shown.
const SHOWN: usize = 8;

/// Draw how couplings of half masks tell each other what they cannot see
#[derive(clap::Args)]
#[command(
    after_help = "For models with horizontal or vertical masks (documents/architectures/masks.md).\n\n\
    Example:\n  flowgate visualize coadaptation runs/horizontal --data clothes.idx3.gz --data digits.idx3.gz \
    --out pictures"
)]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

/// A set with everything that is seen of it.
struct Case {
    set: Set,
    traces: Vec<Trace>,
    seen: Vec<Seen>,
}

/// How expectations are coloured.
#[derive(Clone, Copy)]
struct Colours {
    shape: Shape,
    margin: f32,
    range: f32,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        let Subject {
            model,
            source,
            out: directory,
        } = &self.subject;
        place::directory(directory)?;
        let loaded = Loaded::open(model)?;
        let artifact = loaded.artifact()?;
        let (shape, margin) = image_input(&artifact, model)?;
        let count = halves(&artifact).len();
        if count < 2 {
            bail!(
                "{}: co-adaptation is shown on horizontal or vertical masks; this model has {count} such couplings, \
                 and two are needed",
                one_line(model)
            );
        }
        let sets = source.load(&artifact, IMAGES)?;
        if let Some(set) = sets.iter().find(|set| set.len() < 2) {
            bail!(
                "--data {}: two images are needed, for their halves to be exchanged",
                set.name
            );
        }
        let mut cases = Vec::new();
        for set in sets {
            let traces = set.trace(&artifact)?;
            let seen = measure(&artifact, &set, &traces)?;
            cases.push(Case { set, traces, seen });
        }
        let latents = cases.iter().flat_map(|case| &case.traces);
        let latents = latents.flat_map(|trace| trace.latents.iter().skip(1).flatten().copied());
        let range = range_of(latents);
        let colours = Colours {
            shape,
            margin,
            range,
        };
        let written = gallery::write(directory, &loaded, draft(&cases, colours))?;
        table(&cases).print(out)?;
        writeln!(out)?;
        print(&written, &[fact("colours", colours.text())], out)
    }
}

impl Colours {
    fn text(self) -> String {
        format!("-{0} to {0} in every picture, held beyond", self.range)
    }

    /// What a coupling expects: grey where it is a pixel's, else coloured as a latent.
    fn tile(self, expectation: &Expectation) -> Raster {
        if !expectation.is_pixel {
            return tile::field(&expectation.expected, self.shape, self.range);
        }
        let margin = f64::from(self.margin);
        let byte = |z: f32| to_byte(to_pixel(f64::from(z), margin) as f32);
        let bytes = expectation.expected.iter().map(|z| z.map(byte));
        tile::grey_field(&bytes.collect::<Vec<_>>(), self.shape)
    }
}

/// The four figures of a coupling: as it is; exchanged, with the new half and with the own; without
/// the one before.
fn figures(seen: &Seen) -> [Option<f64>; 4] {
    fn expected(all: &[Expectation]) -> impl Iterator<Item = &flow_train_host::trace::Field> {
        all.iter().map(|e| &e.expected)
    }
    fn found(all: &[Expectation]) -> impl Iterator<Item = &flow_train_host::trace::Field> {
        all.iter().map(|e| &e.found)
    }
    let whole = agreement(expected(&seen.whole), found(&seen.whole));
    if seen.inputs.is_none() {
        return [Some(whole), None, None, None];
    }
    let new = agreement(expected(&seen.exchanged), found(&seen.exchanged));
    let own = agreement(expected(&seen.exchanged), found(&seen.whole));
    let alone = agreement(expected(&seen.alone), found(&seen.alone));
    [Some(whole), Some(new), Some(own), Some(alone)]
}

fn table(cases: &[Case]) -> Table {
    let head = [
        "set",
        "coupling",
        "changes",
        "expects what is there",
        "another's half there",
        "the own half instead",
        "without the one before",
    ];
    let mut table = Table::new(head).left(3);
    for case in cases {
        for seen in &case.seen {
            let names = [
                case.set.name.clone(),
                (seen.coupling + 1).to_string(),
                seen.half.to_owned(),
            ];
            let cells = figures(seen).map(|r| r.map_or("-".to_owned(), |r| format!("{r:.2}")));
            table.row(names.into_iter().chain(cells));
        }
    }
    table
}

fn draft(cases: &[Case], colours: Colours) -> Draft {
    let mut facts = vec![fact("colours", colours.text())];
    for case in cases {
        for seen in &case.seen {
            let name = format!("{}, coupling {}", case.set.name, seen.coupling + 1);
            facts.push((name, sentence(seen)));
        }
    }
    let figures = cases.iter().map(|case| {
        let caption = format!(
            "{}: what couplings expect of what they cannot see",
            case.set.name
        );
        let name = format!("coadaptation-{}", case.set.slug);
        (name, caption, figure(case, colours))
    });
    Draft {
        kind: "coadaptation",
        title: "Co-adaptation",
        note: "A coupling of half masks changes the half that its conditioner does not read. What it expects there \
               (the input that it maps to 0) is drawn; what it leaves as it is, is green. The first coupling has the \
               other half to go by. The next one reads what the first has rewritten, and if the first has written \
               down there what it saw, the next expects this very image: its expectation follows a half that is \
               exchanged for another image's, though it reads the same part of the input as before, and is lost \
               when the first coupling is left out. It works on foreign images too, which is why they are likely."
            .to_owned(),
        facts,
        figures: figures.collect(),
    }
}

fn sentence(seen: &Seen) -> String {
    let half = seen.half;
    match figures(seen) {
        [Some(whole), Some(new), Some(own), Some(alone)] => format!(
            "expects the {half} with r = {whole:.2}; with another image's {half}: {new:.2} with that one, {own:.2} \
             with the own; without the coupling before: {alone:.2}"
        ),
        [whole, ..] => format!(
            "expects the {half} with r = {:.2}, from the other half",
            whole.unwrap_or(f64::NAN)
        ),
    }
}

fn figure(case: &Case, colours: Colours) -> Figure {
    let mut heads = vec!["image".to_owned()];
    for seen in &case.seen {
        let k = seen.coupling + 1;
        heads.push(format!("{k} expects\n{}", seen.half));
        heads.push(format!("after {k}"));
    }
    for seen in case.seen.iter().filter(|seen| seen.inputs.is_some()) {
        let k = seen.coupling + 1;
        heads.push(format!("another\n{}", seen.half));
        heads.push(format!("{k} expects\n{}", seen.half));
        heads.push(format!("without {}\n{k} expects", k - 1));
    }
    let shown = 0..case.set.len().min(SHOWN);
    Figure {
        title: format!("{}: co-adaptation", case.set.name),
        bands: vec![Band {
            heads,
            rows: shown.map(|index| row(case, index, colours)).collect(),
        }],
        scales: vec![Scale {
            name: format!("latent{}", planes(colours.shape)),
            range: colours.range,
            blank: Some("not changed"),
        }],
    }
}

fn row(case: &Case, index: usize, colours: Colours) -> Row {
    let (set, trace) = (&case.set, &case.traces[index]);
    let mut tiles = vec![Some(set.photo(index, colours.shape))];
    let of = |all: &[Expectation]| all.get(index).map(|e| colours.tile(e));
    for seen in &case.seen {
        tiles.push(of(&seen.whole));
        let after = trace.couplings[seen.coupling].step + 1;
        let after = trace.latents.get(after);
        tiles.push(after.map(|z| tile::array(z, colours.shape, colours.range)));
    }
    for seen in &case.seen {
        if let Some(inputs) = &seen.inputs {
            tiles.push(Some(tile::photo(inputs.get(index), colours.shape)));
            tiles.extend([of(&seen.exchanged), of(&seen.alone)]);
        }
    }
    Row {
        label: format!("#{}", set.number(index)),
        tiles,
    }
}
