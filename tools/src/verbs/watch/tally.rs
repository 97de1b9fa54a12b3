//! What came of all frames together.

use super::decider::{Seen, Stages};
use super::latency::Latencies;
use crate::number;
use crate::output::Output;
use crate::table::{Cell, Table};
use anyhow::Result;
use flow_infer::gate::Decision;
use serde::Serialize;
use std::io::Write;
use std::time::Duration;

/// Counters and latencies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    /// Frames that gave way to newer ones.
    pub(crate) dropped: u64,
    /// Of each view.
    pub(crate) views: Vec<Counts>,
    pub(crate) read: Latencies,
    pub(crate) reduce: Latencies,
    pub(crate) wait: Latencies,
    pub(crate) evaluate: Latencies,
    pub(crate) total: Latencies,
}

/// Counters of a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) invalid: u64,
    /// Alarms that began.
    pub(crate) alarms: u64,
    pub(crate) alarm: bool,
    pub(crate) drift: bool,
}

impl Counts {
    /// Counts a decision.
    pub(super) fn add(&mut self, decision: Decision) {
        match decision {
            Decision::Accept => self.accepted += 1,
            Decision::Reject => self.rejected += 1,
            Decision::Invalid => self.invalid += 1,
        }
    }

    /// The share of inputs that was rejected.
    pub(crate) fn rejected_share(&self) -> Option<f64> {
        let valid = self.accepted + self.rejected;
        (valid > 0).then(|| self.rejected as f64 / valid as f64)
    }
}

impl Tally {
    pub(crate) fn new(views: usize) -> Self {
        Self {
            views: vec![Counts::default(); views],
            ..Self::default()
        }
    }

    /// Counts a frame.
    pub(crate) fn push(&mut self, seen: &Seen) {
        self.frames += 1;
        self.dropped += seen.dropped;
        for (counts, verdict) in self.views.iter_mut().zip(&seen.verdicts) {
            counts.add(verdict.decision);
            counts.alarms += u64::from(verdict.raised);
            (counts.alarm, counts.drift) = (verdict.alarm, verdict.drift);
        }
        let is_input = seen.verdicts.iter().any(|verdict| verdict.input.is_ok());
        if is_input {
            self.time(&seen.stages);
        }
    }

    /// How many of them were an input.
    pub(crate) fn inputs(&self) -> u64 {
        self.total.count()
    }

    fn time(&mut self, stages: &Stages) {
        self.read.push(stages.read);
        self.reduce.push(stages.reduce);
        self.wait.push(stages.wait);
        self.evaluate.push(stages.evaluate);
        self.total.push(stages.total);
    }

    /// Every stage with its name.
    pub(crate) fn stages(&self) -> [(&'static str, &Latencies); 5] {
        [
            ("read", &self.read),
            ("reduce", &self.reduce),
            ("wait", &self.wait),
            ("evaluate", &self.evaluate),
            ("total", &self.total),
        ]
    }

    /// Alarms of all views.
    pub(crate) fn alarms(&self) -> u64 {
        self.views.iter().map(|counts| counts.alarms).sum()
    }

    /// One line: what there was.
    pub(crate) fn sentence(&self, lost: u64, faults: u64) -> String {
        let sum =
            |of: fn(&Counts) -> u64| -> String { number::grouped(self.views.iter().map(of).sum()) };
        format!(
            "{} frames, {} dropped, {} lost, {} faults: {} rejected, {} invalid, {} alarms",
            number::grouped(self.frames),
            number::grouped(self.dropped),
            number::grouped(lost),
            number::grouped(faults),
            sum(|counts| counts.rejected),
            sum(|counts| counts.invalid),
            sum(|counts| counts.alarms),
        )
    }

    /// The tables at the end.
    pub(crate) fn print(&self, names: &[String], promised: &[f64], out: &mut Output) -> Result<()> {
        gates(&self.views, names, promised).print(out)?;
        writeln!(out)?;
        let mut table = Table::new(["milliseconds", "mean", "half", "99 %", "worst"]).left(1);
        for (name, latencies) in self.stages() {
            table.row([
                Cell::from(name),
                millis(latencies.mean()).into(),
                millis(latencies.quantile(0.5)).into(),
                millis(latencies.quantile(0.99)).into(),
                millis(latencies.worst()).into(),
            ]);
        }
        Ok(table.print(out)?)
    }
}

/// What each gate has decided, and what it has promised.
pub(super) fn gates(views: &[Counts], names: &[String], promised: &[f64]) -> Table {
    let head = [
        "gate",
        "accepted",
        "rejected",
        "invalid",
        "share rejected",
        "promised at most",
        "alarms",
        "drift",
    ];
    let mut table = Table::new(head).left(1);
    for ((counts, name), promised) in views.iter().zip(names).zip(promised) {
        let share = counts.rejected_share();
        table.row([
            Cell::from(name.clone()),
            number::grouped(counts.accepted).into(),
            number::grouped(counts.rejected).into(),
            number::grouped(counts.invalid).into(),
            share.map_or("-".to_owned(), number::percent).into(),
            number::percent(*promised).into(),
            number::grouped(counts.alarms).into(),
            Cell::from(if counts.drift { "alarm" } else { "-" }),
        ]);
    }
    table
}

fn millis(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1e3)
}
