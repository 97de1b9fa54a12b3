//! What the page says of the source and the models, which stays the same.

use super::sight::{Sight, Unit};
use crate::{date, model};
use flow_infer::Model;
use flow_infer::spec::units::nats_from_raw;
use serde::Serialize;

/// What stays the same.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct About {
    pub(crate) source: String,
    pub(crate) started: String,
    pub(crate) unit: Unit,
    pub(crate) gates: Vec<AboutGate>,
}

/// What is known of a gate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AboutGate {
    pub(crate) name: String,
    pub(crate) score: &'static str,
    pub(crate) threshold: f64,
    /// The rate of false alarms that its calibration promises not to pass.
    pub(crate) promised: f64,
    pub(crate) version: u32,
    pub(crate) tool: String,
    pub(crate) commit: String,
    pub(crate) data: String,
    pub(crate) history: Vec<String>,
    #[serde(skip)]
    pub(crate) sight: Sight,
}

impl About {
    /// What is known of a source that is opened today.
    pub(crate) fn today(source: &str, gates: Vec<AboutGate>) -> Self {
        let first = gates.first().map(|gate| gate.sight.unit());
        Self {
            source: source.to_owned(),
            started: date::today(),
            unit: first.unwrap_or(Unit::Frame),
            gates,
        }
    }
}

impl AboutGate {
    /// What a model says of itself.
    pub(crate) fn of(model: &Model<'_>, name: String, sight: Sight) -> Self {
        let from = model::provenance(model.artifact());
        let calibration = model.artifact().calibration();
        Self {
            name,
            score: calibration.map_or("-", |gate| gate.score.name()),
            threshold: calibration.map_or(0.0, |gate| nats_from_raw(gate.threshold_raw)),
            promised: calibration.map_or(0.0, |gate| f64::from(gate.alpha_ppm) / 1e6),
            version: model.version(),
            tool: from.tool,
            commit: from.commit,
            data: from.data,
            history: from.history,
            sight,
        }
    }
}
