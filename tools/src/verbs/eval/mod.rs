//! `flowgate eval`: how well a model tells its own data from others, as figures and as a page.

mod baselines;
mod detectors;
mod print;

use crate::draws::Draws;
use crate::evaluation::{Evaluation, GateReport, INTERVALS, Set, flow_columns, windows};
use crate::inputs::{self, Limit, Named};
use crate::model::Loaded;
use crate::output::Output;
use crate::reading::Reading;
use crate::report::{self, Facts, TrainingLog};
use crate::verbs::score::all_scores;
use crate::{date, drift, json, place, provenance};
use anyhow::{Result, bail};
use flow_infer::artifact::Artifact;
use flow_train_host::data::{Dataset, ItemNames};
use flow_train_host::files::one_line;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Evaluate a model on its own kind of data against foreign ones
#[derive(clap::Args)]
#[command(
    after_help = "Baselines are fitted to --baseline-data, or to each half of --in and then evaluated on the \
    other. AUPR is that of equal shares of own and foreign inputs, whatever the sizes of the sets: 0.5 is chance. \
    Without --ood: how the model decides on its own data, and no more. With two models: both on the same data, \
    side by side.\n\nExamples:\n  flowgate eval tiny.flow --in fashion-test.idx3.gz --ood mnist=digits.idx3.gz \
    --report reports/tiny\n  flowgate eval old.flow new.flow --in fashion-test.idx3.gz \
    --ood mnist=digits.idx3.gz --report reports/both"
)]
pub(crate) struct Args {
    /// Run directory, .safetensors or .flow; one, or two to compare
    #[arg(value_name = "MODEL", required = true, num_args = 1..=2)]
    models: Vec<PathBuf>,
    /// Data of the kind that the model was trained on, none of it seen in training or calibration; may be named
    #[arg(long = "in", value_name = "[NAME=]PATH", value_parser = inputs::maybe_named_path)]
    benign: (String, PathBuf),
    /// Foreign data under a name; may be given several times
    #[arg(long, value_name = "NAME=PATH", value_parser = inputs::named_path)]
    ood: Vec<(String, PathBuf)>,
    /// Directory for the page (index.html) and the figures (results.json)
    #[arg(long, value_name = "DIR")]
    report: PathBuf,
    /// Training data for the baselines
    #[arg(long, value_name = "PATH")]
    baseline_data: Option<PathBuf>,
    /// More baselines: scikit-learn's isolation forest, LOF and one-class SVM, out of this virtual environment of
    /// Python, which is made if it is not there
    #[arg(long, value_name = "DIR", requires = "baseline_data")]
    detectors: Option<PathBuf>,
    /// log.csv of the run that made the model, for the curve of its loss; a run directory has its own
    #[arg(long, value_name = "FILE.csv")]
    training_log: Option<PathBuf>,
    /// Seed of the baselines
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    draws: Draws,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    reading: Reading,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// What the inputs of a file are called, where another verb knows it.
    #[arg(skip)]
    items: BTreeMap<PathBuf, Vec<String>>,
}

/// Two evaluations, for machines.
#[derive(Serialize)]
struct Both<'e> {
    models: [&'e Evaluation; 2],
}

/// One model on own data and one foreign set, `count` inputs of each; sets are given as name, file and how many
/// inputs are left out first. Without baselines.
pub(crate) fn evaluate(
    model: &Path,
    own: &(&str, PathBuf, u32),
    foreign: &(&str, PathBuf, u32),
    count: u32,
) -> Result<Evaluation> {
    let loaded = Loaded::open_reading(model, Draws::default().dequantization())?;
    let artifact = loaded.artifact()?;
    let set = |(name, path, skip): &(&str, PathBuf, u32)| {
        let limit = Limit::some(*skip, count);
        let data = inputs::load_named(path, &Reading::default(), limit, &artifact)?;
        scored((*name).to_owned(), path, data, &artifact)
    };
    let (benign, foreign) = (set(own)?, vec![set(foreign)?]);
    let scores = flow_columns(&benign, &foreign, artifact.calibration());
    Ok(Evaluation {
        model: loaded.name(),
        date: date::today(),
        tool: provenance::tool(),
        commit: provenance::commit(),
        gate: None,
        drift: Vec::new(),
        benign,
        foreign,
        scores,
        aupr_share: 0.5,
        baselines: "none".to_owned(),
        baselines_ahead: Vec::new(),
        intervals: INTERVALS,
    })
}

