//! The page of the claims.

use super::claims::{Claim, Evidence, Verdict};
use super::records::RecordTable;
use super::runs::Lab;
use crate::html::{Element, el};
use crate::picture::file::svg_uri;
use crate::report::histogram;
use crate::report::parts::{area, cell, document, section, share, table};
use crate::{date, number, provenance};
use anyhow::{Context, Result};
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::metrics::Separation;
use std::path::{Path, PathBuf};

/// Writes the page; its path.
pub(super) fn write(
    directory: &Path,
    claims: &[Claim<'_>],
    lab: &Lab,
    evaluated: u32,
) -> Result<PathBuf> {
    let sections = claims.iter().enumerate().map(of_claim);
    let sections = sections.collect::<Result<Vec<_>>>()?;
    let main = el("main")
        .child(headline(claims))
        .child(contents(claims))
        .children(sections)
        .child(footer(lab, evaluated));
    let page = document("The paper, claim by claim", main);
    let path = directory.join("index.html");
    write_atomically(&path, |w| writeln!(w, "<!doctype html>\n{page}"))?;
    Ok(path)
}

fn headline(claims: &[Claim<'_>]) -> Element {
    let count = |verdict| {
        claims
            .iter()
            .filter(|claim| claim.verdict == verdict)
            .count()
    };
    let lead = format!(
        "\u{201c}Why Normalizing Flows Fail to Detect Out-of-Distribution Data\u{201d} (Kirichenko, \
         Izmailov, Wilson 2020), at the size that runs here: {} claims confirmed, {} not, {} shown \
         as pictures, {} not measured.",
        count(Verdict::Confirmed),
        count(Verdict::NotConfirmed),
        count(Verdict::Shown),
        count(Verdict::NotMeasured)
    );
    el("header")
        .child(el("p").class("brand").text("flowgate paper"))
        .child(el("h1").text("The paper, claim by claim"))
        .child(el("p").class("lead").text(lead))
}

fn contents(claims: &[Claim<'_>]) -> Element {
    let head = [("claim", ""), ("in the paper", ""), ("here", "")];
    let rows = claims.iter().enumerate().map(|(index, claim)| {
        let link = el("a").attr("href", format!("#claim-{}", index + 1));
        el("tr")
            .child(el("td").child(link.text(claim.title)))
            .child(el("td").text(claim.place))
            .child(
                el("td")
                    .class(class(claim.verdict))
                    .text(claim.verdict.text()),
            )
    });
    section("Claims", "").child(table(&head, rows))
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "best",
        Verdict::NotConfirmed => "misled",
        Verdict::Shown | Verdict::NotMeasured => "",
    }
}

fn of_claim((index, claim): (usize, &Claim<'_>)) -> Result<Element> {
    let evidence = claim.evidence.iter().map(of_evidence);
    let evidence = evidence.collect::<Result<Vec<_>>>()?;
    let verdict = el("b").text(claim.verdict.text());
    let finds = el("p").child(verdict).text(format!(": {}", claim.finds));
    Ok(section(claim.title, claim.says)
        .attr("id", format!("claim-{}", index + 1))
        .child(
            el("p")
                .class("note")
                .text(format!("In the paper: {}.", claim.place)),
        )
        .child(finds)
        .children(evidence))
}

fn of_evidence(evidence: &Evidence<'_>) -> Result<Element> {
    Ok(match evidence {
        Evidence::Likelihoods(rows) => likelihoods(rows),
        Evidence::Histogram(caption, column, foreign) => el("figure")
            .class("chart")
            .child(el("figcaption").text(format!("{caption}: green own data, orange foreign")))
            .child(histogram::figure(column, foreign, None)),
        Evidence::Picture(caption, path) => picture(caption, path)?,
        Evidence::Record(table) => record(table),
    })
}

fn likelihoods(rows: &[(String, &Separation, f64)]) -> Element {
    let head = [
        ("flow", ""),
        ("AUROC of the likelihood", "number"),
        ("rejected at 1\u{a0}%", "number"),
        ("median bits/dim, own", "number"),
    ];
    let rows = rows.iter().map(|(what, s, bits)| {
        el("tr")
            .child(el("td").text(what))
            .child(area(s.auroc, s.auroc_interval, ""))
            .child(share(
                s.rejected_at_1_percent,
                s.rejected_at_1_percent_interval,
            ))
            .child(cell(format!("{bits:.3}")))
    });
    table(&head, rows)
}

fn picture(caption: &str, path: &Path) -> Result<Element> {
    let svg = std::fs::read(path).with_context(|| one_line(path).to_string())?;
    let image = el("img").attr("src", svg_uri(&svg)).attr("alt", caption);
    let image = image.attr("style", "max-width:100%;height:auto");
    let caption = el("figcaption").text(caption);
    Ok(el("figure").class("chart").child(caption).child(image))
}

fn record(table: &RecordTable) -> Element {
    let head = table.head.iter();
    let head = head.map(|name| el("th").attr("scope", "col").text(name));
    let rows = table.rows.iter().map(|row| {
        let cells = row.iter().map(|value| el("td").text(value));
        el("tr").children(cells)
    });
    let grid = el("table")
        .child(el("thead").child(el("tr").children(head)))
        .child(el("tbody").children(rows));
    let from = format!("From records/{}:", table.record);
    el("div")
        .class("beside")
        .child(el("p").class("note").text(from))
        .child(grid)
}

fn footer(lab: &Lab, evaluated: u32) -> Element {
    let made = format!(
        "{}, {}, commit {}",
        date::today(),
        provenance::tool(),
        provenance::commit()
    );
    let grouped = |n: u32| number::grouped(n.into());
    let runs = format!(
        "Runs: {} training images, {} passes, seed {}; {} images of each set evaluated, none of \
         them trained on (of negative training: as negatives). Small: intervals of 95 %. One seed: \
         differences between runs vary by more than the intervals say.",
        grouped(lab.images),
        lab.epochs,
        lab.seed,
        grouped(evaluated)
    );
    el("footer")
        .child(el("p").text(made))
        .child(el("p").text(runs))
}
