//! One input's scores as one line: what `flowgate score` prints, and what a board's answers are printed as.
//!
//! Everything is derived from the raw integers of [`Scores`], so lines of host and board differ exactly where their
//! integers do.

use crate::json;
use crate::table::{Cell, Table, Tone};
use flow_infer::gate::{Calibration, Decision};
use flow_infer::score::{ScoreKind, Scores};
use flow_infer::spec::units::{bits_per_dim, nats_from_raw};
use flow_train_host::data::ItemName;
use flow_train_host::files::one_line;
use serde::Serialize;
use std::path::Path;

/// Scores in nats, each higher for inputs more like the training data; absent ones do not exist for the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ScoresInNats {
    /// log_prob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<f64>,
    /// log_prob + code length; images only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity: Option<f64>,
    /// -|log_prob - its mean on benign data|; with a gate only, which knows that mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typicality: Option<f64>,
    /// ln of a benign tail probability, by the tests of the file; with such tests only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<f64>,
    /// What the ratio net says: ln of how much likelier among benign inputs than among negatives; with such a net only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// The integers of a `.flow`, in units of 2^-24 nats: the very bits of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Raw {
    /// The deciding score; without a gate the likelihood.
    pub score_raw: Option<i64>,
    /// log_prob.
    pub log_prob_raw: Option<i64>,
    /// Code length; none for vectors.
    pub code_length_raw: Option<i64>,
    /// The p-value in parts per million; of a file without p-values none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value_ppm: Option<u32>,
}

/// Why a window is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The channel, counted from 0.
    pub channel: u8,
    /// `stuck` or `saturated`.
    pub kind: &'static str,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Index of the input in its set.
    pub index: usize,
    /// What the input is called: its file, its line, its row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ln of the density; none where the input is invalid.
    pub log_prob_nats: Option<f64>,
    /// The same in bits per dim.
    pub bits_per_dim: Option<f64>,
    /// The scores.
    pub scores: ScoresInNats,
    /// What the gate says; none without a gate.
    pub decision: Option<Decision>,
    /// At most so many benign inputs look as strange; none of a file without p-values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// What a rejection goes back to: the test of the combined score that spoke, else the deciding score, or
    /// `saturated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<&'static str>,
    /// Whether a latent left the range of the model's numbers.
    pub saturated: bool,
    /// Why a window is no input: the channel, and whether it is stuck or saturated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The integers; only of a `.flow`.
    #[serde(flatten)]
    pub raw: Option<Raw>,
}

impl Line {
    /// The line of an input with `dims` coordinates; `scores` is none where the bytes are no input (NaN). `is_flow`
    /// says whether the model is a `.flow`, whose integers are the same on every machine.
    pub fn new(
        index: usize,
        scores: Option<&Scores>,
        gate: Option<&Calibration>,
        dims: usize,
        is_flow: bool,
    ) -> Self {
        let log_prob_nats = scores.map(|s| nats_from_raw(s.log_prob_raw));
        let deciding = match gate {
            Some(gate) => scores.and_then(|s| gate.score_raw(s)),
            None => scores.map(|s| s.log_prob_raw),
        };
        let decision = gate.map(|gate| scores.map_or(Decision::Invalid, |s| gate.decide(s)));
        let line = Self {
            index,
            name: None,
            log_prob_nats,
            bits_per_dim: log_prob_nats.map(|nats| bits_per_dim(nats, dims)),
            scores: scores.map_or_else(Default::default, |s| in_nats(s, gate)),
            decision: None,
            p_value: None,
            rejected_by: None,
            saturated: scores.is_some_and(|s| s.saturated),
            fault: scores.and_then(Scores::fault).map(|fault| Fault {
                channel: fault.channel,
                kind: fault.kind.name(),
            }),
            raw: is_flow.then(|| Raw {
                score_raw: deciding,
                log_prob_raw: scores.map(|s| s.log_prob_raw),
                code_length_raw: scores.and_then(|s| s.code_length_raw),
                p_value_ppm: None,
            }),
        };
        match decision {
            Some(decision) => line.with_decision(decision, gate, scores),
            None => line,
        }
    }