impl Args {
    /// The same, with the names of the inputs of files.
    pub(crate) fn with_items(self, items: BTreeMap<PathBuf, Vec<String>>) -> Self {
        Self { items, ..self }
    }

    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        self.check_names()?;
        place::directory(&self.report)?;
        let all = self.models.iter().map(|model| self.evaluated(model));
        let all = all.collect::<Result<Vec<_>>>()?;
        match all.as_slice() {
            [(evaluation, facts)] => {
                let page = report::write(&self.report, evaluation, facts)?;
                match self.json {
                    true => json::print(evaluation, out),
                    false => print::print(evaluation, &page, out),
                }
            }
            [first, second] => {
                let models = [&first.0, &second.0];
                let page = report::write_both(&self.report, &Both { models }, [first, second])?;
                match self.json {
                    true => json::print(&Both { models }, out),
                    false => print::print_both(models, &page, out),
                }
            }
            _ => bail!("one model, or two to compare"),
        }
    }

    fn check_names(&self) -> Result<()> {
        let foreign = self.ood.iter().map(|(name, _)| name);
        let names: Vec<&String> = std::iter::once(&self.benign.0).chain(foreign).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                bail!("--ood {name}: two sets have this name");
            }
        }
        Ok(())
    }

    /// One model on all of the data, and what there is to say of it.
    fn evaluated(&self, model: &Path) -> Result<(Evaluation, Facts)> {
        let loaded = Loaded::open_reading(model, self.draws.dequantization())?;
        let artifact = loaded.artifact()?;
        let log = match &self.training_log {
            Some(path) => Some(TrainingLog::read(path)?),
            None => TrainingLog::of_run(model)?,
        };
        // Everything is read before anything long begins.
        let load = |path: &Path| -> Result<Named> {
            let named = inputs::load_named(path, &self.reading, self.limit, &artifact)?;
            Ok(match self.items.get(path) {
                Some(names) => Named {
                    items: ItemNames::Files(names.clone()),
                    ..named
                },
                None => named,
            })
        };
        let benign = load(&self.benign.1)?;
        let foreign = self.ood.iter().map(|(_, path)| load(path));
        let foreign = foreign.collect::<Result<Vec<_>>>()?;
        let sample = self.baseline_data.as_deref();
        let all = Limit::default();
        let sample = sample.map(|path| inputs::load(path, &self.reading, all, &artifact));
        let sample = sample.transpose()?;
        let benign = scored(self.benign.0.clone(), &self.benign.1, benign, &artifact)?;
        let own = windows::own(&artifact, &benign);
        let benign = benign.with_mistakes(true);
        let benign = benign.with_windows(&artifact, own.as_ref(), true);
        let foreign = self.ood.iter().zip(foreign);
        let foreign =
            foreign.map(|((name, path), data)| scored(name.clone(), path, data, &artifact));
        let foreign = foreign.map(|set| {
            let set = set?.with_mistakes(false);
            Ok(set.with_windows(&artifact, own.as_ref(), false))
        });
        let foreign = foreign.collect::<Result<Vec<_>>>()?;
        let evaluation = self.evaluation(loaded.name(), &artifact, benign, foreign, sample)?;
        Ok((evaluation, Facts::of(&artifact, log)))
    }

    fn evaluation(
        &self,
        model: String,
        artifact: &Artifact<'_>,
        benign: Set,
        foreign: Vec<Set>,
        sample: Option<Dataset>,
    ) -> Result<Evaluation> {
        let gate = artifact.calibration();
        let mut scores = flow_columns(&benign, &foreign, gate);
        let sample = self.baseline_data.as_deref().zip(sample.as_ref());
        let (columns, mut baselines) = baselines::columns(&benign, &foreign, sample, self.seed)?;
        scores.extend(columns);
        if let (Some(venv), Some((_, sample))) = (&self.detectors, sample) {
            let (columns, version) =
                detectors::columns(venv, &benign, &foreign, sample, self.seed)?;
            scores.extend(columns);
            baselines = format!("{baselines}; detectors of {version}");
        }
        let sequences = |gate| drift::sequences(gate, &benign, &foreign);
        let evaluation = Evaluation {
            model,
            date: date::today(),
            tool: provenance::tool(),
            commit: provenance::commit(),
            gate: gate.map(|gate| GateReport::new(gate, &benign)),
            drift: gate.map_or_else(Vec::new, sequences),
            benign,
            foreign,
            scores,
            aupr_share: 0.5,
            baselines,
            baselines_ahead: Vec::new(),
            intervals: INTERVALS,
        };
        Ok(evaluation.judged())
    }
}

/// A set with its scores.
fn scored(name: String, path: &Path, named: Named, artifact: &Artifact<'_>) -> Result<Set> {
    let scores = all_scores(path, artifact, &named.data, None, &name)?;
    let path = one_line(path).to_string();
    let set = Set::new(name, path, named, scores, artifact.calibration());
    let samples = artifact.calibration().map_or(0, |gate| gate.samples);
    let set = set.with_p_values(samples, |scores| artifact.p_value_ppm(scores));
    Ok(set.with_heat(artifact))
}
