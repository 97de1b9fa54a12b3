//! What `eval` finds out: how well each score tells the model's own data from others.

mod boundary;
mod verdict;
pub(crate) mod windows;

pub(crate) use boundary::Near;
pub(crate) use verdict::Ahead;

use crate::inputs::Named;
use flow_infer::artifact::Artifact;
use flow_infer::gate::{Calibration, Decision, conformal_rank};
use flow_infer::score::{ScoreKind, Scores};
use flow_infer::spec::units::{bits_per_dim, nats_from_raw};
use flow_train_host::data::{Dataset, ItemNames};
use flow_train_host::heat::{HeatMap, heat};
use flow_train_host::metrics::{Separation, conformal_upper, median, share_interval};
use serde::Serialize;
use std::collections::BTreeMap;

/// Confidence of the bound on false alarms: a gate that keeps its promise passes it 999 times of 1000.
const CONFIDENCE: f64 = 0.999;

/// A data set with what the model says of it.
#[derive(Debug, Serialize)]
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) count: usize,
    pub(crate) bits_per_dim_median: f64,
    /// Inputs that the gate does not accept; none without a gate.
    pub(crate) rejected: Option<usize>,
    pub(crate) rejected_share: Option<f64>,
    /// Where that share lies with 95 % confidence (Wilson).
    pub(crate) rejected_interval: Option<[f64; 2]>,
    /// Why less than nine tenths of a foreign set are rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) below_90_percent: Option<String>,
    /// The inputs nearest to the threshold; none without a gate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) boundary: Vec<Near>,
    /// What the file's p-values reject at other rates; empty without p-values.
    pub(crate) rejected_at: Vec<RejectedAt>,
    /// The first inputs that the gate takes for what they are not; none without a gate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mistakes: Vec<Item>,
    /// Windows to look at, and where they are odd; none of other inputs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) windows: Vec<windows::Row>,
    #[serde(skip)]
    pub(crate) items: ItemNames,
    #[serde(skip)]
    pub(crate) data: Dataset,
    #[serde(skip)]
    pub(crate) scores: Vec<Scores>,
    #[serde(skip)]
    pub(crate) decisions: Vec<Decision>,
    /// Of the inputs nearest to the threshold, where they are images.
    #[serde(skip)]
    pub(crate) heat: Vec<HeatMap>,
}

/// An input of a set.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    pub(crate) index: usize,
    pub(crate) name: String,
}

/// Mistakes that are listed.
const MISTAKES: usize = 20;

impl Set {
    pub(crate) fn new(
        name: String,
        path: String,
        named: Named,
        scores: Vec<Scores>,
        gate: Option<&Calibration>,
    ) -> Self {
        let Named { data, items, .. } = named;
        let dims = data.dims();
        let bits: Vec<f64> = scores
            .iter()
            .map(|s| bits_per_dim(nats_from_raw(s.log_prob_raw), dims))
            .collect();
        let decisions: Vec<Decision> = gate.map_or(Vec::new(), |gate| {
            scores.iter().map(|s| gate.decide(s)).collect()
        });
        let refused = decisions.iter().filter(|d| **d != Decision::Accept).count();
        let set = Self {
            name,
            path,
            count: scores.len(),
            bits_per_dim_median: median(&bits),
            rejected: gate.map(|_| refused),
            rejected_share: gate.map(|_| refused as f64 / scores.len() as f64),
            rejected_interval: gate.map(|_| share_interval(refused, scores.len())),
            below_90_percent: None,
            boundary: Vec::new(),
            mistakes: Vec::new(),
            windows: Vec::new(),
            items,
            rejected_at: Vec::new(),
            data,
            scores,
            decisions,
            heat: Vec::new(),
        };
        let boundary = gate.map_or(Vec::new(), |gate| boundary::nearest(&set, gate));
        Self { boundary, ..set }
    }

