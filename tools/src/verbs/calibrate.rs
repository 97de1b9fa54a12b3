//! `flowgate calibrate`: a gate with a stated false-alarm rate, into the `.flow`.

mod against;
mod choose;
mod evidence;
mod power;

use crate::blocks::{self, BlockChoice};
use crate::inputs::{self, Limit};
use crate::model::{self, Loaded};
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::verbs::score::all_scores;
use crate::{failure, json, number, place, provenance};
use anyhow::{Context, Result, bail};
use choose::Chosen;
use clap::ValueEnum;
use evidence::Evidence;
pub(crate) use evidence::Together;
use flow_infer::artifact::Artifact;
use flow_infer::gate::Calibration;
use flow_infer::plan::PlannedInput;
use flow_infer::score::combined::{Rule, TestKind, Tests};
use flow_infer::score::{ScoreKind, Scores};
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::calibrate::{self, Blocks, Calibrated, Promise, Split, exchange};
use flow_train_host::evaluate::score_golden;
use flow_train_host::export::file::FlowFile;
use flow_train_host::files::{one_line, write_atomically};
use power::Power;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Stretches whose scores are compared where no blocks are named.
const STRETCHES: usize = 10;
/// Training inputs that score higher than calibration inputs in more than such a share of pairs are told by heart.
const BY_HEART: f64 = 0.7;
/// Families that are named as least seen.
const LEAST_SEEN: usize = 8;

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
    #[arg(long, value_name = "PATH", required_unless_present = "held_out")]
    data: Option<PathBuf>,
    /// A block of benign data that another model, trained like this one on the other blocks, has not seen; instead of
    /// --data, and given once a block: the threshold of this model, which may have seen all, comes from their scores
    #[arg(long, value_name = "FOLD.flow=PATH", value_parser = inputs::named_path,
          conflicts_with_all = ["data", "blocks", "skip", "limit"])]
    held_out: Vec<(String, PathBuf)>,
    /// What belongs together: N stretches in time, `folders`, or the column of a table that names user, site or day; the
    /// promise is then one of blocks to come
    #[arg(long, value_name = "N|folders|COLUMN", value_parser = blocks::choice)]
    blocks: Option<BlockChoice>,
    /// What is promised: the mean over inputs, the mean over new blocks, each new block but for some, or each stretch to come
    /// but for fewer; by default the strongest that the blocks can give, and next-stretch of N stretches
    #[arg(long, value_name = "NAME")]
    promise: Option<PromiseName>,
    /// The most recent benign data: warns if the threshold rejects more of them than promised
    #[arg(long, value_name = "PATH")]
    recent: Option<PathBuf>,
    /// Data that the model was trained on: warns if it knows them by heart
    #[arg(long, value_name = "PATH")]
    trained: Option<PathBuf>,
    /// Bound on the share of benign inputs that are rejected
    #[arg(long, value_name = "RATE", value_parser = rate)]
    alpha: u32,
    /// Where the calibrated .flow goes; may be the same file
    #[arg(long, value_name = "MODEL.flow")]
    out: PathBuf,
    /// The score that decides; by default combined for images and windows (complexity where the data are too few for that) and
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
    /// What belongs together, where another verb knows it.
    #[arg(skip)]
    together: Together,
    /// Models and what they have not seen, as of `held_out`, where another verb has made them.
    #[arg(skip)]
    folds: Vec<(PathBuf, PathBuf)>,
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
    /// The same share at the gate's own threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    power_at_threshold: Option<f64>,
    /// The share of `power` for what a gate must beat.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    baselines: BTreeMap<&'static str, f64>,
    alpha: f64,
    threshold_nats: f64,
    threshold_raw: i64,
    /// The threshold is the so-manieth smallest score.
    rank: usize,
    samples: u32,
    /// Of what the rate is promised.
    promise: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<HeldOut>,
    /// Everything that speaks against the promise.
    warnings: Vec<String>,
    /// Inputs that score as one before them.
    repeats: usize,
    written: String,
}

