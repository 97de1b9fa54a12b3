//! `flowgate calibrate`: a gate with a stated false-alarm rate, into the `.flow`.

mod against;

use crate::inputs::{self, Limit};
use crate::model::{self, Loaded};
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::verbs::score::all_scores;
use crate::{failure, json, number, place, provenance};
use against::Against;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use flow_infer::artifact::Artifact;
use flow_infer::gate::{Calibration, conformal_rank};
use flow_infer::plan::PlannedInput;
use flow_infer::score::combined::{Rule, TestKind, Tests};
use flow_infer::score::{ScoreKind, Scores};
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::calibrate::{self, Calibrated, Choice, Perturbed, Split};
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::score_golden;
use flow_train_host::export::file::FlowFile;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::perturb;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Inputs of each family of perturbations.
const PERTURBED: usize = 200;
/// Seed of the perturbations.
const PERTURBATION_SEED: u64 = 1;
/// Families that are named as least seen.
const LEAST_SEEN: usize = 8;
/// A baseline with so much more power is worth a warning.
const CLEARLY_BETTER: f64 = 0.02;

/// Set the threshold of a .flow from benign data, with a stated false-alarm rate
#[derive(clap::Args)]
#[command(
    after_help = "The data must be benign, and none of it may have been trained on.\n\n\
    The combined score of images is made of tests, whose tables come from one third of the data (a seeded shuffle \
    decides which) and the threshold from the other; which tests, a fixed list of perturbations of benign inputs \
    decides (documents/calibration.md).\n\n\
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
    /// The score that decides; by default combined for images (complexity where the data are too few for that) and
    /// likelihood for vectors
    #[arg(long, value_name = "NAME")]
    score: Option<Score>,
    /// The tests of the combined score, instead of a choice by the data
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = test_kind)]
    tests: Option<Vec<TestKind>>,
    /// How the tests are joined, instead of a choice by the data
    #[arg(long, value_name = "RULE")]
    rule: Option<RuleName>,
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
struct Summary {
    score: &'static str,
    /// The tests of the combined score, and how they are joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    /// Share of perturbed benign inputs that the chosen tests reject, where they were chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    power: Option<f64>,
    /// The same share for what a gate must beat.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    baselines: BTreeMap<&'static str, f64>,
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
    Combined,
}

#[derive(Clone, Copy, ValueEnum)]
enum RuleName {
    Minimum,
    Sum,
}

