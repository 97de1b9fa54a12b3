//! The tables of the page: decisions, scores, the model.

use super::Facts;
use super::parts::{area, cell, section, set_class, share, table};
use crate::drift::AVERAGE;
use crate::evaluation::{Column, Evaluation, Set, deciding};
use crate::html::{Element, el};
use crate::number::grouped;

/// What the gate decides on each set.
pub(super) fn decisions(evaluation: &Evaluation) -> Element {
    let note = match &evaluation.gate {
        Some(gate) => format!(
            "Decided by {} at a threshold of {:.1} nats from {} benign scores. {} false alarms among {} inputs; a \
             gate that keeps its promise gives at most {} in 999 of 1000 cases.",
            gate.score,
            gate.threshold_nats,
            grouped(gate.samples.into()),
            grouped(gate.false_alarms as u64),
            grouped(evaluation.benign.count as u64),
            grouped(gate.false_alarms_at_most as u64)
        ),
        None => "Run flowgate calibrate to get a gate.".to_owned(),
    };
    let head = [
        ("set", ""),
        ("inputs", "number"),
        ("median bits/dim", "number"),
        ("rejected", "number"),
        ("at 1\u{a0}% false alarms", "number"),
        ("at 0.1\u{a0}%", "number"),
        ("", "wide"),
    ];
    let deciding = deciding(evaluation);
    let sets = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let rows = sets.enumerate().map(|(index, set)| {
        let class = set_class(index.checked_sub(1));
        let mut name = el("td")
            .child(el("i").class(format!("key {class}")))
            .text(&set.name);
        if let Some(why) = &set.below_90_percent {
            name = name.child(el("small").class("why").text(why));
        }
        let bar = set.rejected_share.map_or_else(|| el("div"), split_bar);
        let rejected = set.rejected_share.zip(set.rejected_interval);
        let rejected = rejected.map_or_else(nothing, |(value, interval)| share(value, interval));
        let row = match &set.below_90_percent {
            Some(_) => el("tr").class("weak"),
            None => el("tr"),
        };
        row.child(name.attr("title", &set.path))
            .child(cell(grouped(set.count as u64)))
            .child(cell(format!("{:.3}", set.bits_per_dim_median)))
            .child(rejected)
            .children([0, 1].map(|rate| rejected_at(set, deciding, rate)))
            .child(el("td").class("wide").child(bar))
    });
    section("Decisions", &note).child(table(&head, rows)).child(
        el("p")
            .class("note")
            .text(format!("Small: intervals of {}.", evaluation.intervals)),
    )
}

fn nothing() -> Element {
    cell("-".to_owned())
}

/// What the file's p-values reject at a rate, or what the deciding score would on these data.
fn rejected_at(set: &Set, deciding: Option<&Column>, rate: usize) -> Element {
    if let Some(at) = set.rejected_at.get(rate) {
        return share(at.share, at.interval);
    }
    let Some(s) = deciding.and_then(|column| column.against(set)) else {
        return nothing();
    };
    match rate {
        0 => share(s.rejected_at_1_percent, s.rejected_at_1_percent_interval),
        _ => share(
            s.rejected_at_0_1_percent,
            s.rejected_at_0_1_percent_interval,
        ),
    }
}

/// Accepted and rejected shares, side by side.
fn split_bar(rejected: f64) -> Element {
    let part = |class, share: f64| {
        let style = format!("width:{:.2}%", share * 100.0);
        el("span").class(class).attr("style", style)
    };
    el("div")
        .class("bar")
        .child(part("accepted", 1.0 - rejected))
        .child(part("rejected", rejected))
}

/// After how many inputs the drift alarm goes off, if the gate allows one.
pub(super) fn drift(evaluation: &Evaluation) -> Option<Element> {
    let note = format!(
        "Many inputs that are each acceptable may together be unlike the calibration data. The alarm counts how often \
         the deciding score falls into the ends of its calibration scores; on own data it goes off after {} inputs or \
         more on average. Foreign inputs are strewn evenly among own ones.",
        grouped(AVERAGE.into())
    );
    let head = [
        ("inputs in turn", ""),
        ("how many", "number"),
        ("alarm after", "number"),
    ];
    let rows = evaluation.drift.iter().map(|drift| {
        el("tr")
            .child(el("td").text(drift.what()))
            .child(cell(grouped(drift.inputs as u64)))
            .child(cell(drift.when()))
    });
    (!evaluation.drift.is_empty()).then(|| section("Drift", &note).child(table(&head, rows)))
}

