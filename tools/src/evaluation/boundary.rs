//! Inputs that the gate has just accepted or just rejected: what its threshold decides about.

use super::Set;
use flow_infer::gate::{Calibration, Decision};
use flow_infer::spec::units::nats_from_raw;
use serde::Serialize;

/// Inputs to either side of the threshold.
const EACH: usize = 7;

/// An input near the threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Near {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) score_nats: f64,
    pub(crate) accepted: bool,
}

/// The inputs of a set whose deciding scores lie nearest to the threshold, from below upwards.
pub(super) fn nearest(set: &Set, gate: &Calibration) -> Vec<Near> {
    let scored = set.scores.iter().zip(&set.decisions).enumerate();
    let mut all: Vec<(usize, i64, bool)> = scored
        .filter_map(|(index, (scores, decision))| {
            let accepted = *decision == Decision::Accept;
            Some((index, gate.score_raw(scores)?, accepted))
        })
        .collect();
    all.sort_by_key(|&(_, raw, _)| raw);
    let first = all.iter().position(|&(_, _, accepted)| accepted);
    let first = first.unwrap_or(all.len());
    let range = first.saturating_sub(EACH)..(first + EACH).min(all.len());
    let near = all[range].iter().map(|&(index, raw, accepted)| Near {
        index,
        name: set.items.get(index).to_string(),
        score_nats: nats_from_raw(raw),
        accepted,
    });
    near.collect()
}
