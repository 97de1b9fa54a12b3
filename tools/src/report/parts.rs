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
        .child(el("style").style(include_str!("style.css")));
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
pub(crate) fn table(head: &[(&str, &str)], rows: impl Iterator<Item = Element>) -> Element {
    let head = head
        .iter()
        .map(|(name, class)| el("th").attr("scope", "col").class(class).text(name));
    let head = el("thead").child(el("tr").children(head));
    let body = el("tbody").children(rows);
    el("div")
        .class("scroll")
        .child(el("table").child(head).child(body))
}

/// A cell with a number.
pub(crate) fn cell(text: String) -> Element {
    el("td").class("number").text(text)
}
