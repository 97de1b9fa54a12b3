//! What pages and their sections share.

use crate::html::{Element, el};

/// A whole page: its title and what is in it.
pub(crate) fn document(title: &str, main: Element) -> Element {
    let viewport = el("meta")
        .attr("name", "viewport")
        .attr("content", "width=device-width, initial-scale=1");
    let head = el("head")
        .child(el("meta").attr("charset", "utf-8"))
        .child(viewport)
        .child(el("title").text(title))
        .child(el("style").own(include_str!("style.css")));
    let body = el("body").child(main);
    el("html").attr("lang", "en").child(head).child(body)
}

/// A section with a heading and a note.
pub(crate) fn section(title: &str, note: &str) -> Element {
    let section = el("section").child(el("h2").text(title));
    match note {
        "" => section,
        note => section.child(el("p").class("note").text(note)),
    }
}

/// A share in percent, not to be broken at the end of a line.
pub(crate) fn percent(share: f64) -> String {
    crate::number::percent(share).replace(' ', "\u{a0}")
}

/// The class that colours a set: the benign one, or a foreign one by its number.
pub(crate) fn set_class(foreign: Option<usize>) -> String {
    foreign.map_or("benign".to_owned(), |index| {
        format!("foreign-{}", index % 10)
    })
}

/// A table; the head has each column's name and class.
pub(crate) fn table(
    columns: &[(&'static str, &str)],
    rows: impl Iterator<Item = Element>,
) -> Element {
    let head = columns
        .iter()
        .map(|(name, class)| el("th").attr("scope", "col").class(class).text(name));
    let head = el("thead").child(el("tr").children(head));
    let body = el("tbody").children(rows.map(|row| row.labelled(columns)));
    el("div")
        .class("scroll")
        .child(el("table").child(head).child(body))
}

/// An area with its interval.
pub(crate) fn area(value: f64, [low, high]: [f64; 2], class: &str) -> Element {
    let interval = format!(" {low:.4}\u{2013}{high:.4}");
    let cell = el("td").class(format!("number {class}"));
    let cell = cell.text(format!("{value:.4}"));
    cell.child(el("small").class("interval").text(interval))
}

/// A share with its interval, in percent.
pub(crate) fn share(value: f64, interval: [f64; 2]) -> Element {
    let [low, high] = interval.map(|end| format!("{:.2}", end * 100.0));
    let interval = format!(" {low}\u{2013}{high}");
    let cell = el("td").class("number").text(percent(value));
    cell.child(el("small").class("interval").text(interval))
}

/// A cell with a number.
pub(crate) fn cell(text: String) -> Element {
    el("td").class("number").text(text)
}
