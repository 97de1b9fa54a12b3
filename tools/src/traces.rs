//! The traces of a window's channels, drawn: in a report, and on the page of a watch.

use crate::axis::Axis;
use crate::html::{Element, el};
use flow_train_host::windows::WindowSpec;
use std::sync::Arc;

pub(crate) const WIDTH: f64 = 320.0;
/// Of the line with a channel's name.
pub(crate) const LABEL: f64 = 15.0;
pub(crate) const TRACE: f64 = 42.0;
pub(crate) const GAP: f64 = 9.0;
/// Of the line with the ends of the time.
pub(crate) const AXIS: f64 = 15.0;
/// Points of a trace; longer ones are drawn as what they reach in each of half as many stretches.
const POINTS: usize = 320;
/// How much of what a reach has too much goes with each window.
const NARROWING: f64 = 0.01;
/// A colour that is seen on white and on black.
const INK: &str = "#2a7de1";
const WORDS: &str = "#808080";

/// What traces of several windows share.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    pub(crate) spec: Arc<WindowSpec>,
    /// Samples that are within a drawing at least, channel by channel.
    pub(crate) reach: Vec<[f64; 2]>,
}

impl Traces {
    /// Those of a stream that begins, to be widened by what comes.
    pub(crate) fn of_stream(spec: Arc<WindowSpec>) -> Self {
        let reach = vec![[f64::INFINITY, f64::NEG_INFINITY]; spec.channels.len()];
        Self { spec, reach }
    }

    /// The name of a channel, and what it reaches in this window.
    pub(crate) fn label(&self, samples: &[i16], channel: usize) -> [Element; 2] {
        let [low, high] = ends(self.of_channel(samples, channel));
        let spec = &self.spec.channels[channel];
        let value = |sample: f64| short(spec.value(sample as i16));
        let name = el("text").attr("x", 0).attr("y", LABEL - 4.0);
        let reach = el("text").attr("x", WIDTH).attr("y", LABEL - 4.0);
        [
            name.text(&spec.name),
            reach
                .attr("text-anchor", "end")
                .text(format!("{} to {}", value(low), value(high))),
        ]
    }

    pub(crate) fn trace(&self, samples: &[i16], channel: usize) -> Element {
        let values: Vec<f64> = self.of_channel(samples, channel).collect();
        let [low, high] = ends(values.iter().copied());
        let [own_low, own_high] = self.reach[channel];
        let y = Axis::new(
            (low.min(own_low), high.max(own_high)),
            (LABEL + TRACE - 2.0, LABEL + 2.0),
        );
        let stretch = values.len().div_ceil(POINTS / 2).max(2);
        let points: Vec<(f64, f64)> = match values.len() > POINTS {
            false => (0..).map(f64::from).zip(values.iter().copied()).collect(),
            true => {
                let stretches = values.chunks(stretch).enumerate();
                let both = stretches.flat_map(|(index, part)| {
                    let [low, high] = ends(part.iter().copied());
                    let at = (index * stretch) as f64;
                    [(at, low), (at + stretch as f64 / 2.0, high)]
                });
                both.collect()
            }
        };
        let last = (values.len().max(2) - 1) as f64;
        let points = points.iter().map(|&(t, value)| {
            let x = WIDTH * (t / last).min(1.0);
            format!("{x:.1},{:.1}", y.at(value))
        });
        let points = points.collect::<Vec<_>>().join(" ");
        el("polyline").class("trace").attr("points", points)
    }

    /// When the window begins and ends.
    pub(crate) fn axis(&self, y: f64) -> [Element; 2] {
        let length = f64::from(self.spec.length);
        let (begin, end) = match rate(&self.spec) {
            Some(rate) => ("0".to_owned(), format!("{} s", short(length / rate))),
            None => ("0".to_owned(), format!("{length} samples")),
        };
        let text = |x: f64, text: String| el("text").attr("x", x).attr("y", y).text(text);
        [
            text(0.0, begin),
            text(WIDTH, end).attr("text-anchor", "end"),
        ]
    }

    /// A window as a file of its own, which no style sheet reaches.
    pub(crate) fn picture(&self, samples: &[i16]) -> Element {
        let each = LABEL + TRACE + GAP;
        let channels = 0..self.spec.channels.len();
        let height = each * channels.len() as f64 + AXIS;
        let blocks = channels.map(|channel| {
            let top = each * channel as f64;
            let trace = self.trace(samples, channel);
            el("g")
                .attr("transform", format!("translate(0 {top})"))
                .children(self.label(samples, channel))
                .child(trace.attr("fill", "none").attr("stroke", INK))
        });
        el("svg")
            .attr("xmlns", "http://www.w3.org/2000/svg")
            .attr("viewBox", format!("0 0 {WIDTH} {height}"))
            .attr("font-family", "sans-serif")
            .attr("font-size", 11)
            .attr("fill", WORDS)
            .children(blocks)
            .children(self.axis(height - 3.0))
    }

    /// Widens the reach to a window, and narrows it slowly where windows have become smaller.
    pub(crate) fn follow(&mut self, samples: &[i16]) {
        for channel in 0..self.spec.channels.len() {
            let [low, high] = ends(self.of_channel(samples, channel));
            let [least, most] = &mut self.reach[channel];
            *least = low.min(*least + NARROWING * (low - *least).max(0.0));
            *most = high.max(*most - NARROWING * (*most - high).max(0.0));
        }
    }

    pub(crate) fn of_channel<'s>(
        &self,
        samples: &'s [i16],
        channel: usize,
    ) -> impl Iterator<Item = f64> + use<'s> {
        let channels = self.spec.channels.len();
        let samples = samples.iter().skip(channel).step_by(channels);
        samples.map(|&sample| f64::from(sample))
    }
}

/// Least and greatest.
fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
        [low.min(v), high.max(v)]
    })
}

/// Samples a second, where the model's file says it.
pub(crate) fn rate(spec: &WindowSpec) -> Option<f64> {
    (spec.rate_millihertz > 0).then(|| f64::from(spec.rate_millihertz) / 1e3)
}

/// A number in about three digits.
pub(crate) fn short(value: f64) -> String {
    let text = match value.abs() {
        large if large >= 100.0 => return format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        middle if middle >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let all = [0.0, -0.00001, 1.5, 0.316, -12.345, 123.4, 0.0125];
        let wanted = ["0", "0", "1.5", "0.32", "-12.3", "123", "0.0125"];
        assert_eq!(all.map(short), wanted);
    }
}
