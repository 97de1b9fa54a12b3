//! Two models on the same data, side by side; each has a page of its own below.

use super::Facts;
use super::parts::{area, cell, document, section, share, table};
use crate::evaluation::{Column, Evaluation, Set, deciding};
use crate::html::{Element, el};
use crate::number::percent;

/// An evaluation, what there is to say of its model, and where its own page lies.
pub(super) struct Side<'e> {
    pub(super) evaluation: &'e Evaluation,
    pub(super) facts: &'e Facts,
    pub(super) page: String,
}

/// The page.
pub(super) fn page(sides: &[Side<'_>; 2]) -> Element {
    let names = sides.each_ref().map(|side| side.evaluation.model.as_str());
    let main = el("main")
        .child(headline(sides))
        .child(decisions(sides))
        .child(models(sides));
    document(&format!("{} and {}", names[0], names[1]), main)
}

fn headline(sides: &[Side<'_>; 2]) -> Element {
    let links = sides.iter().map(|side| {
        let link = el("a").attr("href", &side.page);
        el("p").child(link.text(format!("all of {}", side.evaluation.model)))
    });
    let [first, second] = sides.each_ref().map(|side| side.evaluation);
    el("header")
        .child(el("p").class("brand").text("flowgate evaluation"))
        .child(el("h1").text(format!("{} and {}", first.model, second.model)))
        .child(el("p").class("lead").text(verdict(first, second)))
        .children(links)
}

/// Which of them rejects more, on how many sets.
fn verdict(first: &Evaluation, second: &Evaluation) -> String {
    let sets = first.foreign.iter().zip(&second.foreign);
    let shares = sets.filter_map(|(a, b)| {
        let of = |evaluation: &Evaluation, set| {
            let s = deciding(evaluation)?.against(set)?;
            Some(s.rejected_at_1_percent)
        };
        Some((of(first, a)?, of(second, b)?))
    });
    let (mut ahead, mut behind, mut equal) = (0, 0, 0);
    for (a, b) in shares {
        match (a - b).abs() < 0.005 {
            true => equal += 1,
            false if a > b => ahead += 1,
            false => behind += 1,
        }
    }
    format!(
        "At 1\u{a0}% false alarms among these data, {} rejects more of {ahead} foreign sets, {} of \
         {behind}; {equal} are equal within half a point.",
        first.model, second.model
    )
}

fn decisions(sides: &[Side<'_>; 2]) -> Element {
    let head = [
        ("set", ""),
        ("model", ""),
        ("AUROC", "number"),
        ("rejected at 1\u{a0}%", "number"),
        ("at 0.1\u{a0}%", "number"),
        ("by", ""),
    ];
    let sets = 0..sides[0].evaluation.foreign.len();
    let rows = sets.flat_map(|index| sides.iter().filter_map(move |side| row(side, index)));
    let note = "Of the score that decides, at thresholds of the evaluated data, so that both models \
                are asked the same. Red: less than 90\u{a0}% rejected.";
    section("Foreign sets", note).child(table(&head, rows))
}

fn row(side: &Side<'_>, index: usize) -> Option<Element> {
    let set: &Set = side.evaluation.foreign.get(index)?;
    let column: &Column = deciding(side.evaluation)?;
    let s = column.against(set)?;
    let row = match &set.below_90_percent {
        Some(_) => el("tr").class("weak"),
        None => el("tr"),
    };
    let row = row
        .child(el("td").text(&set.name))
        .child(el("td").text(&side.evaluation.model))
        .child(area(s.auroc, s.auroc_interval, ""))
        .child(share(
            s.rejected_at_1_percent,
            s.rejected_at_1_percent_interval,
        ))
        .child(share(
            s.rejected_at_0_1_percent,
            s.rejected_at_0_1_percent_interval,
        ));
    Some(row.child(el("td").text(column.name)))
}

/// What the models are, fact by fact.
fn models(sides: &[Side<'_>; 2]) -> Element {
    let [first, second] = sides;
    let head = [
        ("", ""),
        (first.evaluation.model.as_str(), "number"),
        (second.evaluation.model.as_str(), "number"),
    ];
    let pairs = first.facts.model.iter().map(|(name, value)| {
        let other = second.facts.model.iter().find(|(other, _)| other == name);
        let other = other.map_or("-", |(_, value)| value.as_str());
        (*name, value.clone(), other.to_owned())
    });
    let alarms = sides.each_ref().map(|side| {
        let gate = side.evaluation.gate.as_ref();
        gate.map_or("-".to_owned(), |gate| {
            let promised = percent(gate.alpha);
            format!("{} (promised {promised})", percent(gate.false_alarm_rate))
        })
    });
    let [a, b] = alarms;
    let pairs = pairs.chain([("false alarms", a, b)]);
    let rows = pairs.map(|(name, a, b)| {
        let row = el("tr").child(el("td").text(name));
        row.child(cell(a)).child(cell(b))
    });
    section("Models", "").child(plain_table(&head, rows))
}

/// A table whose head is not the program's own.
fn plain_table(head: &[(&str, &str)], rows: impl Iterator<Item = Element>) -> Element {
    let head = head.iter().map(|(name, class)| {
        let cell = el("th").attr("scope", "col");
        cell.class(class).text(name)
    });
    let head = el("thead").child(el("tr").children(head));
    let table = el("table").child(head);
    el("div")
        .class("beside")
        .child(table.child(el("tbody").children(rows)))
}