/// How each score tells the sets apart.
pub(super) fn separation(evaluation: &Evaluation) -> Element {
    let note = "Every score is higher for inputs more like the model's own data. AUROC: how often an own input scores \
                above a foreign one; 0.5 is chance, and below it the score is misled. A plain likelihood often is: \
                simple foreign images are likelier than the data a flow was trained on. AUPR is that of equal \
                shares of own and foreign inputs (1:1), whatever the sizes of the sets: 0.5 is chance.";
    let head = [
        ("score", ""),
        ("against", ""),
        ("AUROC", "number"),
        ("", "wide"),
        ("rejected at 1\u{a0}%", "number"),
        ("at 0.1\u{a0}%", "number"),
        ("AUPR in, 1:1", "number"),
        ("AUPR out, 1:1", "number"),
        ("foreign accepted at 95\u{a0}%", "number"),
    ];
    let rows = evaluation.foreign.iter().flat_map(|set| {
        let best = evaluation
            .scores
            .iter()
            .filter_map(|c| Some(c.against(set)?.auroc));
        let best = best.fold(0.0, f64::max);
        let columns = evaluation.scores.iter().enumerate();
        columns.filter_map(move |(index, column)| score_row(index, column, set, best))
    });
    section("Scores", note).child(table(&head, rows)).child(
        el("p")
            .class("note")
            .text(format!("Baselines: {}.", evaluation.baselines)),
    )
}

fn score_row(index: usize, column: &Column, set: &Set, best: f64) -> Option<Element> {
    let s = column.against(set)?;
    let mut name = el("td")
        .child(el("i").class(format!("key score-{index}")))
        .text(column.name);
    if column.baseline {
        name = name.child(el("small").text(" baseline"));
    }
    let class = match s.auroc {
        misled if misled < 0.5 => "misled",
        auroc if auroc >= best => "best",
        _ => "",
    };
    let auroc = area(s.auroc, s.auroc_interval, class);
    let width = format!("width:{:.1}%", s.auroc * 100.0);
    let filled = el("span").class("accepted").attr("style", width);
    let meter = el("div").class(format!("bar meter {class}")).child(filled);
    let row = el("tr")
        .child(name)
        .child(el("td").text(&set.name))
        .child(auroc)
        .child(el("td").class("wide").child(meter))
        .child(share(
            s.rejected_at_1_percent,
            s.rejected_at_1_percent_interval,
        ))
        .child(share(
            s.rejected_at_0_1_percent,
            s.rejected_at_0_1_percent_interval,
        ));
    let others = [s.aupr_in, s.aupr_out, s.fpr_at_95_tpr];
    Some(row.children(others.map(|value| cell(format!("{value:.4}")))))
}

/// What the model is and where it comes from.
pub(super) fn model(facts: &Facts) -> Element {
    let rows = facts.model.iter().map(|(name, value)| {
        let row = el("tr").child(el("th").attr("scope", "row").text(name));
        row.child(el("td").text(value))
    });
    let history = facts.history.iter().map(|line| el("li").text(line));
    section("Model", "")
        .child(el("table").class("facts").child(el("tbody").children(rows)))
        .child(el("ol").class("history").children(history))
}

/// How long an input takes, on the cores that the repository counts on.
pub(super) fn times(facts: &Facts) -> Option<Element> {
    let note = "Estimated from instructions counted per multiply on each emulated core, at one \
                instruction a cycle: a core that waits for its flash is slower, one that issues two \
                at once faster.";
    let head = [
        ("core", ""),
        ("for example", ""),
        ("instructions", "number"),
        ("clock", "number"),
        ("an input", "number"),
    ];
    let rows = facts.instructions.iter().map(|estimate| {
        el("tr")
            .child(el("td").text(estimate.core))
            .child(el("td").text(estimate.example))
            .child(cell(grouped(estimate.instructions)))
            .child(cell(format!("{} MHz", estimate.clock_mhz)))
            .child(cell(milliseconds(estimate.milliseconds)))
    });
    let some = !facts.instructions.is_empty();
    some.then(|| section("Time on a device", note).child(table(&head, rows)))
}

fn milliseconds(value: f64) -> String {
    match value {
        long if long >= 100.0 => format!("{long:.0} ms"),
        short => format!("{short:.1} ms"),
    }
}