    /// The set with its first mistakes: what is rejected of the model's own data, accepted of
    /// foreign ones.
    pub(crate) fn with_mistakes(mut self, is_benign: bool) -> Self {
        let is_wrong = |d: &Decision| (*d == Decision::Accept) != is_benign;
        let decisions = self.decisions.iter().enumerate();
        let wrong = decisions.filter(|(_, decision)| is_wrong(decision));
        let item = |(index, _)| Item {
            index,
            name: self.items.get(index).to_string(),
        };
        self.mistakes = wrong.take(MISTAKES).map(item).collect();
        self
    }
}

impl Set {
    /// The set with where its inputs at the threshold are odd; vectors have no such place.
    pub(crate) fn with_heat(mut self, artifact: &Artifact<'_>) -> Self {
        let map = |near: &Near| heat(artifact, &self.data.input_bytes(near.index)).ok();
        self.heat = self.boundary.iter().filter_map(map).collect();
        self
    }
}

/// Rates of false alarms beside the gate's own, parts per million.
const RATES: [u32; 2] = [10_000, 1_000];

/// What a set loses at a promised rate of false alarms.
#[derive(Debug, Serialize)]
pub(crate) struct RejectedAt {
    /// The promised rate.
    pub(crate) alpha: f64,
    pub(crate) rejected: usize,
    pub(crate) share: f64,
    /// Where the share lies with 95 % confidence.
    pub(crate) interval: [f64; 2],
}

impl Set {
    /// The set with what p-values reject, at rates that so many calibration scores can give.
    pub(crate) fn with_p_values(
        mut self,
        samples: u32,
        p_value_ppm: impl Fn(&Scores) -> Option<u32>,
    ) -> Self {
        let ppm: Option<Vec<u32>> = self.scores.iter().map(p_value_ppm).collect();
        let Some(ppm) = ppm else {
            return self;
        };
        let rates = RATES.into_iter();
        let rates = rates.filter(|&rate| conformal_rank(rate, samples).is_some());
        let at = rates.map(|rate| {
            let rejected = ppm.iter().filter(|&&p| p <= rate).count();
            RejectedAt {
                alpha: f64::from(rate) / 1e6,
                rejected,
                share: rejected as f64 / ppm.len().max(1) as f64,
                interval: share_interval(rejected, ppm.len()),
            }
        });
        self.rejected_at = at.collect();
        self
    }
}

/// A score, and how it tells the sets apart.
#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Whether it is not the flow's.
    pub(crate) baseline: bool,
    /// By the foreign set's name.
    pub(crate) separation: BTreeMap<String, Separation>,
    #[serde(skip)]
    pub(crate) benign: Vec<f64>,
    #[serde(skip)]
    pub(crate) foreign: Vec<Vec<f64>>,
    /// Of the foreign sets, in their order.
    #[serde(skip)]
    pub(crate) names: Vec<String>,
}

impl Column {
    pub(crate) fn new(
        name: &'static str,
        baseline: bool,
        benign: Vec<f64>,
        foreign: Vec<(&Set, Vec<f64>)>,
    ) -> Self {
        let separation = foreign.iter().filter_map(|(set, values)| {
            let separation = Separation::new(&benign, values)?;
            Some((set.name.clone(), separation))
        });
        Self {
            name,
            baseline,
            separation: separation.collect(),
            names: foreign.iter().map(|(set, _)| set.name.clone()).collect(),
            foreign: foreign.into_iter().map(|(_, values)| values).collect(),
            benign,
        }
    }

    /// How the score tells a foreign set apart.
    pub(crate) fn against(&self, set: &Set) -> Option<&Separation> {
        self.separation.get(&set.name)
    }

    /// Share of the benign inputs that score below the median of a foreign set.
    fn benign_share_below_median_of(&self, set: &Set) -> Option<f64> {
        let place = self.separation.get(&set.name).map(|_| &set.name)?;
        let values = self.names.iter().position(|name| name == place)?;
        let middle = median(&self.foreign[values]);
        let below = self.benign.iter().filter(|value| **value < middle).count();
        Some(below as f64 / self.benign.len().max(1) as f64)
    }
}

