//! The sections of the page, from the headline down.

use super::Facts;
use super::html::{Element, el};
use super::{histogram, pictures, roc};
use crate::evaluation::{Column, Evaluation, Set, deciding};
use crate::number::{grouped, percent};
use flow_infer::score::ScoreKind;

/// The page.
pub(super) fn page(evaluation: &Evaluation, facts: &Facts) -> Element {
    let title = format!("{}: {}", evaluation.model, against(evaluation));
    let head = el("head")
        .child(el("meta").attr("charset", "utf-8"))
        .child(
            el("meta")
                .attr("name", "viewport")
                .attr("content", "width=device-width, initial-scale=1"),
        )
        .child(el("title").text(&title))
        .child(el("style").style(include_str!("style.css")));
    let main = el("main")
        .child(headline(evaluation))
        .child(cards(evaluation))
        .child(decisions(evaluation))
        .child(separation(evaluation))
        .child(histograms(evaluation))
        .child(curves(evaluation))
        .children(gallery(evaluation))
        .child(model(facts))
        .child(footer(evaluation));
    let body = el("body").child(main);
    el("html").attr("lang", "en").child(head).child(body)
}

/// "fashion against mnist, letters".
fn against(evaluation: &Evaluation) -> String {
    let names: Vec<&str> = evaluation
        .foreign
        .iter()
        .map(|set| set.name.as_str())
        .collect();
    format!("{} against {}", evaluation.benign.name, names.join(", "))
}

fn section(title: &str, note: &str) -> Element {
    let section = el("section").child(el("h2").text(title));
    match note {
        "" => section,
        note => section.child(el("p").class("note").text(note)),
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
        if let Some(share) = set.rejected_share {
            cards.push(card(
                "",
                percent(share),
                format!("of {} rejected", set.name),
            ));
        }
    }
    for set in &evaluation.foreign {
        if let Some((column, s)) = deciding(evaluation).and_then(|c| Some((c, c.against(set)?))) {
            let what = format!("AUROC of {} against {}", column.name, set.name);
            cards.push(card("", format!("{:.4}", s.auroc), what));
        }
    }
    el("div").class("cards").children(cards)
}

fn decisions(evaluation: &Evaluation) -> Element {
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
        "set",
        "inputs",
        "median bits/dim",
        "accepted",
        "rejected",
        "",
    ];
    let sets = std::iter::once(&evaluation.benign).chain(&evaluation.foreign);
    let rows = sets.enumerate().map(|(index, set)| {
        let class = set_class(index.checked_sub(1));
        let share = |part: Option<f64>| part.map_or("-".to_owned(), percent);
        let name = el("td")
            .child(el("i").class(format!("key {class}")))
            .text(&set.name);
        let bar = set.rejected_share.map_or_else(|| el("div"), split_bar);
        el("tr")
            .child(name.attr("title", &set.path))
            .child(cell(grouped(set.count as u64)))
            .child(cell(format!("{:.3}", set.bits_per_dim_median)))
            .child(cell(share(set.rejected_share.map(|r| 1.0 - r))))
            .child(cell(share(set.rejected_share)))
            .child(el("td").class("wide").child(bar))
    });
    section("Decisions", &note).child(table(&head, rows))
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

fn separation(evaluation: &Evaluation) -> Element {
    let note = "Every score is higher for inputs more like the model's own data. AUROC: how often an own input scores \
                above a foreign one; 0.5 is chance, and below it the score is misled. A plain likelihood often is: \
                simple foreign images are likelier than the data a flow was trained on.";
    let head = [
        "score",
        "against",
        "AUROC",
        "AUPR in",
        "AUPR out",
        "foreign accepted at 95 %",
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
    let mut classes = vec!["number", "meter"];
    classes.extend((s.auroc >= best).then_some("best"));
    classes.extend((s.auroc < 0.5).then_some("misled"));
    let meter = el("td")
        .class(classes.join(" "))
        .attr("style", format!("--share:{:.1}%", s.auroc * 100.0))
        .text(format!("{:.4}", s.auroc));
    let row = el("tr")
        .child(name)
        .child(el("td").text(&set.name))
        .child(meter);
    let others = [s.aupr_in, s.aupr_out, s.fpr_at_95_tpr];
    Some(row.children(others.map(|value| cell(format!("{value:.4}")))))
}

fn histograms(evaluation: &Evaluation) -> Element {
    let gate = evaluation.gate.as_ref();
    let figures = evaluation.scores.iter().map(|column| {
        let threshold = gate
            .filter(|g| g.score == column.name)
            .map(|g| g.threshold_nats);
        let caption = el("figcaption")
            .child(el("b").text(column.name))
            .text(meaning(column.name));
        el("figure")
            .class("chart")
            .child(caption)
            .child(histogram::figure(column, &evaluation.foreign, threshold))
    });
    let note =
        "Share of inputs over the score in nats. What lies beyond the edge counts in the last bar.";
    section("Distributions", note)
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

fn set_class(foreign: Option<usize>) -> String {
    foreign.map_or("benign".to_owned(), |index| {
        format!("foreign-{}", index % 10)
    })
}

fn curves(evaluation: &Evaluation) -> Element {
    let figures = evaluation.foreign.iter().enumerate().map(|(index, set)| {
        let items = evaluation
            .scores
            .iter()
            .enumerate()
            .filter_map(|(score, column)| {
                let s = column.against(set)?;
                let key = el("i").class(format!("key score-{score}"));
                Some(
                    el("li")
                        .child(key)
                        .text(format!("{} {:.4}", column.name, s.auroc)),
                )
            });
        el("figure")
            .class("chart roc")
            .child(
                el("figcaption")
                    .text("against ")
                    .child(el("b").text(&set.name)),
            )
            .child(roc::figure(&evaluation.scores, index))
            .child(el("ul").class("keys").children(items))
    });
    let note = "Each threshold of a score accepts a share of the own data and a share of the foreign data.";
    section("Trade-offs", note).child(el("div").class("charts").children(figures))
}

fn gallery(evaluation: &Evaluation) -> Option<Element> {
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
            "Below each image its {} score in nats. A red frame is a mistake of the gate: an own image rejected, or a \
             foreign one accepted.",
            column.name
        ),
        None => format!("Below each image its {} score in nats.", column.name),
    };
    Some(section("Images", &note).children(groups))
}

fn model(facts: &Facts) -> Element {
    let rows = facts.model.iter().map(|(name, value)| {
        let row = el("tr").child(el("th").attr("scope", "row").text(name));
        row.child(el("td").text(value))
    });
    let history = facts.history.iter().map(|line| el("li").text(line));
    section("Model", "")
        .child(el("table").class("facts").child(el("tbody").children(rows)))
        .child(el("ol").class("history").children(history))
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

fn table(head: &[&str], rows: impl Iterator<Item = Element>) -> Element {
    let head = head
        .iter()
        .map(|name| el("th").attr("scope", "col").text(name));
    let head = el("thead").child(el("tr").children(head));
    let body = el("tbody").children(rows);
    el("div")
        .class("scroll")
        .child(el("table").child(head).child(body))
}

fn cell(text: String) -> Element {
    el("td").class("number").text(text)
}
