//! `flowgate calibrate`: a gate with a stated false-alarm rate, into the `.flow`.

use crate::inputs::{self, Limit};
use crate::model::{self, Loaded};
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::verbs::score::all_scores;
use crate::{failure, json, number, place, provenance};
use anyhow::{Context, Result};
use clap::ValueEnum;
use flow_infer::gate::{Gate, conformal_rank};
use flow_infer::plan::PlannedInput;
use flow_infer::score::ScoreKind;
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::calibrate;
use flow_train_host::export::file::FlowFile;
use flow_train_host::files::{one_line, write_atomically};
use serde::Serialize;
use std::path::PathBuf;

/// Set the threshold of a .flow from benign data, with a stated false-alarm rate
#[derive(clap::Args)]
#[command(
    after_help = "The data must be benign, and none of it may have been trained on.\n\n\
    Example:\n  flowgate calibrate tiny.flow --data held-out.idx3.gz --alpha 0.01 --out tiny.flow"
)]
pub(crate) struct Args {
    /// The .flow
    model: PathBuf,
    /// Benign data that the model was not trained on
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Bound on the share of benign inputs that are rejected
    #[arg(long, value_name = "RATE", value_parser = rate)]
    alpha: u32,
    /// Where the calibrated .flow goes; may be the same file
    #[arg(long, value_name = "MODEL.flow")]
    out: PathBuf,
    /// The score that decides; complexity for images and likelihood for vectors by default
    #[arg(long, value_name = "NAME")]
    score: Option<Score>,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    reading: Reading,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was set, for machines.
#[derive(Serialize)]
struct Calibration {
    score: &'static str,
    alpha: f64,
    threshold_nats: f64,
    threshold_raw: i64,
    /// The threshold is the so-manieth smallest score.
    rank: u32,
    samples: u32,
    /// Inputs that score as one before them.
    repeats: usize,
    written: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Score {
    Likelihood,
    Complexity,
    Typicality,
}

/// A rate between 0 and 1, in parts per million.
fn rate(text: &str) -> Result<u32, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let ppm = (rate * 1e6).round();
    match (1.0..1e6).contains(&ppm) {
        true => Ok(ppm as u32),
        false => Err("a rate lies between 0 and 1, and is at least 0.000001".to_owned()),
    }
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::file(&self.out, &[&self.data], out)?;
        let loaded = Loaded::open_flow(&self.model)?;
        let artifact = loaded.artifact()?;
        let data = inputs::load(&self.data, &self.reading, self.limit, &artifact)?;
        let kind = self.kind(artifact.input());
        let scores = all_scores(&self.data, &artifact, &data, None, "calibrating")?;
        let place = || one_line(&self.data).to_string();
        let gate = calibrate::gate(kind, self.alpha, &scores).with_context(place)?;
        let mut file = FlowFile::from_artifact(&artifact);
        file.set_gate(&gate);
        let mut provenance = model::provenance(&artifact);
        provenance.history.push(provenance::line(&format!(
            "calibrated {} at {} on {}",
            kind.name(),
            alpha(&gate),
            provenance::describe(&self.data, &data)
        )));
        file.set_provenance(&provenance);
        let bytes = file.to_bytes()?;
        write_atomically(&self.out, |w| w.write_all(&bytes))?;
        let repeats = calibrate::repeats(&scores);
        if repeats > 0 {
            failure::warn(&format!(
                "{}: {repeats} of {} inputs score as one before them: the false-alarm rate is that of inputs which do \
                 not repeat each other",
                one_line(&self.data),
                scores.len()
            ));
        }
        if self.json {
            return json::print(&self.result(&gate, repeats), out);
        }
        Ok(self.table(&gate, repeats).print(out)?)
    }

    fn kind(&self, input: &PlannedInput) -> ScoreKind {
        match (self.score, input) {
            (Some(Score::Likelihood), _)
            | (None, PlannedInput::Vector { .. } | PlannedInput::Whitened { .. }) => {
                ScoreKind::Likelihood
            }
            (Some(Score::Complexity), _) | (None, PlannedInput::Image { .. }) => {
                ScoreKind::Complexity
            }
            (Some(Score::Typicality), _) => ScoreKind::Typicality,
        }
    }

    fn result(&self, gate: &Gate, repeats: usize) -> Calibration {
        Calibration {
            score: gate.score.name(),
            alpha: f64::from(gate.alpha_ppm) / 1e6,
            threshold_nats: nats_from_raw(gate.threshold_raw),
            threshold_raw: gate.threshold_raw,
            rank: conformal_rank(gate.alpha_ppm, gate.samples).unwrap_or_default(),
            samples: gate.samples,
            repeats,
            written: one_line(&self.out).to_string(),
        }
    }

    fn table(&self, gate: &Gate, repeats: usize) -> Table {
        let mut table = Table::facts();
        let rank = conformal_rank(gate.alpha_ppm, gate.samples).unwrap_or_default();
        let nats = nats_from_raw(gate.threshold_raw);
        table.fact("score", gate.score.name());
        table.fact("false-alarm rate", format!("at most {}", alpha(gate)));
        table.fact(
            "threshold",
            format!("{nats:.2} nats (raw {})", gate.threshold_raw),
        );
        let samples = number::grouped(gate.samples.into());
        table.fact(
            "it is",
            format!("number {rank} from below of {samples} benign scores"),
        );
        table.fact("repeats", number::grouped(repeats as u64));
        table.fact("written", one_line(&self.out).to_string());
        table
    }
}

fn alpha(gate: &Gate) -> String {
    number::percent(f64::from(gate.alpha_ppm) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_parts_per_million() {
        assert_eq!(rate("0.01"), Ok(10_000));
        assert_eq!(rate("1e-6"), Ok(1));
        for bad in ["0", "1", "-0.1", "NaN", "inf", "one", "1e-9"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