/// What benign data chose, and what the baselines would have seen.
struct Chosen {
    choice: Choice,
    baselines: Vec<(&'static str, f64)>,
}

impl Chosen {
    /// Says where a baseline sees more.
    fn warn(&self, data: &Path) {
        let power = self.choice.chosen.power;
        let better = self.baselines.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((name, theirs)) = better.filter(|(_, p)| *p > power + CLEARLY_BETTER) {
            failure::warn(&format!(
                "{}: the baseline {name} would reject {} of the perturbed inputs, this gate rejects {}: the model \
                 suits these inputs badly (train it on such inputs, or through a sensor)",
                one_line(data),
                number::percent(*theirs),
                number::percent(power)
            ));
        }
    }
}

/// A test by its name.
fn test_kind(name: &str) -> Result<TestKind, String> {
    let found = TestKind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| {
        let names = TestKind::ALL.map(TestKind::name).join(", ");
        format!("no such test; there are {names}")
    })
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
        let split = Split::new(data.len(), self.alpha);
        let kind = self.kind(artifact.input(), split.is_ok())?;
        let scores = all_scores(&self.data, &artifact, &data, None, "calibrating")?;
        let place = || one_line(&self.data).to_string();
        let (calibrated, choice) = match kind {
            ScoreKind::Combined => {
                let split = split.with_context(place)?;
                self.combined(&artifact, &data, &scores, &split)?
            }
            _ => {
                let gate = calibrate::gate(kind, self.alpha, &scores);
                (gate.with_context(place)?, None)
            }
        };
        let gate = &calibrated.gate;
        let mut file = FlowFile::from_artifact(&artifact);
        let golden = score_golden(&artifact).map_err(|(index, error)| {
            anyhow::Error::new(error).context(format!("golden vector {index}"))
        })?;
        file.calibrate(&calibrated, &artifact, &golden)?;
        let mut provenance = model::provenance(&artifact);
        provenance.history.push(provenance::line(&format!(
            "calibrated {} at {} on {}",
            described(&calibrated),
            alpha(gate),
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
        if let Some(chosen) = &choice {
            chosen.warn(&self.data);
        }
        if self.json {
            let result = self.result(&calibrated, choice.as_ref(), repeats);
            return json::print(&result, out);
        }
        if let Some(Chosen { choice, baselines }) = choice {
            writeln!(
                out,
                "Power of each test alone, and of the tests chosen, against {} families of perturbed benign inputs:\n",
                choice.families.len()
            )?;
            powers(&choice, &baselines).print(out)?;
            writeln!(out)?;
            weakest(&choice).print(out)?;
            writeln!(out)?;
        }
        if self.score.is_none() && kind == ScoreKind::Complexity {
            writeln!(
                out,
                "Too few inputs for the combined score; {} decides.\n",
                kind.name()
            )?;
        }
        Ok(self.table(&calibrated, repeats).print(out)?)
    }

    fn result(&self, calibrated: &Calibrated, choice: Option<&Chosen>, repeats: usize) -> Summary {
        let gate = &calibrated.gate;
        let tests = Tests::parse(&calibrated.tests, true);
        Summary {
            tests: tests.map(|tests| tests.kinds().map(TestKind::name).collect()),
            rule: tests.map(|tests| rule_name(tests.rule())),
            power: choice.map(|chosen| chosen.choice.chosen.power),
            baselines: choice.map_or_else(BTreeMap::new, |c| c.baselines.iter().copied().collect()),
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

    /// The score that decides; `enough` says whether the data suffice for the combined one.
    fn kind(&self, input: &PlannedInput, enough: bool) -> Result<ScoreKind> {
        let image = matches!(input, PlannedInput::Image { .. });
        let named = self.tests.is_some() || self.rule.is_some();
        Ok(match self.score {
            Some(Score::Combined) => ScoreKind::Combined,
            Some(_) if named => bail!("--tests and --rule belong to --score combined"),
            Some(Score::Likelihood) => ScoreKind::Likelihood,
            Some(Score::Complexity) => ScoreKind::Complexity,
            Some(Score::Typicality) => ScoreKind::Typicality,
            None if named || (image && enough) => ScoreKind::Combined,
            None if image => ScoreKind::Complexity,
            None => ScoreKind::Likelihood,
        })
    }

    /// The combined score: the user's tests, or those that benign data choose.
    fn combined(
        &self,
        artifact: &Artifact<'_>,
        data: &Dataset,
        scores: &[Scores],
        split: &Split,
    ) -> Result<(Calibrated, Option<Chosen>)> {
        let choice = match &self.tests {
            Some(_) => None,
            None => self.choose(artifact, data, scores, split)?,
        };
        let (tests, rule) = match (&self.tests, &choice) {
            (Some(tests), _) => (tests.as_slice(), Rule::Minimum),
            (None, Some(Chosen { choice, .. })) => {
                (choice.chosen.tests.as_slice(), choice.chosen.rule)
            }
            (None, None) => bail!(
                "{}: no test tells anything of these inputs",
                one_line(&self.data)
            ),
        };
        let rule = match self.rule {
            Some(RuleName::Minimum) => Rule::Minimum,
            Some(RuleName::Sum) => Rule::Sum,
            None => rule,
        };
        let calibrated = calibrate::combined(tests, rule, self.alpha, scores, split);
        let place = || one_line(&self.data).to_string();
        Ok((calibrated.with_context(place)?, choice))
    }

    /// Scores perturbations of inputs behind the tables, none of which gives the threshold, and chooses by them.
    fn choose(
        &self,
        artifact: &Artifact<'_>,
        data: &Dataset,
        scores: &[Scores],
        split: &Split,
    ) -> Result<Option<Chosen>> {
        let benign: Vec<&Scores> = split.tables.iter().map(|&i| &scores[i]).collect();
        let (first, second) = split.tables.split_at(split.tables.len() / 2);
        let second = data.pick(second);
        let mut against = Against::new(&data.pick(first), &second);
        let families = perturb::families(&second, PERTURBED, PERTURBATION_SEED);
        let mut perturbed = Vec::new();
        for (name, inputs) in families {
            let doing = format!("perturbed: {name}");
            let scores = all_scores(&self.data, artifact, &inputs, None, &doing)?;
            perturbed.push(Perturbed { name, scores });
            against.look_at(&inputs);
        }
        let choice = calibrate::choose(&benign, &perturbed, self.alpha);
        let baselines = against.powers(self.alpha);
        Ok(choice.map(|choice| Chosen { choice, baselines }))
    }

    fn table(&self, calibrated: &Calibrated, repeats: usize) -> Table {
        let gate = &calibrated.gate;
        let mut table = Table::facts();
        let rank = conformal_rank(gate.alpha_ppm, gate.samples).unwrap_or_default();
        let nats = nats_from_raw(gate.threshold_raw);
        table.fact("score", described(calibrated));
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

fn alpha(gate: &Calibration) -> String {
    number::percent(f64::from(gate.alpha_ppm) / 1e6)
}

/// The deciding score, and its tests.
fn described(calibrated: &Calibrated) -> String {
    let name = calibrated.gate.score.name();
    match Tests::parse(&calibrated.tests, true) {
        Some(tests) => {
            let names: Vec<_> = tests.kinds().map(TestKind::name).collect();
            format!(
                "{name} ({} of {})",
                rule_name(tests.rule()),
                names.join(", ")
            )
        }
        None => name.to_owned(),
    }
}

fn rule_name(rule: Rule) -> &'static str {
    match rule {
        Rule::Minimum => "minimum",
        Rule::Sum => "sum",
    }
}

/// What each test sees alone, and what the chosen ones see together.
fn powers(choice: &Choice, baselines: &[(&str, f64)]) -> Table {
    let mut table = Table::new(["tests", "rejected on average"]);
    for candidate in choice.alone.iter().chain([&choice.chosen]) {
        let names: Vec<_> = candidate.tests.iter().map(|kind| kind.name()).collect();
        let names = match candidate.rule {
            Rule::Minimum => names.join(", "),
            Rule::Sum => format!("sum of {}", names.join(", ")),
        };
        table.row([names, number::percent(candidate.power)]);
    }
    for (name, power) in baselines {
        table.row([format!("{name} (baseline)"), number::percent(*power)]);
    }
    table
}

/// The perturbations that the chosen tests see least of.
fn weakest(choice: &Choice) -> Table {
    let mut families = choice.families.clone();
    families.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut table = Table::new(["least seen", "rejected"]);
    for (name, share) in families.iter().take(LEAST_SEEN) {
        table.row([(*name).to_owned(), number::percent(*share)]);
    }
    table
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
