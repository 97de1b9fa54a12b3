//! Windows to look at: the first to be rejected, the nearest foreign ones, and where each is odd.

use super::Set;
use crate::traces::rate;
use flow_infer::artifact::Artifact;
use flow_infer::gate::{Calibration, Decision};
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::data::Dataset;
use flow_train_host::heat::{OddWindow, OwnWindows};
use flow_train_host::windows::WindowSpec;
use serde::Serialize;

/// Windows of a row.
const EACH: usize = 4;

/// Windows that are shown for one reason.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) why: &'static str,
    pub(crate) windows: Vec<Shown>,
}

/// A window that is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub(crate) index: usize,
    pub(crate) name: String,
    /// The deciding score.
    pub(crate) score_nats: f64,
    /// None without a gate.
    pub(crate) decision: Option<Decision>,
    /// Where it is odd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) odd: Option<OddPlace>,
    #[serde(skip)]
    pub(crate) map: Option<OddWindow>,
}

/// The channel in which a window is oddest, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct OddPlace {
    pub(crate) channel: String,
    /// Nats likelier that the window would be if the channel were as in own windows.
    pub(crate) nats: f64,
    /// The same of every channel, in the model's order.
    pub(crate) channels: Vec<f64>,
    /// The part of its time that gives most: samples from the first to before the last.
    pub(crate) samples: [usize; 2],
    /// The same in seconds, where the rate is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<[f64; 2]>,
    /// The kind of its values that gives most.
    pub(crate) feature: String,
    /// Where that is a band: from and to, in hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hertz: Option<[f64; 2]>,
}

/// Own windows that others are compared with; none of a set of other inputs.
pub(crate) fn own(artifact: &Artifact<'_>, own: &Set) -> Option<OwnWindows> {
    own.data.windows()?;
    OwnWindows::of(artifact, &own.data).ok()
}

impl Set {
    /// The set with windows to look at; other inputs have none.
    pub(crate) fn with_windows(
        mut self,
        artifact: &Artifact<'_>,
        own: Option<&OwnWindows>,
        is_benign: bool,
    ) -> Self {
        if self.data.windows().is_none() {
            return self;
        }
        let order = self.lowest_first(artifact.calibration());
        let lowest = order.iter().copied().take(EACH).collect();
        let highest = order.iter().rev().copied().take(EACH).collect();
        let middle = order.len().saturating_sub(EACH) / 2;
        let middle: Vec<usize> = order[middle..].iter().copied().take(EACH / 2).collect();
        let rows = match is_benign {
            true => [
                ("lowest scores: the first to be rejected", lowest),
                ("in the middle", middle),
            ],
            false => [
                ("highest scores: the hardest to reject", highest),
                ("in the middle", middle),
            ],
        };
        let shown = rows.map(|(why, indices): (_, Vec<usize>)| {
            let windows = indices.into_iter().map(|i| self.shown(artifact, own, i));
            Row {
                why,
                windows: windows.collect(),
            }
        });
        self.windows = shown.into();
        self
    }

    /// All inputs by their deciding score.
    fn lowest_first(&self, gate: Option<&Calibration>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.scores.len()).collect();
        order.sort_by_key(|&index| self.deciding_raw(gate, index));
        order
    }

    fn deciding_raw(&self, gate: Option<&Calibration>, index: usize) -> i64 {
        let scores = &self.scores[index];
        let deciding = gate.and_then(|gate| gate.score_raw(scores));
        deciding.unwrap_or(scores.log_prob_raw)
    }

    fn shown(&self, artifact: &Artifact<'_>, own: Option<&OwnWindows>, index: usize) -> Shown {
        let map = own.and_then(|own| {
            let Dataset::Vectors(vectors) = &self.data else {
                return None;
            };
            let odd = own.odd(vectors.get(index)).ok()?;
            Some((place(own.spec(), &odd)?, odd))
        });
        let (odd, map) = map.unzip();
        Shown {
            index,
            name: self.items.get(index).to_string(),
            score_nats: nats_from_raw(self.deciding_raw(artifact.calibration(), index)),
            decision: self.decisions.get(index).copied(),
            odd,
            map,
        }
    }
}

fn place(spec: &WindowSpec, odd: &OddWindow) -> Option<OddPlace> {
    let (channel, column) = odd.oddest()?;
    let columns = odd.by_time.first()?.len();
    let edge = |column: usize| column * usize::from(spec.length) / columns;
    let samples = [edge(column), edge(column + 1)];
    let kind = odd.kind_of(channel)?;
    let rate = rate(spec);
    let hertz = rate.zip(kind.band);
    Some(OddPlace {
        channel: spec.channels.get(channel)?.name.clone(),
        nats: *odd.channels.get(channel)?,
        channels: odd.channels.clone(),
        samples,
        seconds: rate.map(|rate| samples.map(|t| t as f64 / rate)),
        feature: kind.feature.to_string(),
        hertz: hertz.map(|(rate, band)| band.map(|edge| edge * rate)),
    })
}
