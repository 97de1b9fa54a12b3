//! The figures of the page: distributions, trade-offs, images.

use super::parts::{section, set_class};
use super::{histogram, pictures, roc, slider};
use crate::evaluation::{Evaluation, deciding};
use crate::html::{Element, el};
use flow_infer::score::ScoreKind;

/// What the threshold decides about: the deciding score, and its threshold to be moved.
pub(super) fn deciding_histogram(evaluation: &Evaluation) -> Option<Element> {
    let column = deciding(evaluation)?;
    let gate = evaluation.gate.as_ref().map(|gate| gate.threshold_nats);
    let note = format!(
        "Share of inputs over the {} score in nats, which decides. What lies beyond the edge counts \
         in the last bar. Move the threshold to see what another one would reject of these data; a \
         file's promise holds for its own alone.",
        column.name
    );
    let figure = el("figure")
        .class("chart")
        .child(histogram::figure(column, &evaluation.foreign, gate))
        .child(slider::slider(column, evaluation, gate))
        .child(slider::script());
    let section = section("The deciding score", &note).child(legend(evaluation));
    Some(section.child(figure))
}

/// A histogram for each of the other scores.
pub(super) fn histograms(evaluation: &Evaluation) -> Element {
    let first = deciding(evaluation).map(|column| column.name);
    let others = evaluation.scores.iter();
    let others = others.filter(|column| Some(column.name) != first);
    let figures = others.map(|column| {
        let caption = el("figcaption")
            .child(el("b").text(column.name))
            .text(meaning(column.name));
        el("figure")
            .class("chart")
            .child(caption)
            .child(histogram::figure(column, &evaluation.foreign, None))
    });
    let note =
        "Share of inputs over the score in nats. What lies beyond the edge counts in the last bar.";
    section("Other scores and baselines", note)
        .child(legend(evaluation))
        .child(el("div").class("charts").children(figures))
}

fn meaning(score: &str) -> &'static str {
    match score {
        s if s == ScoreKind::Likelihood.name() => " log-likelihood of the flow",
        s if s == ScoreKind::Complexity.name() => {
            " log-likelihood plus the length of a lossless code"
        }
        s if s == ScoreKind::Typicality.name() => {
            " how near the log-likelihood is to its usual value"
        }
        "gaussian" => " baseline: one Gaussian, full covariance",
        "mixture" => " baseline: ten Gaussians on the principal axes",
        _ => "",
    }
}

fn legend(evaluation: &Evaluation) -> Element {
    let sets = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let items = sets.enumerate().map(|(index, set)| {
        let key = el("i").class(format!("key {}", set_class(index.checked_sub(1))));
        let name = match index {
            0 => format!("{} (own)", set.name),
            _ => set.name.clone(),
        };
        el("span").child(key).text(name)
    });
    el("p").class("legend").children(items)
}

/// A receiver operating characteristic for each foreign set.
pub(super) fn curves(evaluation: &Evaluation) -> Element {
    let figures = evaluation.foreign.iter().enumerate().map(|(index, set)| {
        let items = evaluation
            .scores
            .iter()
            .enumerate()
            .filter_map(|(score, column)| {
                let s = column.against(set)?;
                let key = el("i").class(format!("key score-{score}"));
                let auroc = el("span").text(format!("{:.4}", s.auroc));
                Some(el("li").child(key).text(column.name).child(auroc))
            });
        el("figure")
            .class("chart roc")
            .child(
                el("figcaption")
                    .text("against ")
                    .child(el("b").text(&set.name)),
            )
            .child(
                el("div")
                    .class("sides")
                    .child(roc::figure(&evaluation.scores, index))
                    .child(el("ul").class("keys").children(items)),
            )
    });
    let note = "Each threshold of a score accepts a share of the own data and a share of the foreign data.";
    section("Trade-offs", note).child(el("div").class("charts").children(figures))
}

/// Images of each set; none of vectors.
pub(super) fn gallery(evaluation: &Evaluation) -> Option<Element> {
    let column = deciding(evaluation)?;
    let sets = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let groups: Vec<Element> = sets
        .enumerate()
        .filter_map(|(index, set)| {
            let foreign = index.checked_sub(1);
            let values = pictures::values_of(column, foreign);
            let strips = pictures::strips(set, values, foreign.is_none());
            let key = el("i").class(format!("key {}", set_class(foreign)));
            let title = el("h3").child(key).text(&set.name);
            (!strips.is_empty()).then(|| el("div").class("group").child(title).children(strips))
        })
        .collect();
    if groups.is_empty() {
        return None;
    }
    let note = match evaluation.gate {
        Some(_) => format!(
            "Below each image its {} score in nats; a tip has its file's name. A red frame is a mistake of the gate: an \
             own image rejected, or a foreign one accepted. Beside the images at the threshold lies where they are \
             odd: orange where the flow pays more for a pixel than a lossless code that knows nothing of the data, \
             blue where it pays less.",
            column.name
        ),
        None => format!("Below each image its {} score in nats.", column.name),
    };
    Some(section("Images", &note).children(groups))
}
