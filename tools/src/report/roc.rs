//! Receiver operating characteristics: every score against one foreign set.

use crate::axis::Axis;
use crate::evaluation::Column;
use crate::html::{Element, el};
use flow_train_host::metrics::{RocPoint, roc};

const SIDE: f64 = 340.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = SIDE - 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = SIDE - 40.0;

/// Points nearer than this (in both rates) to the one before are left out.
const STEP: f64 = 0.002;

/// The figure of the foreign set number `set`.
pub(super) fn figure(columns: &[Column], set: usize) -> Element {
    let x = Axis::new((0.0, 1.0), (LEFT, RIGHT));
    let y = Axis::new((0.0, 1.0), (BOTTOM, TOP));
    let chance = el("line").attr("x1", LEFT).attr("y1", BOTTOM);
    let chance = chance.attr("x2", RIGHT).attr("y2", TOP).class("chance");
    let curves = columns.iter().enumerate().rev().map(|(index, column)| {
        let points = thinned(&roc(&column.benign, &column.foreign[set]));
        let places = points.iter().map(|p| {
            let (x, y) = (x.at(p.false_positive_rate), y.at(p.true_positive_rate));
            format!("{x:.1},{y:.1}")
        });
        el("polyline")
            .class(format!("curve score-{index}"))
            .attr("points", places.collect::<Vec<_>>().join(" "))
            .child(el("title").text(column.name))
    });
    el("svg")
        .attr("viewBox", format!("0 0 {SIDE} {SIDE}"))
        .attr("text-anchor", "middle")
        .attr("role", "img")
        .attr("aria-label", "receiver operating characteristic")
        .child(grid(&x, &y))
        .child(chance)
        .children(curves)
        .children(labels())
}

fn grid(x: &Axis, y: &Axis) -> Element {
    let ticks = x.ticks(5).into_iter().zip(y.ticks(5));
    let marks = ticks.flat_map(|((vx, label), (vy, _))| {
        let (px, py) = (x.at(vx), y.at(vy));
        let line = |x1, y1, x2, y2| {
            let line = el("line").attr("x1", x1).attr("y1", y1);
            line.attr("x2", x2).attr("y2", y2).class("grid")
        };
        let below = el("text")
            .attr("x", px)
            .attr("y", BOTTOM + 15.0)
            .text(&label);
        let beside = el("text").attr("x", LEFT - 6.0).attr("y", py + 4.0);
        let beside = beside.attr("text-anchor", "end").text(&label);
        [
            line(px, TOP, px, BOTTOM),
            line(LEFT, py, RIGHT, py),
            below,
            beside,
        ]
    });
    el("g").class("axis").children(marks)
}

fn labels() -> [Element; 2] {
    let middle = (LEFT + RIGHT) / 2.0;
    let below = el("text")
        .attr("x", middle)
        .attr("y", SIDE - 8.0)
        .class("title");
    let height = (TOP + BOTTOM) / 2.0;
    let beside = el("text").attr("x", 0).attr("y", 0).class("title");
    let turned = format!("translate(10 {height}) rotate(-90)");
    [
        below.text("foreign accepted"),
        beside.attr("transform", turned).text("own accepted"),
    ]
}

fn thinned(curve: &[RocPoint]) -> Vec<RocPoint> {
    let mut kept: Vec<RocPoint> = Vec::new();
    for (index, point) in curve.iter().enumerate() {
        let far = kept.last().is_none_or(|last| {
            point.false_positive_rate - last.false_positive_rate >= STEP
                || point.true_positive_rate - last.true_positive_rate >= STEP
        });
        if far || index + 1 == curve.len() {
            kept.push(*point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_corners() {
        let benign: Vec<f64> = (0..5000).map(f64::from).collect();
        let foreign: Vec<f64> = (0..5000).map(|i| f64::from(i) - 2000.5).collect();
        let curve = roc(&benign, &foreign);
        let thin = thinned(&curve);
        assert!(thin.len() < 1100, "{}", thin.len());
        assert_eq!((thin[0], thin.last()), (curve[0], curve.last()));
    }
}
