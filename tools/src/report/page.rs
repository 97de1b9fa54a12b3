//! The page as a whole: headline and cards above, where it all comes from below.

use super::Facts;
use super::parts::{document, percent};
use super::{charts, tables};
use crate::evaluation::{Evaluation, Set, deciding};
use crate::html::{Element, el};

/// The page.
pub(super) fn page(evaluation: &Evaluation, facts: &Facts) -> Element {
    let title = format!("{}: {}", evaluation.model, against(evaluation));
    let foreign = |section: fn(&Evaluation) -> Element| {
        (!evaluation.foreign.is_empty()).then(|| section(evaluation))
    };
    let main = el("main")
        .child(headline(evaluation))
        .child(cards(evaluation))
        .child(tables::decisions(evaluation))
        .children(foreign(tables::separation))
        .children(tables::drift(evaluation))
        .child(charts::histograms(evaluation))
        .children(foreign(charts::curves))
        .children(charts::gallery(evaluation))
        .child(tables::model(facts))
        .child(footer(evaluation));
    document(&title, main)
}

/// "fashion against mnist, letters".
fn against(evaluation: &Evaluation) -> String {
    let names: Vec<&str> = evaluation
        .foreign
        .iter()
        .map(|set| set.name.as_str())
        .collect();
    match names.is_empty() {
        true => evaluation.benign.name.clone(),
        false => format!("{} against {}", evaluation.benign.name, names.join(", ")),
    }
}

fn headline(evaluation: &Evaluation) -> Element {
    el("header")
        .child(el("p").class("brand").text("flowgate evaluation"))
        .child(el("h1").text(&evaluation.model))
        .child(el("p").class("lead").text(verdict(evaluation)))
}

/// The result in a sentence.
fn verdict(evaluation: &Evaluation) -> String {
    let listed = |of: &dyn Fn(&Set) -> String| {
        let parts: Vec<String> = evaluation.foreign.iter().map(of).collect();
        parts.join(", ")
    };
    match (&evaluation.gate, deciding(evaluation)) {
        (Some(gate), _) if evaluation.foreign.is_empty() => format!(
            "With false alarms promised to stay at or below {}, the gate rejects {} of its own data ({}).",
            percent(gate.alpha),
            percent(gate.false_alarm_rate),
            evaluation.benign.name
        ),
        (None, _) if evaluation.foreign.is_empty() => {
            "The model is not calibrated: it makes no decisions yet.".to_owned()
        }
        (Some(gate), _) => format!(
            "With false alarms promised to stay at or below {}, the gate rejects {} and {} of its own data ({}).",
            percent(gate.alpha),
            listed(&|set| format!(
                "{} of {}",
                percent(set.rejected_share.unwrap_or(0.0)),
                set.name
            )),
            percent(gate.false_alarm_rate),
            evaluation.benign.name
        ),
        (None, Some(column)) => format!(
            "The {} score tells {} from {}. The model is not calibrated: it makes no decisions yet.",
            column.name,
            evaluation.benign.name,
            listed(&|set| format!(
                "{} with an AUROC of {:.4}",
                set.name,
                column.against(set).map_or(f64::NAN, |s| s.auroc)
            ))
        ),
        (None, None) => String::new(),
    }
}

fn cards(evaluation: &Evaluation) -> Element {
    let card = |class: &str, figure: String, what: String| {
        el("div")
            .class(format!("card {class}"))
            .child(el("b").text(figure))
            .child(el("span").text(what))
    };
    let mut cards = Vec::new();
    if let Some(gate) = &evaluation.gate {
        let class = if gate.within_bound { "good" } else { "bad" };
        let what = format!("false alarms, promised at most {}", percent(gate.alpha));
        cards.push(card(class, percent(gate.false_alarm_rate), what));
    }
    for set in &evaluation.foreign {
        let separation = deciding(evaluation).and_then(|c| Some((c.name, c.against(set)?.auroc)));
        let auroc = separation.map(|(name, auroc)| format!("AUROC {auroc:.4} by {name}"));
        let auroc = auroc.unwrap_or_default();
        cards.push(match set.rejected_share {
            Some(share) => {
                let what = format!("of {} rejected; {auroc}", set.name);
                card("", percent(share), what)
            }
            None => card("", set.name.clone(), auroc),
        });
    }
    el("div").class("cards").children(cards)
}

fn footer(evaluation: &Evaluation) -> Element {
    let sets = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let paths: Vec<String> = sets
        .map(|set| format!("{} = {}", set.name, set.path))
        .collect();
    let made = match evaluation.commit {
        "" => format!("{}, {}", evaluation.date, evaluation.tool),
        commit => format!("{}, {}, commit {commit}", evaluation.date, evaluation.tool),
    };
    el("footer")
        .child(el("p").text(made))
        .child(el("p").text(paths.join("; ")))
        .child(el("p").text("The figures of this page lie beside it in results.json."))
}
