//! What was measured, as tables.

use super::frames::RATE;
use super::pipeline::{Pipeline, Run};
use crate::number;
use crate::table::Table;
use flow_train_host::metrics::{median, nearest_rank};

/// One side with all its turns.
pub(super) struct Side {
    name: &'static str,
    pub(super) library: String,
    runs: Vec<Run>,
    /// Frames a second of a core.
    pub(super) fastest: f64,
}

impl Side {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self {
            name: pipeline.name,
            library: String::new(),
            runs: Vec::new(),
            fastest: 0.0,
        }
    }

    pub(super) fn push(&mut self, run: Run) {
        self.library.clone_from(&run.library);
        self.runs.push(run);
    }

    /// The median over turns.
    fn of(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        median(&self.runs.iter().map(figure).collect::<Vec<_>>())
    }

    /// Milliseconds, the median over turns.
    fn latency(&self, share: f64) -> f64 {
        self.of(|run| milliseconds(&run.latencies, share))
    }

    fn peak_mib(&self) -> f64 {
        self.of(|run| run.peak_kib as f64) / 1024.0
    }
}

/// Milliseconds of which a share is shorter, of latencies in ascending order.
fn milliseconds(latencies: &[u64], share: f64) -> f64 {
    nearest_rank(latencies, share).map_or(0.0, |us| us as f64 / 1e3)
}

/// So many cameras at once.
pub(super) fn together(cameras: &[Run]) -> Table {
    let mut latencies: Vec<u64> = cameras
        .iter()
        .flat_map(|run| &run.latencies)
        .copied()
        .collect();
    latencies.sort_unstable();
    let at = |share: f64| format!("{:.2}", milliseconds(&latencies, share));
    let mut table = Table::new([
        "cameras at once",
        "cores busy with them",
        "decisions",
        "skipped",
        "half, ms",
        "99 %, ms",
        "99.9 %, ms",
        "worst, ms",
        "MiB of all",
    ]);
    let share: f64 = cameras.iter().map(|run| run.share).sum();
    let dropped: u64 = cameras.iter().map(|run| run.dropped).sum();
    let kib: u64 = cameras.iter().map(|run| run.peak_kib).sum();
    table.row([
        cameras.len().to_string(),
        format!("{share:.2}"),
        number::grouped(latencies.len() as u64),
        number::grouped(dropped),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        format!("{:.0}", kib as f64 / 1024.0),
    ]);
    table
}

/// The sides, and how they compare where there are two.
pub(super) fn tables(sides: &[Side]) -> Vec<Table> {
    let mut table = Table::new([
        "side",
        "share of a core",
        "half, ms",
        "99 %, ms",
        "worst, ms",
        "peak MiB",
        "frames/s of a core",
        "cameras on two cores",
    ])
    .left(1);
    for side in sides {
        table.row([
            side.name.to_owned(),
            format!("{:.2} %", 100.0 * side.of(|run| run.share)),
            format!("{:.2}", side.latency(0.5)),
            format!("{:.2}", side.latency(0.99)),
            format!("{:.2}", side.latency(1.0)),
            format!("{:.0}", side.peak_mib()),
            format!("{:.0}", side.fastest),
            format!("{:.0}", (2.0 * side.fastest / f64::from(RATE)).floor()),
        ]);
    }
    let [ours, other] = sides else {
        return vec![table];
    };
    let mut ratios = Table::new(["ours over the other", "ratio", "goal"]).left(1);
    let share = |side: &Side| side.of(|run| run.share);
    for (what, ratio, goal) in [
        ("processor time", share(ours) / share(other), "0.50"),
        (
            "latency, half",
            ours.latency(0.5) / other.latency(0.5),
            "0.50",
        ),
        (
            "latency, 99 %",
            ours.latency(0.99) / other.latency(0.99),
            "0.50",
        ),
        ("memory", ours.peak_mib() / other.peak_mib(), "0.10"),
    ] {
        ratios.row([what.to_owned(), format!("{ratio:.2}"), goal.to_owned()]);
    }
    vec![table, ratios]
}
