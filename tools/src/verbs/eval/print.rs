//! An evaluation as tables on a terminal.

use crate::evaluation::{Evaluation, Set, deciding};
use crate::output::Output;
use crate::table::{Cell, Table, Tone};
use crate::{drift, number};
use anyhow::Result;
use flow_train_host::files::one_line;
use flow_train_host::metrics::Separation;
use std::io::Write;
use std::path::Path;

/// Rejected inputs of the model's own data that are named; results.json has more.
const NAMED: usize = 5;

pub(super) fn print(evaluation: &Evaluation, page: &Path, out: &mut Output) -> Result<()> {
    sets(evaluation).print(out)?;
    writeln!(out)?;
    if !evaluation.foreign.is_empty() {
        separation(evaluation).print(out)?;
        writeln!(out)?;
    }
    if !evaluation.drift.is_empty() {
        drift::table(&evaluation.drift).print(out)?;
        writeln!(out)?;
    }
    let mut table = Table::facts();
    if let Some(gate) = &evaluation.gate {
        table.fact(
            "false alarms",
            format!(
                "{} of {} ({}); stated {}, {} at most to be expected",
                gate.false_alarms,
                evaluation.benign.count,
                number::percent(gate.false_alarm_rate),
                number::percent(gate.alpha),
                gate.false_alarms_at_most
            ),
        );
    }
    if !evaluation.benign.mistakes.is_empty() {
        let names = evaluation.benign.mistakes.iter().take(NAMED);
        let names: Vec<&str> = names.map(|item| item.name.as_str()).collect();
        let more = evaluation.benign.rejected.unwrap_or(0) > names.len();
        let names = one_line(Path::new(&names.join(", "))).to_string();
        let end = if more { ", ..." } else { "" };
        table.fact("rejected of its own", format!("{names}{end}"));
    }
    if !evaluation.drift.is_empty() {
        let average = number::grouped(drift::AVERAGE.into());
        table.fact(
            "drift alarm",
            format!("on own data after {average} inputs or more on average"),
        );
    }
    for set in &evaluation.foreign {
        if let Some(why) = &set.below_90_percent {
            table.fact(&format!("below 90 %, {}", set.name), why.as_str());
        }
    }
    table.fact("baselines", evaluation.baselines.as_str());
    for ahead in &evaluation.baselines_ahead {
        table.fact("baseline ahead", ahead.sentence());
    }
    if !evaluation.foreign.is_empty() {
        table.fact("intervals", evaluation.intervals);
    }
    table.fact("report", one_line(page).to_string());
    Ok(table.print(out)?)
}

/// Two models on the same sets.
pub(super) fn print_both(models: [&Evaluation; 2], page: &Path, out: &mut Output) -> Result<()> {
    let head = ["set", "model", "AUROC", "rejected at 1 %", "at 0.1 %", "by"];
    let mut table = Table::new(head).left(2);
    let [first, _] = models;
    for (index, set) in first.foreign.iter().enumerate() {
        for evaluation in models {
            let Some(column) = deciding(evaluation) else {
                continue;
            };
            let own = &evaluation.foreign[index];
            let Some(s) = column.against(own) else {
                continue;
            };
            table.row([
                set.name.clone(),
                evaluation.model.clone(),
                with_interval(s.auroc, s.auroc_interval),
                rejected_by(own, s, 0),
                rejected_by(own, s, 1),
                column.name.to_owned(),
            ]);
        }
    }
    table.print(out)?;
    writeln!(out)?;
    let mut table = Table::facts();
    for evaluation in models {
        if let Some(gate) = &evaluation.gate {
            let of = format!("false alarms, {}", evaluation.model);
            let rate = number::percent(gate.false_alarm_rate);
            let promised = number::percent(gate.alpha);
            table.fact(&of, format!("{rate}, stated {promised}"));
        }
    }
    table.fact("report", one_line(page).to_string());
    Ok(table.print(out)?)
}

/// What the gate rejects at a promised rate, or what its score would on these data.
fn rejected_by(set: &Set, separation: &Separation, rate: usize) -> String {
    match (set.rejected_at.get(rate), rate) {
        (Some(_), _) => rejected_at(set, rate),
        (None, 0) => share(
            separation.rejected_at_1_percent,
            separation.rejected_at_1_percent_interval,
        ),
        (None, _) => share(
            separation.rejected_at_0_1_percent,
            separation.rejected_at_0_1_percent_interval,
        ),
    }
}

/// An area with its interval.
fn with_interval(value: f64, [low, high]: [f64; 2]) -> String {
    format!("{value:.4} [{low:.4}, {high:.4}]")
}

/// A share with its interval, in percent.
fn share(share: f64, interval: [f64; 2]) -> String {
    let [low, high] = interval.map(|share| format!("{:.2}", share * 100.0));
    format!("{:.2} % [{low}, {high}]", share * 100.0)
}

fn sets(evaluation: &Evaluation) -> Table {
    let mut table = Table::new([
        "set",
        "inputs",
        "median bits/dim",
        "accepted",
        "rejected",
        "at 1 %",
        "at 0.1 %",
    ]);
    for set in std::iter::once(&evaluation.benign).chain(&evaluation.foreign) {
        let rejected = set.rejected_share;
        let tone = match set.below_90_percent {
            Some(_) => Tone::Bad,
            None => Tone::Plain,
        };
        table.row([
            Cell::new(set.name.clone(), tone),
            number::grouped(set.count as u64).into(),
            format!("{:.4}", set.bits_per_dim_median).into(),
            rejected
                .map_or("-".to_owned(), |share| number::percent(1.0 - share))
                .into(),
            rejected.map_or("-".to_owned(), number::percent).into(),
            rejected_at(set, 0).into(),
            rejected_at(set, 1).into(),
        ]);
    }
    table
}

/// A share with its interval.
fn rejected_at(set: &Set, rate: usize) -> String {
    let at = set.rejected_at.get(rate);
    at.map_or("-".to_owned(), |at| share(at.share, at.interval))
}

fn separation(evaluation: &Evaluation) -> Table {
    let head = [
        "score",
        "against",
        "AUROC",
        "AUPR in (1:1)",
        "AUPR out (1:1)",
        "FPR at 95 % TPR",
        "rejected at 1 %",
        "at 0.1 %",
    ];
    let mut table = Table::new(head).left(2);
    for column in &evaluation.scores {
        for set in &evaluation.foreign {
            let Some(s) = column.against(set) else {
                continue;
            };
            let tone = match s.auroc {
                good if good >= 0.95 => Tone::Good,
                bad if bad < 0.5 => Tone::Bad,
                _ => Tone::Plain,
            };
            let name = match column.baseline {
                true => format!("{} (baseline)", column.name),
                false => column.name.to_owned(),
            };
            table.row([
                Cell::from(name),
                set.name.as_str().into(),
                Cell::new(with_interval(s.auroc, s.auroc_interval), tone),
                format!("{:.4}", s.aupr_in).into(),
                format!("{:.4}", s.aupr_out).into(),
                format!("{:.4}", s.fpr_at_95_tpr).into(),
                share(s.rejected_at_1_percent, s.rejected_at_1_percent_interval).into(),
                share(
                    s.rejected_at_0_1_percent,
                    s.rejected_at_0_1_percent_interval,
                )
                .into(),
            ]);
        }
    }
    table
}
