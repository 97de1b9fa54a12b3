//! A frame as one JSON object.

use super::decider::{Decider, Seen, Stages, Verdict};
use super::views::View;
use crate::json::versioned;
use crate::line::Line;
use flow_infer::gate::Calibration;
use flow_infer::spec::units::nats_from_raw;
use serde::Serialize;
use std::time::Duration;

/// Where the time went, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct LatencyUs {
    read: u64,
    reduce: u64,
    wait: u64,
    evaluate: u64,
    total: u64,
}

/// What is said of the whole frame.
#[derive(Clone, Copy, Debug, Serialize)]
struct OfFrame {
    /// Frames that gave way to this one.
    dropped: u64,
    latency_us: LatencyUs,
}

/// What a view says.
#[derive(Serialize)]
struct OfView<'a> {
    #[serde(flatten)]
    line: Line,
    alarm: bool,
    drift: bool,
    /// How far the threshold has moved, in nats, where it follows the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_moved: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct One<'a> {
    time: f64,
    #[serde(flatten)]
    view: OfView<'a>,
    #[serde(flatten)]
    frame: OfFrame,
}

#[derive(Serialize)]
struct Several<'a> {
    index: u64,
    time: f64,
    alarm: bool,
    drift: bool,
    gates: Vec<OfView<'a>>,
    #[serde(flatten)]
    frame: OfFrame,
}

impl From<&Stages> for LatencyUs {
    fn from(stages: &Stages) -> Self {
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        Self {
            read: micros(stages.read),
            reduce: micros(stages.reduce),
            wait: micros(stages.wait),
            evaluate: micros(stages.evaluate),
            total: micros(stages.total),
        }
    }
}

/// The object of a frame: of one view flat, of several a list of gates within.
pub(crate) fn object(seen: &Seen, decider: &Decider<'_>, views: &[View]) -> String {
    let frame = OfFrame {
        dropped: seen.dropped,
        latency_us: (&seen.stages).into(),
    };
    let time = (seen.time * 1e6).round() / 1e6;
    let dims = |view: &View| view.reduction.output.len();
    let of = |place: usize, verdict| {
        let line = line(
            seen,
            verdict,
            decider.calibration(place),
            views.get(place).map_or(1, dims),
        );
        of_view(verdict, line)
    };
    let text = match seen.verdicts.as_slice() {
        [verdict] => serde_json::to_string(&versioned(&One {
            time,
            view: of(0, verdict),
            frame,
        })),
        verdicts => {
            let named = |(place, verdict): (usize, _)| {
                let mut view: OfView<'_> = of(place, verdict);
                view.line.name = views.get(place).map(|view| view.name.clone());
                view
            };
            serde_json::to_string(&versioned(&Several {
                index: seen.index,
                time,
                alarm: verdicts.iter().any(|verdict| verdict.alarm),
                drift: verdicts.iter().any(|verdict| verdict.drift),
                gates: verdicts.iter().enumerate().map(named).collect(),
                frame,
            }))
        }
    };
    // Plain numbers, booleans and names always encode.
    text.unwrap_or_default()
}

/// A verdict as `flowgate score` prints an input.
pub(crate) fn line(
    seen: &Seen,
    verdict: &Verdict,
    calibration: Option<&Calibration>,
    dims: usize,
) -> Line {
    let index = usize::try_from(seen.index).unwrap_or(usize::MAX);
    Line::new(index, verdict.scores.as_ref(), calibration, dims, true)
        .with_decision(verdict.decision, calibration, verdict.scores.as_ref())
        .with_p_value(verdict.p_value_ppm)
}

fn of_view(verdict: &Verdict, line: Line) -> OfView<'_> {
    OfView {
        line,
        alarm: verdict.alarm,
        drift: verdict.drift,
        threshold_moved: verdict.moved_raw.map(nats_from_raw),
        error: verdict.input.as_ref().err().map(String::as_str),
    }
}