/// The gate's promise and what came of it.
#[derive(Debug, Serialize)]
pub(crate) struct GateReport {
    pub(crate) score: &'static str,
    pub(crate) alpha: f64,
    pub(crate) samples: u32,
    pub(crate) threshold_nats: f64,
    pub(crate) false_alarms: usize,
    pub(crate) false_alarm_rate: f64,
    /// Most false alarms that a gate which keeps its promise gives, 999 times of 1000.
    pub(crate) false_alarms_at_most: usize,
    pub(crate) within_bound: bool,
}

impl GateReport {
    pub(crate) fn new(gate: &Calibration, benign: &Set) -> Self {
        let false_alarms = benign.rejected.unwrap_or(0);
        let rank = conformal_rank(gate.alpha_ppm, gate.samples).unwrap_or(1);
        let at_most = conformal_upper(rank, gate.samples, benign.count, CONFIDENCE);
        Self {
            score: gate.score.name(),
            alpha: f64::from(gate.alpha_ppm) / 1e6,
            samples: gate.samples,
            threshold_nats: nats_from_raw(gate.threshold_raw),
            false_alarms,
            false_alarm_rate: false_alarms as f64 / benign.count as f64,
            false_alarms_at_most: at_most,
            within_bound: false_alarms <= at_most,
        }
    }
}

/// Everything that was found out.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluation {
    pub(crate) model: String,
    pub(crate) date: String,
    pub(crate) tool: String,
    pub(crate) commit: &'static str,
    #[serde(rename = "in")]
    pub(crate) benign: Set,
    #[serde(rename = "ood")]
    pub(crate) foreign: Vec<Set>,
    pub(crate) scores: Vec<Column>,
    pub(crate) gate: Option<GateReport>,
    /// When the drift alarm goes off, sequence by sequence.
    pub(crate) drift: Vec<Drift>,
    /// Share of the positive class that every AUPR is stated for, whatever the sizes of the sets.
    pub(crate) aupr_share: f64,
    /// What the baselines were fitted to, or why there are none.
    pub(crate) baselines: String,
    /// Where a baseline does better than the score that decides.
    pub(crate) baselines_ahead: Vec<Ahead>,
    /// How every interval was made.
    pub(crate) intervals: &'static str,
}

/// How intervals are made.
pub(crate) const INTERVALS: &str = "95 %: shares by Wilson, at a rate of false alarms of the \
    evaluated data with the threshold's rank off by two deviations; AUROC by Newcombe's method 5";

impl Evaluation {
    /// The same with what must not be hidden.
    pub(crate) fn judged(mut self) -> Self {
        let Some(deciding) = deciding(&self) else {
            return self;
        };
        let ahead = verdict::ahead(&self.scores, deciding, &self.foreign);
        let short = self.foreign.iter();
        let short = short.map(|set| verdict::shortfall(set, deciding, &self.scores));
        let short: Vec<Option<String>> = short.collect();
        for (set, why) in self.foreign.iter_mut().zip(short) {
            set.below_90_percent = why;
        }
        self.baselines_ahead = ahead;
        self
    }
}

/// The flow's own scores that exist for these inputs.
pub(crate) fn flow_columns(
    benign: &Set,
    foreign: &[Set],
    gate: Option<&Calibration>,
) -> Vec<Column> {
    let kinds = ScoreKind::ALL.into_iter().filter(|kind| match kind {
        ScoreKind::Typicality => gate.is_some(),
        _ => true,
    });
    let column = |kind: ScoreKind| {
        let values = |set: &Set| values(set, kind, gate);
        let others = foreign.iter().map(|set| Some((set, values(set)?)));
        let others = others.collect::<Option<Vec<_>>>()?;
        Some(Column::new(kind.name(), false, values(benign)?, others))
    };
    kinds.filter_map(column).collect()
}

