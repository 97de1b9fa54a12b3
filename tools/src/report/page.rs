//! The page as a whole: headline and cards above, where it all comes from below.

use super::Facts;
use super::parts::{document, percent};
use super::{charts, loss, tables, windows};
use crate::evaluation::{Ahead, Evaluation, Set, deciding};
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
        .children(charts::deciding_histogram(evaluation))
        .child(tables::decisions(evaluation))
        .children(foreign(tables::separation))
        .children(tables::drift(evaluation))
        .child(charts::histograms(evaluation))
        .children(foreign(charts::curves))
        .children(charts::gallery(evaluation))
        .children(windows::gallery(evaluation))
        .children(tables::times(facts))
        .children(facts.log.as_ref().map(loss::section))
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
    let header = el("header")
        .child(el("p").class("brand").text("flowgate evaluation"))
        .child(el("h1").text(&evaluation.model))
        .child(el("p").class("lead").text(verdict(evaluation)));
    header.children(warnings(evaluation))
}

/// What the sentence above must not hide.
fn warnings(evaluation: &Evaluation) -> Vec<Element> {
    let warning = |text: String| el("p").class("lead warning").text(text);
    let ahead = &evaluation.baselines_ahead;
    let list = |most: usize| {
        let sentences = ahead.iter().take(most).map(Ahead::sentence);
        let more = match ahead.len().saturating_sub(most) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        sentences.collect::<Vec<_>>().join("; ") + &more
    };
    let weak = evaluation.foreign.iter();
    let weak = weak.filter(|set| set.below_90_percent.is_some());
    let weak: Vec<&str> = weak.map(|set| set.name.as_str()).collect();
    let mut warnings = Vec::new();
    if !weak.is_empty() {
        warnings.push(warning(format!(
            "Less than 90\u{a0}% rejected: {}.",
            weak.join(", ")
        )));
    }
    if !ahead.is_empty() {
        warnings.push(warning(format!("A baseline does better: {}.", list(NAMED))));
    }
    warnings
}

/// The result in a sentence.
fn verdict(evaluation: &Evaluation) -> String {
    let own = &evaluation.benign.name;
    match (&evaluation.gate, deciding(evaluation)) {
        (Some(gate), _) if evaluation.foreign.is_empty() => format!(
            "At a stated rate of false alarms of {}, the gate rejects {} of its own data ({own}).",
            percent(gate.alpha),
            percent(gate.false_alarm_rate),
        ),
        (None, _) if evaluation.foreign.is_empty() => {
            "The model is not calibrated: it makes no decisions yet.".to_owned()
        }
        (Some(gate), _) => format!(
            "At a stated rate of false alarms of {}, the gate rejects {} and {} of its own data ({own}).",
            percent(gate.alpha),
            listed(evaluation, |set| set.rejected_share.unwrap_or(0.0), percent),
            percent(gate.false_alarm_rate),
        ),
        (None, Some(column)) => format!(
            "The {} score has an AUROC of {} against {own}. The model is not calibrated: it makes no \
             decisions yet.",
            column.name,
            listed(
                evaluation,
                |set| column.against(set).map_or(f64::NAN, |s| s.auroc),
                |auroc| format!("{auroc:.4}")
            )
        ),
        (None, None) => String::new(),
    }
}

/// "92 % of mnist, 13 % of mirrored": of every set, or of the lowest of many.
fn listed(
    evaluation: &Evaluation,
    figure: impl Fn(&Set) -> f64,
    text: impl Fn(f64) -> String,
) -> String {
    let mut sets: Vec<&Set> = evaluation.foreign.iter().collect();
    let few = sets.len() <= NAMED;
    if !few {
        sets.sort_by(|a, b| figure(a).total_cmp(&figure(b)));
    }
    let parts = sets.iter().take(NAMED);
    let parts = parts.map(|set| format!("{} of {}", text(figure(set)), set.name));
    let parts = parts.collect::<Vec<_>>().join(", ");
    match few {
        true => parts,
        false => format!("{parts} (the lowest of {} sets)", sets.len()),
    }
}

/// Sets and baselines that the headline names.
const NAMED: usize = 6;

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
        let what = format!("false alarms, stated {}", percent(gate.alpha));
        cards.push(card(class, percent(gate.false_alarm_rate), what));
    }
    let mut sets: Vec<&Set> = evaluation.foreign.iter().collect();
    sets.sort_by(|a, b| {
        let share = |set: &Set| set.rejected_share.unwrap_or(1.0);
        share(a).total_cmp(&share(b))
    });
    for set in sets.into_iter().take(NAMED) {
        let separation = deciding(evaluation).and_then(|c| Some((c.name, c.against(set)?)));
        let auroc = separation.map(|(name, s)| {
            let [low, high] = s.auroc_interval;
            format!("AUROC {:.4} [{low:.4}, {high:.4}] by {name}", s.auroc)
        });
        let auroc = auroc.unwrap_or_default();
        let class = match set.below_90_percent {
            Some(_) => "bad",
            None => "",
        };
        let rarely = set.rejected_at.get(1).map(|at| {
            let [low, high] = at.interval.map(percent);
            format!(", {} [{low}, {high}] at 0.1\u{a0}%", percent(at.share))
        });
        let rarely = rarely.unwrap_or_default();
        cards.push(match set.rejected_share {
            Some(share) => {
                let what = format!("of {} rejected{rarely}; {auroc}", set.name);
                card(class, percent(share), what)
            }
            None => card(class, set.name.clone(), auroc),
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
