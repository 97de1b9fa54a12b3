//! Windows to look at: the trace of every channel, its octaves, and where the flow finds it odd.

use super::parts::{section, set_class};
use crate::evaluation::windows::{OddPlace, Shown};
use crate::evaluation::{Evaluation, Set, deciding};
use crate::html::{Element, el};
use crate::traces::{AXIS, GAP, LABEL, TRACE, Traces, WIDTH, short};
use flow_infer::front_end::windows::Feature;
use flow_infer::gate::Decision;
use flow_train_host::data::{Vectors, WindowSet};
use flow_train_host::metrics::quantile;
use flow_train_host::windows::{FeatureName, WindowSpec};
use std::ops::Range;
use std::sync::Arc;

const OCTAVES: f64 = 24.0;
/// Nats at which a colour has half its strength.
const HALF_NATS: f64 = 6.0;
/// A channel with fewer nats is not odd: what is strange may be that nothing is.
const NOTHING: f64 = 1.0;
/// Channels of a figure: the oddest ones of more.
const CHANNELS: usize = 6;

/// What all figures of the page share.
struct Scales {
    /// Of a reach between which nearly all own samples lie.
    traces: Traces,
    octaves: Option<Octaves>,
}

/// The octaves that are shown, and their range in own windows.
struct Octaves {
    spec: Arc<WindowSpec>,
    segments: usize,
    bands: usize,
    range: [f32; 2],
}

/// The section with the windows of every set; none where the model reads something else.
pub(super) fn gallery(evaluation: &Evaluation) -> Option<Element> {
    let own = evaluation.benign.data.windows()?;
    let scales = Scales::of(own);
    let sets = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let groups = sets.enumerate().filter_map(|(index, set)| {
        let windows = set.data.windows()?;
        let foreign = index.checked_sub(1);
        let key = el("i").class(format!("key {}", set_class(foreign)));
        let title = el("h3").child(key).text(&set.name);
        let rows = set.windows.iter().map(|row| {
            let figures = row.windows.iter();
            let figures = figures.map(|shown| scales.figure(set, windows, shown, foreign));
            el("div")
                .child(el("h4").text(row.why))
                .child(el("div").class("windows").children(figures))
        });
        Some(el("div").class("group").child(title).children(rows))
    });
    let groups: Vec<Element> = groups.collect();
    let score = deciding(evaluation).map_or("deciding", |column| column.name);
    let note = format!(
        "Each with its {score} score in nats. Behind a trace, orange: how much likelier the window would be if this channel \
         were here as in the own windows that are most like the rest; half the strength at {HALF_NATS} nats. Blue: it would \
         be less likely. Below a trace the energies of its octaves over time, low ones below, the darker the louder."
    );
    Some(section("Windows", &note).children(groups))
}

impl Scales {
    fn of(own: &WindowSet) -> Self {
        let spec = own.spec().clone();
        let channels = spec.channels.len();
        let reach = |channel: usize| {
            let samples = own.samples().iter().skip(channel).step_by(channels);
            let samples: Vec<f64> = samples.map(|&s| f64::from(s)).collect();
            [0.005, 0.995].map(|share| quantile(&samples, share))
        };
        Self {
            octaves: Octaves::of(own),
            traces: Traces {
                reach: (0..channels).map(reach).collect(),
                spec,
            },
        }
    }