    /// The line with a decision, by a threshold that may have moved from the gate's.
    #[must_use]
    pub fn with_decision(
        mut self,
        decision: Decision,
        gate: Option<&Calibration>,
        scores: Option<&Scores>,
    ) -> Self {
        let rejected = gate.zip(scores).filter(|_| decision == Decision::Reject);
        self.rejected_by = rejected.map(|(gate, scores)| spoke(gate, scores));
        self.decision = Some(decision);
        self
    }

    /// The line with the name of its input.
    #[must_use]
    pub fn named(self, name: ItemName<'_>) -> Self {
        Self {
            name: Some(name.to_string()),
            ..self
        }
    }

    /// The line with a p-value.
    #[must_use]
    pub fn with_p_value(mut self, ppm: Option<u32>) -> Self {
        self.p_value = ppm.map(|ppm| f64::from(ppm) / 1e6);
        if let Some(raw) = &mut self.raw {
            raw.p_value_ppm = ppm;
        }
        self
    }

    /// The line as a JSON object, without a line break.
    pub fn json(&self) -> String {
        // Plain numbers, booleans and names always encode; JSON has no NaN, and integers give none.
        serde_json::to_string(&json::versioned(self)).unwrap_or_default()
    }
}

/// A table of lines, without rows yet.
pub fn table(is_flow: bool) -> Table {
    let head = [
        "index",
        "name",
        "bits/dim",
        "likelihood",
        "complexity",
        "typicality",
        "combined",
        "p-value",
        "decision",
    ];
    let raw = is_flow.then_some("score_raw");
    Table::new(head.into_iter().chain(raw))
}

/// The line as a row of [`table`].
pub fn row(line: &Line) -> Vec<Cell> {
    let number = |value: Option<f64>, digits| -> Cell {
        value.map_or("-".into(), |v| format!("{v:.digits$}").into())
    };
    let mut cells = vec![
        line.index.to_string().into(),
        line.name.as_deref().map_or("-".into(), name),
        number(line.bits_per_dim, 4),
        number(line.scores.likelihood, 2),
        number(line.scores.complexity, 2),
        number(line.scores.typicality, 2),
        number(line.scores.combined, 2),
        number(line.p_value, 4),
        match line.fault {
            Some(fault) => Cell::new(format!("invalid: {}", fault.kind), Tone::Bad),
            None => decision(line.decision),
        },
    ];
    if let Some(raw) = line.raw {
        cells.push(raw.score_raw.map_or("-".into(), |s| s.to_string().into()));
    }
    cells
}

/// A file name may hold line breaks, a row may not.
fn name(name: &str) -> Cell {
    one_line(Path::new(name)).to_string().into()
}

/// A decision as a cell.
pub fn decision(decision: Option<Decision>) -> Cell {
    match decision {
        None => "-".into(),
        Some(Decision::Accept) => Cell::new("accept", Tone::Good),
        Some(Decision::Reject) => Cell::new("reject", Tone::Bad),
        Some(Decision::Invalid) => Cell::new("invalid", Tone::Bad),
    }
}

fn in_nats(scores: &Scores, gate: Option<&Calibration>) -> ScoresInNats {
    let of = |kind, typical| scores.raw(kind, typical).map(nats_from_raw);
    ScoresInNats {
        likelihood: of(ScoreKind::Likelihood, 0),
        complexity: of(ScoreKind::Complexity, 0),
        typicality: gate.and_then(|gate| of(ScoreKind::Typicality, gate.typical_raw)),
        combined: of(ScoreKind::Combined, 0),
        ratio: scores.ratio_raw.map(nats_from_raw),
    }
}

