//! Histograms of a score: the benign set and every foreign one, over each other.

use crate::axis::Axis;
use crate::evaluation::{Column, Set};
use crate::html::{Element, el};
use flow_train_host::metrics::quantile;

/// Bins of large sets; of a set of n about 2 √n, so that few inputs do not make a comb.
const MOST_BINS: usize = 72;
const FEWEST_BINS: usize = 16;
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 12.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = HEIGHT - 28.0;

/// The horizontal axis of a score's figure.
pub(super) fn axis(column: &Column, threshold: Option<f64>) -> Axis {
    Axis::new(window(column, threshold), (LEFT, RIGHT))
}

/// The figure of a score, with the gate's threshold where it is the deciding one.
pub(crate) fn figure(column: &Column, sets: &[Set], threshold: Option<f64>) -> Element {
    let x = axis(column, threshold);
    let sets_of = || column.foreign.iter().chain([&column.benign]);
    let smallest = sets_of().map(Vec::len).min().unwrap_or(0);
    let count = (2.0 * (smallest as f64).sqrt()) as usize;
    let count = count.clamp(FEWEST_BINS, MOST_BINS);
    let benign = shares(&column.benign, &x, count);
    let foreign: Vec<Vec<f64>> = column
        .foreign
        .iter()
        .map(|values| shares(values, &x, count))
        .collect();
    let all = foreign.iter().chain([&benign]).flatten();
    let y = Axis::new(
        (0.0, all.copied().fold(0.0, f64::max) * 1.05),
        (BOTTOM, TOP),
    );
    let mut svg = el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .attr("text-anchor", "middle")
        .attr("role", "img")
        .attr("aria-label", format!("histogram of {}", column.name))
        .child(ticks(&x));
    for (index, (bins, set)) in foreign.iter().zip(sets).enumerate() {
        svg = svg.child(area(
            bins,
            &x,
            &y,
            &format!("foreign-{}", index % 10),
            &set.name,
        ));
    }
    svg = svg.child(area(&benign, &x, &y, "benign", "in"));
    match threshold {
        Some(threshold) => svg.children(line(&x, threshold)),
        None => svg,
    }
}

/// What is shown: the benign set at a seventh of the width at least, and as much of the others as fits beside it.
fn window(column: &Column, threshold: Option<f64>) -> (f64, f64) {
    let ends = |values: &[f64]| (quantile(values, 0.002), quantile(values, 0.998));
    let (low, high) = ends(&column.benign);
    let reach = 3.0 * (high - low).max(1e-9);
    let mut window = (low, high);
    for values in &column.foreign {
        let (low, high) = ends(values);
        window = (window.0.min(low), window.1.max(high));
    }
    let threshold = threshold.unwrap_or(low);
    (
        window.0.max(low - reach).min(threshold),
        window.1.min(high + reach).max(threshold),
    )
}

/// Share of the values in each bin; what lies beyond the window counts in its first or last bin.
fn shares(values: &[f64], x: &Axis, count: usize) -> Vec<f64> {
    let (low, high) = x.range();
    let mut bins = vec![0.0; count];
    for value in values {
        let place = (value - low) / (high - low) * count as f64;
        // NaN counts as lowest, as everywhere.
        bins[(place.max(0.0) as usize).min(count - 1)] += 1.0 / values.len() as f64;
    }
    bins
}

fn area(bins: &[f64], x: &Axis, y: &Axis, class: &str, name: &str) -> Element {
    let (low, high) = x.range();
    let edge = |bin: usize| x.at(low + (high - low) * bin as f64 / bins.len() as f64);
    let mut path = format!("M{:.1} {:.1}", edge(0), BOTTOM);
    for (bin, share) in bins.iter().enumerate() {
        let height = y.at(*share);
        path += &format!(
            "L{:.1} {height:.1}L{:.1} {height:.1}",
            edge(bin),
            edge(bin + 1)
        );
    }
    path += &format!("L{:.1} {:.1}Z", edge(bins.len()), BOTTOM);
    el("path")
        .class(format!("area {class}"))
        .attr("d", path)
        .child(el("title").text(name))
}

fn ticks(x: &Axis) -> Element {
    let marks = x.ticks(6).into_iter().flat_map(|(value, label)| {
        let at = format!("{:.1}", x.at(value));
        let mark = el("line").attr("x1", &at).attr("x2", &at);
        let mark = mark.attr("y1", TOP).attr("y2", BOTTOM + 4.0).class("grid");
        let label = el("text")
            .attr("x", &at)
            .attr("y", HEIGHT - 10.0)
            .text(label);
        [mark, label]
    });
    let base = el("line").attr("x1", LEFT).attr("x2", RIGHT);
    let base = base.attr("y1", BOTTOM).attr("y2", BOTTOM).class("base");
    el("g").class("axis").children(marks).child(base)
}

fn line(x: &Axis, threshold: f64) -> [Element; 2] {
    let at = x.at(threshold);
    let line = el("line")
        .attr("x1", format!("{at:.1}"))
        .attr("x2", format!("{at:.1}"));
    let line = line
        .attr("y1", TOP - 4.0)
        .attr("y2", BOTTOM)
        .class("threshold");
    // The label stands where there is room for it.
    let (anchor, gap) = if at < WIDTH / 2.0 {
        ("start", 5.0)
    } else {
        ("end", -5.0)
    };
    let label = el("text")
        .attr("x", format!("{:.1}", at + gap))
        .attr("y", TOP + 4.0);
    let label = label.attr("text-anchor", anchor).class("threshold-label");
    [line, label.text("threshold: below is rejected")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let x = Axis::new((0.0, 72.0), (0.0, 1.0));
        let bins = shares(&[-5.0, 0.5, 1.5, 1.6, 71.5, 1e9, f64::NAN, 30.0], &x, 72);
        assert!((bins.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!([bins[0], bins[1], bins[71]], [0.375, 0.25, 0.25]);
    }

    #[test]
    fn a_far_set_does_not_squeeze_the_benign_one() {
        let benign: Vec<f64> = (0..1000).map(f64::from).collect();
        let column = Column {
            name: "likelihood",
            baseline: false,
            separation: Default::default(),
            benign,
            foreign: vec![vec![-1e9; 10]],
            names: vec!["far".to_owned()],
        };
        let (low, high) = window(&column, Some(-10.0));
        assert!(low > -3001.0 && high < 1000.0, "{low} {high}");
        assert_eq!(
            window(&column, Some(-1e4)).0,
            -1e4,
            "the threshold is always in sight"
        );
    }
}