/// A block, and what a threshold from the others does to it.
#[derive(Clone, Debug, Serialize)]
struct HeldOut {
    name: String,
    inputs: usize,
    /// Share that is rejected.
    rejected: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Score {
    Likelihood,
    Complexity,
    Typicality,
    Combined,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PromiseName {
    /// An input like the calibration inputs
    Inputs,
    /// An input of a new block
    NewBlocks,
    /// Each new block, but for some
    EachBlock,
    /// Each stretch of a recording to come, but for fewer: by the law that those seen scatter by
    NextStretch,
}

impl std::fmt::Display for PromiseName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum RuleName {
    Minimum,
    Sum,
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

/// What came of it.
struct Outcome {
    calibrated: Calibrated,
    choice: Option<Chosen>,
    /// What the gate rejects of the inputs that its tests were chosen by.
    power: Option<Power>,
    repeats: usize,
    held_out: Vec<HeldOut>,
    warnings: Vec<String>,
}

impl Args {
    /// The same, where another verb knows what belongs together; with folds, their held-out inputs and not the data
    /// set the gate.
    pub(crate) fn with(self, together: Together, folds: Vec<(PathBuf, PathBuf)>) -> Self {
        Self {
            together,
            folds,
            ..self
        }
    }

    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let sources = self.held_out.iter().map(|(_, path)| path);
        let sources = self.data.iter().chain(sources).map(PathBuf::as_path);
        let sources: Vec<&Path> = sources.collect();
        place::file(&self.out, &sources, out)?;
        let loaded = Loaded::open_flow(&self.model)?;
        let artifact = loaded.artifact()?;
        let evidence = self.evidence(&artifact)?;
        let image = matches!(artifact.input(), PlannedInput::Image { .. });
        let has_code = image || artifact.windows().is_some();
        let kind = self.kind(has_code, self.suffices(&evidence))?;
        let outcome = self.outcome(&artifact, &evidence, kind)?;
        let calibrated = &outcome.calibrated;
        let mut file = FlowFile::from_artifact(&artifact);
        let golden = score_golden(&artifact).map_err(|(index, error)| {
            anyhow::Error::new(error).context(format!("golden vector {index}"))
        })?;
        file.calibrate(calibrated, &artifact, &golden)?;
        let mut provenance = model::provenance(&artifact);
        provenance.history.push(provenance::line(&format!(
            "calibrated {} at {} {} on {}",
            described(calibrated),
            alpha(&calibrated.gate),
            self.words(&evidence, calibrated.promise),
            evidence.described
        )));
        file.set_provenance(&provenance);
        let bytes = file.to_bytes()?;
        write_atomically(&self.out, |w| w.write_all(&bytes))?;
        outcome.warnings.iter().for_each(|text| failure::warn(text));
        if self.json {
            return json::print(&self.result(&outcome, &evidence), out);
        }
        if let Some(chosen) = &outcome.choice {
            writeln!(
                out,
                "Power of each test alone, and of the tests chosen, against {} families of perturbed benign inputs:\n",
                chosen.perturbed.len()
            )?;
            powers(chosen).print(out)?;
            writeln!(out)?;
            if chosen.log_prob_alone().is_some() {
                writeln!(
                    out,
                    "The tests bring nothing that log_prob by itself does not: it decides, and no data go into tables.\n"
                )?;
            }
        }
        if let Some(power) = &outcome.power {
            weakest(power).print(out)?;
            writeln!(out)?;
        }
        if self.score.is_none() && kind == ScoreKind::Complexity {
            writeln!(
                out,
                "Too few inputs for the combined score; {} decides.\n",
                kind.name()
            )?;
        }
        if !outcome.held_out.is_empty() {
            held_out(&outcome.held_out).print(out)?;
            writeln!(out)?;
        }
        Ok(self.table(&outcome, &evidence).print(out)?)
    }

    /// Whether the inputs suffice for tables of the combined score.
    fn suffices(&self, evidence: &Evidence) -> bool {
        Split::new(evidence.scores.len(), self.alpha).is_ok()
    }

    /// What shall be promised; nothing where the scores of held-out blocks decide.
    fn promise(&self, evidence: &Evidence) -> Result<Option<Promise>> {
        let Some(blocks) = &evidence.blocks else {
            return match self.promise {
                None | Some(PromiseName::Inputs) => Ok(Some(Promise::Inputs)),
                Some(_) => bail!("--promise: of blocks that --blocks names"),
            };
        };
        Ok(match self.promise {
            None if evidence.is_crossed() => None,
            None => Some(Promise::suited(
                blocks.count(),
                blocks.in_order(),
                self.alpha,
            )),
            Some(PromiseName::Inputs) => Some(Promise::Inputs),
            Some(PromiseName::NewBlocks) => Some(Promise::NewBlocks),
            Some(PromiseName::EachBlock) => Some(Promise::each(blocks.count())),
            Some(PromiseName::NextStretch) => Some(Promise::NextStretch),
        })
    }

    fn words(&self, evidence: &Evidence, promise: Promise) -> String {
        let words = promise.words(
            evidence.blocks.as_ref().map_or(1, Blocks::count),
            self.alpha,
        );
        match evidence.folds.len() {
            0 => words,
            folds => {
                format!(
                    "{words}, as far as the {folds} models of the folds score like this one (cross-conformal)"
                )
            }
        }
    }

    fn outcome(
        &self,
        artifact: &Artifact<'_>,
        evidence: &Evidence,
        kind: ScoreKind,
    ) -> Result<Outcome> {
        let promise = self.promise(evidence)?;
        let (calibrated, choice) = match kind {
            ScoreKind::Combined => self.combined(artifact, evidence, promise)?,
            _ => (self.by_itself(kind, evidence, promise)?, None),
        };
        let scores = with_tests(&calibrated, &evidence.scores);
        let (gate, promise) = (&calibrated.gate, calibrated.promise);
        let whole = Blocks::stretches(scores.len(), STRETCHES.min(scores.len()));
        let compared = evidence.blocks.clone().map_or(whole, Ok);
        let deciding = compared
            .and_then(|blocks| calibrate::deciding_blocks(gate, &scores, &blocks))
            .unwrap_or_default();
        let held_out = |blocks: &Blocks| {
            let rates = exchange::held_out_rates(&deciding, promise, self.alpha);
            let of_block = rates.into_iter().map(|(block, rejected)| HeldOut {
                name: blocks.names()[block].clone(),
                inputs: deciding[block].len(),
                rejected,
            });
            of_block.collect()
        };
        let mut warnings = self.warnings(artifact, evidence, &calibrated, &deciding)?;
        let chosen = choice.as_ref();
        let power = chosen.and_then(|c| Power::of(&calibrated, &c.perturbed));
        warnings.extend(chosen.and_then(|c| c.warning(&evidence.place)));
        let of_blocks = (chosen.zip(power.as_ref())).filter(|_| promise != Promise::Inputs);
        warnings.extend(of_blocks.and_then(|(c, p)| p.warning(c.of_inputs, &evidence.place)));
        Ok(Outcome {
            warnings,
            power,
            repeats: calibrate::repeats(&evidence.scores),
            held_out: evidence.blocks.as_ref().map_or_else(Vec::new, held_out),
            calibrated,
            choice,
        })
    }

    /// Everything that speaks against what is promised.
    fn warnings(
        &self,
        artifact: &Artifact<'_>,
        evidence: &Evidence,
        calibrated: &Calibrated,
        deciding: &[Vec<i64>],
    ) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let place = one_line(&evidence.place).to_string();
        let repeats = calibrate::repeats(&evidence.scores);
        if repeats > 0 {
            warnings.push(format!(
                "{place}: {repeats} of {} inputs score as one before them: the false-alarm rate is that of inputs which \
                 do not repeat each other",
                evidence.scores.len()
            ));
        }
        let of_inputs = matches!(calibrated.promise, Promise::Inputs);
        if of_inputs && exchange::groups_differ(deciding) < exchange::UNLIKELY {
            let how = match &evidence.blocks {
                Some(_) => "blocks differ more than inputs of a block do",
                None => {
                    "neighbours are alike: scores change along the data as those of a shuffle do not"
                }
            };
            warnings.push(format!(
                "{place}: {how}, so the promise is none for what comes next; --blocks promises of blocks to come"
            ));
        }
        let gate = &calibrated.gate;
        let judged = |path: &PathBuf, doing| -> Result<Vec<Scores>> {
            let data = inputs::load(path, &self.reading, Limit::default(), artifact)?;
            let scores = all_scores(path, artifact, &data, None, doing)?;
            Ok(with_tests(calibrated, &scores))
        };
        if let Some(path) = &self.recent {
            let scores = judged(path, "most recent")?;
            let accepted = scores.iter().filter(|s| gate.decide(s).accepted());
            let rejected = scores.len() - accepted.count();
            let rate = f64::from(self.alpha) / 1e6;
            if exchange::rejections_by_chance(rejected, scores.len(), rate) < exchange::UNLIKELY {
                warnings.push(format!(
                    "{}: {rejected} of {} most recent inputs are rejected, where {} were promised: they are not like \
                     the calibration inputs",
                    one_line(path),
                    scores.len(),
                    alpha(gate)
                ));
            }
        }
        if let Some(path) = &self.trained {
            let known = judged(path, "trained on")?;
            let raw = |s: &Scores| gate.score_raw(s).unwrap_or(i64::MIN);
            let known: Vec<i64> = known.iter().map(raw).collect();
            let compared = exchange::compare(&known, &deciding.concat());
            if let Some(found) = compared.filter(|c| c.p_value < exchange::UNLIKELY)
                && found.second_lower > BY_HEART
            {
                warnings.push(format!(
                    "{}: score higher than calibration inputs in {} of pairs: the model knows them by heart, or the \
                     calibration data are of another kind; what is new has little in common with either",
                    one_line(path),
                    number::percent(found.second_lower)
                ));
            }
        }
        Ok(warnings)
    }

    fn result(&self, outcome: &Outcome, evidence: &Evidence) -> Summary {
        let gate = &outcome.calibrated.gate;
        let tests = Tests::parse(&outcome.calibrated.tests, true);
        Summary {
            tests: tests.map(|tests| tests.kinds().map(TestKind::name).collect()),
            rule: tests.map(|tests| rule_name(tests.rule())),
            power: outcome.choice.as_ref().map(Chosen::power),
            power_at_threshold: outcome.power.as_ref().map(|power| power.mean),
            baselines: match &outcome.choice {
                Some(chosen) => chosen.baselines.iter().copied().collect(),
                None => BTreeMap::new(),
            },
            score: gate.score.name(),
            alpha: f64::from(gate.alpha_ppm) / 1e6,
            threshold_nats: nats_from_raw(gate.threshold_raw),
            threshold_raw: gate.threshold_raw,
            rank: outcome.calibrated.rank,
            samples: gate.samples,
            promise: self.words(evidence, outcome.calibrated.promise),
            blocks: outcome.held_out.clone(),
            warnings: outcome.warnings.clone(),
            repeats: outcome.repeats,
            written: one_line(&self.out).to_string(),
        }
    }

    /// The score that decides: whether inputs have a code length, and whether the data suffice for the combined one.
    fn kind(&self, has_code: bool, enough: bool) -> Result<ScoreKind> {
        let named = self.tests.is_some() || self.rule.is_some();
        Ok(match self.score {
            Some(Score::Combined) => ScoreKind::Combined,
            Some(_) if named => bail!("--tests and --rule belong to --score combined"),
            Some(Score::Likelihood) => ScoreKind::Likelihood,
            Some(Score::Complexity) => ScoreKind::Complexity,
            Some(Score::Typicality) => ScoreKind::Typicality,
            None if named || (has_code && enough) => ScoreKind::Combined,
            None if has_code => ScoreKind::Complexity,
            None => ScoreKind::Likelihood,
        })
    }

    /// A score that no tables go into.
    fn by_itself(
        &self,
        kind: ScoreKind,
        evidence: &Evidence,
        promise: Option<Promise>,
    ) -> Result<Calibrated> {
        let (alpha, scores) = (self.alpha, &evidence.scores);
        let found = match &evidence.blocks {
            None => calibrate::gate(kind, alpha, scores),
            Some(blocks) => calibrate::gate_across(kind, alpha, scores, blocks, promise),
        };
        found.with_context(|| one_line(&evidence.place).to_string())
    }

    /// Log_prob by itself, chosen by inputs that give no threshold as far as the combined score keeps those apart.
    fn by_log_prob(
        &self,
        evidence: &Evidence,
        promise: Option<Promise>,
        split: &Split,
    ) -> Result<Calibrated> {
        match &evidence.blocks {
            Some(_) if !evidence.is_crossed() => {
                self.by_itself(ScoreKind::Likelihood, evidence, promise)
            }
            _ => {
                let part = evidence.part(&split.threshold)?;
                self.by_itself(ScoreKind::Likelihood, &part, promise)
            }
        }
    }

    /// The combined score: the user's tests, or those that benign data choose; or log_prob by itself.
    fn combined(
        &self,
        artifact: &Artifact<'_>,
        evidence: &Evidence,
        promise: Option<Promise>,
    ) -> Result<(Calibrated, Option<Chosen>)> {
        let place = || one_line(&evidence.place).to_string();
        let split = Split::new(evidence.scores.len(), self.alpha).with_context(place)?;
        let choice = match &self.tests {
            Some(_) => None,
            None => {
                let is_free = self.score.is_none() && self.rule.is_none();
                choose::tests(artifact, evidence, &split, self.alpha, is_free)?
            }
        };
        if choice
            .as_ref()
            .is_some_and(|c| c.log_prob_alone().is_some())
        {
            let calibrated = self.by_log_prob(evidence, promise, &split)?;
            return Ok((calibrated, choice));
        }
        let calibrated = self.of_tests(choice.as_ref(), evidence, promise, &split)?;
        match choice {
            // What was chosen for single inputs has told that blocks differ.
            Some(choice) if evidence.is_crossed() && calibrated.promise != Promise::Inputs => {
                self.across(choice, evidence, calibrated.promise, &split)
            }
            choice => Ok((calibrated, choice)),
        }
    }

    /// The combined score of blocks that differ: tests chosen anew, and of stretches the margin weighed.
    fn across(
        &self,
        choice: Chosen,
        evidence: &Evidence,
        promise: Promise,
        split: &Split,
    ) -> Result<(Calibrated, Option<Chosen>)> {
        let choice = choice.across(evidence, split, promise, self.alpha);
        let of = |promise| self.of_tests(Some(&choice), evidence, Some(promise), split);
        let calibrated = of(promise)?;
        let weighed = choice.weighed(promise, &calibrated, evidence, split)?;
        let calibrated = match weighed == promise {
            true => calibrated,
            false => of(weighed)?,
        };
        Ok((calibrated, Some(choice)))
    }

    /// The gate of the user's tests, or of those that were chosen.
    fn of_tests(
        &self,
        choice: Option<&Chosen>,
        evidence: &Evidence,
        promise: Option<Promise>,
        split: &Split,
    ) -> Result<Calibrated> {
        let place = || one_line(&evidence.place).to_string();
        let (tests, rule) = match (&self.tests, choice) {
            (Some(tests), _) => (tests.as_slice(), Rule::Minimum),
            (None, Some(Chosen { choice, .. })) => {
                (choice.chosen.tests.as_slice(), choice.chosen.rule)
            }
            (None, None) => bail!("{}: no test tells anything of these inputs", place()),
        };
        let rule = match self.rule {
            Some(RuleName::Minimum) => Rule::Minimum,
            Some(RuleName::Sum) => Rule::Sum,
            None => rule,
        };
        let (alpha, scores) = (self.alpha, &evidence.scores);
        let calibrated = match &evidence.blocks {
            None => calibrate::combined(tests, rule, alpha, scores, split),
            Some(blocks) if evidence.is_crossed() => {
                let tests = (tests, rule);
                calibrate::combined_crossed(tests, alpha, scores, blocks, promise, split)
            }
            Some(blocks) => calibrate::combined_across(tests, rule, alpha, scores, blocks, promise),
        };
        calibrated.with_context(place)
    }

    fn table(&self, outcome: &Outcome, evidence: &Evidence) -> Table {
        let gate = &outcome.calibrated.gate;
        let mut table = Table::facts();
        let nats = nats_from_raw(gate.threshold_raw);
        table.fact("score", described(&outcome.calibrated));
        let promised = match evidence.is_crossed() {
            true => format!("about {}", alpha(gate)),
            false => format!("at most {}", alpha(gate)),
        };
        let promised = format!(
            "{promised} {}",
            self.words(evidence, outcome.calibrated.promise)
        );
        table.fact("false-alarm rate", promised);
        table.fact(
            "threshold",
            format!("{nats:.2} nats (raw {})", gate.threshold_raw),
        );
        let samples = number::grouped(gate.samples.into());
        let rank = outcome.calibrated.rank;
        table.fact(
            "it is",
            format!("number {rank} from below of {samples} benign scores"),
        );
        if let Some(power) = &outcome.power {
            let rejected = number::percent(power.mean);
            table.fact(
                "of perturbed inputs",
                format!("{rejected} are rejected at this threshold"),
            );
        }
        table.fact("repeats", number::grouped(outcome.repeats as u64));
        table.fact("written", one_line(&self.out).to_string());
        table
    }
}

/// Scores with what the tests of a calibration say of them.
fn with_tests(calibrated: &Calibrated, scores: &[Scores]) -> Vec<Scores> {
    let Some(tests) = Tests::parse(&calibrated.tests, true) else {
        return scores.to_vec();
    };
    let judged = scores.iter().map(|s| Scores {
        combined: tests.combine(s),
        ..*s
    });
    judged.collect()
}

/// What a threshold from the other blocks would have done to each.
fn held_out(blocks: &[HeldOut]) -> Table {
    let mut table = Table::new(["block", "inputs", "rejected by a threshold of the others"]);
    for block in blocks {
        let inputs = number::grouped(block.inputs as u64);
        let rejected = number::percent(block.rejected);
        table.row([block.name.clone(), inputs, rejected]);
    }
    table
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
            match names.as_slice() {
                [alone] => format!("{name} ({alone})"),
                _ => format!(
                    "{name} ({} of {})",
                    rule_name(tests.rule()),
                    names.join(", ")
                ),
            }
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
fn powers(chosen: &Chosen) -> Table {
    let choice = &chosen.choice;
    let mut table = Table::new(["tests", "rejected on average"]);
    let alone = choice.alone.iter().map(|candidate| ("", candidate));
    for (mark, candidate) in alone.chain([("chosen: ", &choice.chosen)]) {
        let names: Vec<_> = candidate.tests.iter().map(|kind| kind.name()).collect();
        let names = match candidate.rule {
            Rule::Minimum => names.join(", "),
            Rule::Sum => format!("sum of {}", names.join(", ")),
        };
        table.row([format!("{mark}{names}"), number::percent(candidate.power)]);
    }
    if let Some(alone) = &chosen.alone {
        table.row([
            "log_prob by itself".to_owned(),
            number::percent(alone.power),
        ]);
    }
    for (name, power) in &chosen.baselines {
        table.row([format!("{name} (baseline)"), number::percent(*power)]);
    }
    table
}

/// The perturbations that the gate rejects least of.
fn weakest(power: &Power) -> Table {
    let mut families = power.families.clone();
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