    fn figure(
        &self,
        set: &Set,
        windows: &WindowSet,
        shown: &Shown,
        foreign: Option<usize>,
    ) -> Element {
        let accepted = shown.decision.map(|d| d == Decision::Accept);
        let (class, word) = match (accepted, shown.decision, foreign) {
            (None, ..) => ("open", ""),
            (Some(true), _, None) => ("right", ", accepted"),
            (Some(true), _, Some(_)) => ("wrong", ", accepted: a miss"),
            (_, Some(Decision::Invalid), _) => ("right", ", invalid"),
            (Some(false), _, None) => ("wrong", ", rejected: a false alarm"),
            (Some(false), _, Some(_)) => ("right", ", rejected"),
        };
        let caption = el("figcaption")
            .child(el("b").text(format!("{:.1}{word}", shown.score_nats)))
            .text(" ")
            .child(el("span").text(&shown.name))
            .children(shown.odd.as_ref().map(|odd| el("p").text(sentence(odd))));
        let label = format!("{}, {}", set.name, shown.name);
        el("figure")
            .class(class)
            .child(self.drawn(windows.get(shown.index), shown, &label))
            .child(caption)
    }

    fn drawn(&self, samples: &[i16], shown: &Shown, label: &str) -> Element {
        let loudness = self
            .octaves
            .as_ref()
            .map(|octaves| octaves.of_window(samples));
        let channels = self.channels(shown);
        let of_octaves = if loudness.is_some() { OCTAVES } else { 0.0 };
        let each = LABEL + TRACE + of_octaves + GAP;
        let height = each * channels.len() as f64 + AXIS;
        let blocks = channels.iter().enumerate().map(|(place, &channel)| {
            let top = each * place as f64;
            let block = el("g")
                .attr("transform", format!("translate(0 {top})"))
                .children(self.traces.label(samples, channel))
                .children(self.background(shown, channel))
                .child(self.traces.trace(samples, channel));
            match (&self.octaves, &loudness) {
                (Some(octaves), Some(loudness)) => block.children(octaves.cells(loudness, channel)),
                _ => block,
            }
        });
        el("svg")
            .attr("viewBox", format!("0 0 {WIDTH} {height}"))
            .attr("role", "img")
            .attr("aria-label", label)
            .children(blocks)
            .children(self.traces.axis(height - 3.0))
    }

    /// The channels of a figure in their order.
    fn channels(&self, shown: &Shown) -> Vec<usize> {
        let mut channels: Vec<usize> = (0..self.traces.spec.channels.len()).collect();
        if let Some(map) = &shown.map {
            let nats: Vec<f64> = map.channels.clone();
            channels.sort_by(|&a, &b| nats[b].total_cmp(&nats[a]));
        }
        channels.truncate(CHANNELS);
        channels.sort_unstable();
        channels
    }

    /// Where a channel is odd.
    fn background(&self, shown: &Shown, channel: usize) -> Vec<Element> {
        let by_time = shown.map.as_ref().map(|map| &map.by_time[channel]);
        let by_time = by_time.map_or(&[][..], Vec::as_slice);
        let width = WIDTH / by_time.len().max(1) as f64;
        let cell = |(column, nats): (usize, &f64)| {
            let class = if *nats > 0.0 { "odd" } else { "ordinary" };
            let strength = nats.abs() / (nats.abs() + HALF_NATS);
            let cell = rectangle(column as f64 * width, LABEL, width, TRACE);
            cell.class(class)
                .attr("fill-opacity", format!("{:.2}", 0.85 * strength))
                .child(el("title").text(format!("{nats:+.1} nats")))
        };
        by_time.iter().enumerate().map(cell).collect()
    }
}

impl Octaves {
    /// Those that the model reads; else segments of 32 samples or so, where the length can be cut like that.
    fn of(own: &WindowSet) -> Option<Self> {
        let spec = own.spec();
        let length = usize::from(spec.length);
        let read = spec.features.iter().map(|name| name.0);
        let read = read.filter(|feature| matches!(feature, Feature::Bands { .. }));
        let made = [32, 16, 64, 8, 128, 256].into_iter().filter_map(|samples| {
            let segments = u8::try_from(length / samples).ok().filter(|&s| s > 0)?;
            Some(Feature::Bands { segments, parts: 1 })
        });
        let both = read.chain(made);
        let (segments, count, feature) = both
            .filter_map(|feature| {
                let Feature::Bands { segments, .. } = feature else {
                    return None;
                };
                Some((usize::from(segments), feature.count(length)?, feature))
            })
            .next()?;
        let mut octaves = Self {
            spec: Arc::new(WindowSpec {
                features: vec![FeatureName(feature)],
                ..spec.as_ref().clone()
            }),
            segments,
            bands: count / segments,
            range: [0.0, 1.0],
        };
        let some = own.samples().len().min(500 * length * spec.channels.len());
        let values: Vec<f64> = octaves.measured(&own.samples()[..some]);
        octaves.range = [0.02, 0.999].map(|share| quantile(&values, share) as f32);
        Some(octaves)
    }