fn values(set: &Set, kind: ScoreKind, gate: Option<&Calibration>) -> Option<Vec<f64>> {
    let typical = gate.map_or(0, |gate| gate.typical_raw);
    let of_input = |s: &Scores| s.raw(kind, typical).map(nats_from_raw);
    set.scores.iter().map(of_input).collect()
}

/// The score that decides, or would: the gate's; else complexity where there is one.
pub(crate) fn deciding(evaluation: &Evaluation) -> Option<&Column> {
    let by_name = |name: &str| evaluation.scores.iter().find(|c| c.name == name);
    match &evaluation.gate {
        Some(gate) => by_name(gate.score),
        None => {
            by_name(ScoreKind::Complexity.name()).or_else(|| by_name(ScoreKind::Likelihood.name()))
        }
    }
}

/// A sequence of inputs, and when the drift alarm went off.
#[derive(Debug, Serialize)]
pub(crate) struct Drift {
    /// The set whose inputs are among the benign ones; none where there are benign ones alone.
    pub(crate) foreign: Option<String>,
    /// One input in so many is foreign.
    pub(crate) one_in: Option<usize>,
    /// The input at which the alarm went off, counted from 1.
    pub(crate) after: Option<usize>,
    /// Inputs of the sequence.
    pub(crate) inputs: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_train_host::data::Vectors;

    const ONE: i64 = 1 << 24;

    pub(super) fn set(name: &str, log_probs: &[i64], gate: Option<&Calibration>) -> Set {
        let data = Dataset::Vectors(Vectors::new(1, vec![0.0; log_probs.len()]).unwrap());
        let items = ItemNames::Rows(0..log_probs.len());
        let data = Named {
            data,
            items,
            blocks: Vec::new(),
        };
        let scores = log_probs.iter().map(|&nats| Scores {
            log_prob_raw: nats * ONE,
            ..Scores::default()
        });
        Set::new(name.to_owned(), String::new(), data, scores.collect(), gate)
    }

    fn gate() -> Calibration {
        Calibration {
            score: ScoreKind::Likelihood,
            alpha_ppm: 100_000,
            samples: 9,
            threshold_raw: -5 * ONE,
            typical_raw: -2 * ONE,
            quantiles_raw: Default::default(),
        }
    }

    #[test]
    fn rejections_are_counted() {
        let gate = gate();
        let benign = set("in", &[-1, -2, -3, -9], Some(&gate));
        assert_eq!(
            (benign.rejected, benign.rejected_share),
            (Some(1), Some(0.25))
        );
        let report = GateReport::new(&gate, &benign);
        assert_eq!((report.false_alarms, report.false_alarm_rate), (1, 0.25));
        assert_eq!(report.threshold_nats, -5.0);
        assert_eq!(set("in", &[-1], None).rejected, None);
        let near: Vec<_> = benign
            .boundary
            .iter()
            .map(|n| (n.index, n.accepted))
            .collect();
        assert_eq!(near, [(3, false), (2, true), (1, true), (0, true)]);
    }

    #[test]
    fn vectors_have_no_complexity_and_ungated_models_no_typicality() {
        let gate = gate();
        let (benign, foreign) = (set("in", &[-1, -2], None), [set("far", &[-8], None)]);
        let names = |gate| {
            let columns = flow_columns(&benign, &foreign, gate);
            columns.iter().map(|c| c.name).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["likelihood"]);
        assert_eq!(names(Some(&gate)), ["likelihood", "typicality"]);
        let columns = flow_columns(&benign, &foreign, Some(&gate));
        assert_eq!(columns[0].against(&foreign[0]).unwrap().auroc, 1.0);
        assert_eq!(columns[1].benign, [-1.0, 0.0]);
    }
}