/// What a rejection goes back to.
fn spoke(gate: &Calibration, scores: &Scores) -> &'static str {
    match scores.combined {
        _ if scores.saturated => "saturated",
        Some(combined) if gate.score == ScoreKind::Combined => combined.smallest.name(),
        _ => gate.score.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::score::combined::{Combined, TestKind};

    const ONE: i64 = 1 << 24;

    fn scores(code_length_raw: Option<i64>) -> Scores {
        Scores {
            log_prob_raw: -3 * ONE,
            code_length_raw,
            ..Scores::default()
        }
    }

    fn gate(threshold_raw: i64) -> Calibration {
        Calibration {
            score: ScoreKind::Complexity,
            alpha_ppm: 10_000,
            samples: 99,
            threshold_raw,
            typical_raw: -ONE,
            quantiles_raw: Default::default(),
        }
    }

    #[test]
    fn the_line_of_a_gated_image() {
        let scores = scores(Some(ONE / 2));
        let line = Line::new(7, Some(&scores), Some(&gate(0)), 3, true);
        assert_eq!(
            line.json(),
            "{\"schema\":1,\"index\":7,\"log_prob_nats\":-3.0,\"bits_per_dim\":1.4426950408889636,\
             \"scores\":{\"likelihood\":-3.0,\"complexity\":-2.5,\"typicality\":-2.0},\
             \"decision\":\"reject\",\"rejected_by\":\"complexity\",\"saturated\":false,\
             \"score_raw\":-41943040,\"log_prob_raw\":-50331648,\"code_length_raw\":8388608}"
        );
        assert_eq!(row(&line).len(), 10);
        let named = line.clone().named(ItemName::File("cat/1.png"));
        assert!(
            named
                .json()
                .starts_with("{\"schema\":1,\"index\":7,\"name\":\"cat/1.png\",\"log")
        );
        let line = line.with_p_value(Some(2500)).json();
        assert!(line.contains("\"p_value\":0.0025,"), "{line}");
        assert!(line.ends_with("\"p_value_ppm\":2500}"), "{line}");
    }

    #[test]
    fn a_rejection_names_the_test_that_spoke() {
        let combined = Combined {
            score_raw: -7 * ONE,
            smallest: TestKind::Highlights,
            log_tails: [0; TestKind::ALL.len()],
            tests: 64,
        };
        let scores = Scores {
            combined: Some(combined),
            ..scores(Some(ONE))
        };
        let gate = Calibration {
            score: ScoreKind::Combined,
            ..gate(-6 * ONE)
        };
        let line = Line::new(0, Some(&scores), Some(&gate), 3, true);
        assert_eq!(
            (line.rejected_by, line.scores.combined),
            (Some("highlights"), Some(-7.0))
        );
        let saturated = Scores {
            saturated: true,
            ..scores
        };
        let line = Line::new(0, Some(&saturated), Some(&gate), 3, true);
        assert_eq!(line.rejected_by, Some("saturated"));
        let accepting = Calibration {
            threshold_raw: -8 * ONE,
            ..gate
        };
        assert_eq!(
            Line::new(0, Some(&scores), Some(&accepting), 3, true).rejected_by,
            None
        );
    }

    #[test]
    fn the_line_of_a_vector_without_a_gate() {
        let line = Line::new(0, Some(&scores(None)), None, 3, false);
        assert_eq!(
            line.json(),
            "{\"schema\":1,\"index\":0,\"log_prob_nats\":-3.0,\"bits_per_dim\":1.4426950408889636,\
             \"scores\":{\"likelihood\":-3.0},\"decision\":null,\"saturated\":false}"
        );
        let flow = Line::new(0, Some(&scores(None)), None, 3, true);
        assert_eq!(flow.raw.unwrap().score_raw, Some(-3 * ONE));
    }

    #[test]
    fn no_input_is_invalid_for_a_gate() {
        let line = Line::new(1, None, Some(&gate(0)), 3, true);
        assert_eq!(
            line.json(),
            "{\"schema\":1,\"index\":1,\"log_prob_nats\":null,\"bits_per_dim\":null,\"scores\":{},\
             \"decision\":\"invalid\",\"saturated\":false,\"score_raw\":null,\
             \"log_prob_raw\":null,\"code_length_raw\":null}"
        );
        assert_eq!(Line::new(1, None, None, 3, true).decision, None);
    }
}