    fn measured(&self, samples: &[i16]) -> Vec<f64> {
        let set = WindowSet::new(self.spec.clone(), samples.to_vec());
        let vectors = set.map(Vectors::of_windows);
        let values = vectors.as_ref().map_or(&[][..], Vectors::values);
        values.iter().map(|&v| f64::from(v)).collect()
    }

    /// Loudness of every band, from 0 to 1: channel by channel, segment by segment.
    fn of_window(&self, samples: &[i16]) -> Vec<f64> {
        let [low, high] = self.range.map(f64::from);
        let share = |value: f64| ((value - low) / (high - low).max(1.0)).clamp(0.0, 1.0);
        self.measured(samples).into_iter().map(share).collect()
    }

    fn cells(&self, loudness: &[f64], channel: usize) -> Vec<Element> {
        let (width, height) = (WIDTH / self.segments as f64, OCTAVES / self.bands as f64);
        let each = self.segments * self.bands;
        let of_channel: Range<usize> = channel * each..(channel + 1) * each;
        let cells = loudness.get(of_channel).unwrap_or(&[]).iter().enumerate();
        cells
            .map(|(index, share)| {
                let (segment, band) = (index / self.bands, index % self.bands);
                let y = LABEL + TRACE + OCTAVES - (band + 1) as f64 * height;
                let cell = rectangle(segment as f64 * width, y, width, height);
                cell.class("octave")
                    .attr("fill-opacity", format!("{:.2}", 0.9 * share))
            })
            .collect()
    }
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Element {
    el("rect")
        .attr("x", format!("{x:.1}"))
        .attr("y", format!("{y:.1}"))
        .attr("width", format!("{width:.1}"))
        .attr("height", format!("{height:.1}"))
}

/// "oddest in ay from 1.28 to 1.6 s: 34 nats, most at 12.5 to 25 Hz".
fn sentence(odd: &OddPlace) -> String {
    let when = match odd.seconds {
        Some([from, to]) => format!("from {} to {} s", short(from), short(to)),
        None => format!("samples {} to {}", odd.samples[0], odd.samples[1] - 1),
    };
    let what = match odd.hertz {
        Some([from, to]) => format!("at {} to {} Hz", short(from), short(to)),
        None => format!("by {}", odd.feature),
    };
    let (channel, nats) = (&odd.channel, odd.nats);
    if nats < NOTHING {
        return "in no channel odder than own windows are".to_owned();
    }
    format!("oddest in {channel} {when}: {nats:+.1} nats, most {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_which_channel_and_when() {
        let odd = OddPlace {
            channel: "ay".to_owned(),
            nats: 34.26,
            channels: vec![34.26, 0.5],
            samples: [64, 80],
            seconds: Some([1.28, 1.6]),
            feature: "bands:4x1".to_owned(),
            hertz: Some([12.5, 25.0]),
        };
        let text = "oddest in ay from 1.28 to 1.6 s: +34.3 nats, most at 12.5 to 25 Hz";
        assert_eq!(sentence(&odd), text);
        let unrated = OddPlace {
            seconds: None,
            hertz: None,
            ..odd
        };
        let text = "oddest in ay samples 64 to 79: +34.3 nats, most by bands:4x1";
        assert_eq!(sentence(&unrated), text);
    }
}
