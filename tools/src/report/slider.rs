//! A threshold to be moved: what another one would reject of these data.
//!
//! The page's own few lines of script do it, with shares that are counted here; without a script the
//! shares at the file's threshold stand there.

use super::histogram;
use super::parts::{percent, set_class};
use crate::axis::Axis;
use crate::evaluation::{Column, Evaluation};
use crate::html::{Element, el};
use serde::Serialize;

/// Places of the threshold.
const STEPS: usize = 400;
/// Digits of a share.
const DIGITS: f64 = 1e5;

/// What the script reads.
#[derive(Serialize)]
struct Shares {
    low: f64,
    high: f64,
    left: f64,
    right: f64,
    /// Of every set, benign first: the share below each place.
    sets: Vec<Vec<f64>>,
}

/// The slider of the deciding score, at the gate's threshold where there is one.
pub(super) fn slider(column: &Column, evaluation: &Evaluation, gate: Option<f64>) -> Element {
    let axis = histogram::axis(column, gate);
    let (low, high) = axis.range();
    let place = |step: usize| low + (high - low) * step as f64 / STEPS as f64;
    let values = std::iter::once(&column.benign).chain(&column.foreign);
    let curve = |values: &Vec<f64>| {
        let steps = (0..=STEPS).map(|step| below(values, place(step)));
        steps
            .map(|share| (share * DIGITS).round() / DIGITS)
            .collect()
    };
    let shares = Shares {
        low,
        high,
        left: axis.at(low),
        right: axis.at(high),
        sets: values.clone().map(curve).collect(),
    };
    let start = gate.unwrap_or(low);
    let names = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let rows = names.zip(values).enumerate().map(|(index, (set, values))| {
        let key = el("i").class(format!("key {}", set_class(index.checked_sub(1))));
        let rejected = el("output").text(percent(below(values, start)));
        el("span")
            .child(key)
            .text(format!("{} ", set.name))
            .child(rejected)
    });
    el("div")
        .class("slider")
        // Numbers cannot fail to be written.
        .attr(
            "data-shares",
            serde_json::to_string(&shares).unwrap_or_default(),
        )
        .child(input(&axis, start))
        .child(
            el("span")
                .text("rejected below ")
                .child(nats(start))
                .text(" nats:"),
        )
        .children(rows)
}

/// The script, to stand behind the slider, which it looks for as it is read.
pub(super) fn script() -> Element {
    el("script").own(include_str!("slider.js"))
}

/// Hidden until the script shows it.
fn input(axis: &Axis, start: f64) -> Element {
    let (low, high) = axis.range();
    let step = ((start - low) / (high - low) * STEPS as f64).round();
    el("input")
        .attr("type", "range")
        .attr("min", 0)
        .attr("max", STEPS)
        .attr("value", step)
        .attr("hidden", "hidden")
        .attr("aria-label", "threshold")
}

fn nats(value: f64) -> Element {
    el("output").text(format!("{value:.1}"))
}

/// Share of the values below a threshold; what is no number is below.
fn below(values: &[f64], threshold: f64) -> f64 {
    let accepted = values.iter().filter(|value| **value >= threshold).count();
    (values.len() - accepted) as f64 / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_is_rejected() {
        let values = [1.0, 2.0, f64::NAN, 4.0];
        assert_eq!([0.0, 2.0, 9.0].map(|t| below(&values, t)), [0.25, 0.5, 1.0]);
    }
}
