//! `flowgate eval`: how well a model tells its own data from others, as figures and as a page.

use crate::draws::Draws;
use crate::evaluation::{Column, Evaluation, GateReport, Set, flow_columns};
use crate::inputs::{self, Limit, Named};
use crate::model::Loaded;
use crate::output::Output;
use crate::reading::Reading;
use crate::report::{self, Facts};
use crate::table::{Cell, Table, Tone};
use crate::verbs::score::all_scores;
use crate::{date, drift, json, number, place, progress, provenance};
use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_train_host::baselines::{self, Baselines, FEWEST_SAMPLES};
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Rejected inputs of the model's own data that are named; results.json has more.
const NAMED: usize = 5;

/// Evaluate a model on its own kind of data against foreign ones
#[derive(clap::Args)]
#[command(
    after_help = "Baselines are fitted to --baseline-data, or to each half of --in and then evaluated on the \
    other. AUPR is that of equal shares of own and foreign inputs, whatever the sizes of the sets: 0.5 is chance. \
    Without --ood: how the model decides on its own data, and no more.\n\nExample:\n  flowgate eval tiny.flow --in fashion-test.idx3.gz --ood mnist=digits.idx3.gz \
    --report reports/tiny"
)]
pub(crate) struct Args {
    /// Run directory, .safetensors or .flow
    model: PathBuf,
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
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        self.check_names()?;
        place::directory(&self.report)?;
        let loaded = Loaded::open_reading(&self.model, self.draws.dequantization())?;
        let artifact = loaded.artifact()?;
        // Everything is read before anything long begins.
        let load = |path: &Path| inputs::load_named(path, &self.reading, self.limit, &artifact);
        let benign = load(&self.benign.1)?;
        let foreign = self.ood.iter().map(|(_, path)| load(path));
        let foreign = foreign.collect::<Result<Vec<_>>>()?;
        let sample = self.baseline_data.as_deref();
        let all = Limit::default();
        let sample = sample.map(|path| inputs::load(path, &self.reading, all, &artifact));
        let sample = sample.transpose()?;
        let benign = scored(self.benign.0.clone(), &self.benign.1, benign, &artifact)?;
        let benign = benign.with_mistakes(true);
        let foreign = self.ood.iter().zip(foreign);
        let foreign =
            foreign.map(|((name, path), data)| scored(name.clone(), path, data, &artifact));
        let foreign = foreign.map(|set| Ok(set?.with_mistakes(false)));
        let foreign = foreign.collect::<Result<Vec<_>>>()?;
        let evaluation = self.evaluation(&loaded, &artifact, benign, foreign, sample)?;
        let page = report::write(&self.report, &evaluation, &Facts::of(&artifact))?;
        if self.json {
            return json::print(&evaluation, out);
        }
        print(&evaluation, &page, out)
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

    fn evaluation(
        &self,
        loaded: &Loaded,
        artifact: &Artifact<'_>,
        benign: Set,
        foreign: Vec<Set>,
        sample: Option<Dataset>,
    ) -> Result<Evaluation> {
        let mut scores = flow_columns(&benign, &foreign, artifact.calibration());
        let (columns, baselines) = self.baselines(&benign, &foreign, sample)?;
        scores.extend(columns);
        Ok(Evaluation {
            model: loaded.name(),
            date: date::today(),
            tool: provenance::tool(),
            commit: provenance::commit(),
            gate: artifact
                .calibration()
                .map(|gate| GateReport::new(gate, &benign)),
            drift: artifact
                .calibration()
                .map_or_else(Vec::new, |gate| drift::sequences(gate, &benign, &foreign)),
            benign,
            foreign,
            scores,
            aupr_share: 0.5,
            baselines,
        })
    }

    /// The baselines' columns, and what they were fitted to.
    fn baselines(
        &self,
        benign: &Set,
        foreign: &[Set],
        sample: Option<Dataset>,
    ) -> Result<(Vec<Column>, String)> {
        if foreign.is_empty() {
            return Ok((Vec::new(), "none: no foreign data".to_owned()));
        }
        let spinner = progress::spinner("fitting the baselines");
        let (fitted, what) = match (&self.baseline_data, sample) {
            (Some(path), Some(sample)) => {
                let fitted = Baselines::fit(&sample, self.seed);
                let fitted = fitted.with_context(|| one_line(path).to_string())?;
                (
                    Fitted::Elsewhere(Box::new(fitted)),
                    provenance::describe(path, &sample),
                )
            }
            _ => match Fitted::crosswise(&benign.data, self.seed) {
                Ok(fitted) => {
                    let what = format!("each half of {}, evaluated on the other", benign.name);
                    (fitted, what)
                }
                Err(why) => return Ok((Vec::new(), format!("none: {why}"))),
            },
        };
        let benign = fitted.log_densities(&benign.data);
        let others: Vec<_> = foreign
            .iter()
            .map(|set| fitted.log_densities(&set.data))
            .collect();
        spinner.finish_and_clear();
        let columns = baselines::NAMES.into_iter().enumerate().map(|(k, name)| {
            let pick = |all: &[[f64; 2]]| all.iter().map(|both| both[k]).collect::<Vec<f64>>();
            let others = foreign
                .iter()
                .zip(&others)
                .map(|(set, all)| (set, pick(all)));
            Column::new(name, true, pick(&benign), others.collect())
        });
        Ok((columns.collect(), what))
    }
}

/// Baselines that have not seen what they are evaluated on.
enum Fitted {
    /// Fitted to data of their own.
    Elsewhere(Box<Baselines>),
    /// Fitted to the first half of the benign inputs, and to the second.
    Crosswise(Box<[Baselines; 2]>),
}

impl Fitted {
    fn crosswise(benign: &Dataset, seed: u64) -> Result<Self, String> {
        let half = benign.len() / 2;
        if half < FEWEST_SAMPLES {
            return Err(format!("half of {} inputs is too few", benign.len()));
        }
        let halves = [0..half, half..benign.len()];
        let fit = |range| Baselines::fit(&benign.take(range), seed).map_err(|e| e.to_string());
        let [first, second] = halves.map(fit);
        Ok(Self::Crosswise(Box::new([first?, second?])))
    }

    /// Of every input, in order: every row of the table is then about the same inputs. Of a set in halves each is
    /// evaluated by the baselines of the other half, so that no benign input was part of their fit.
    fn log_densities(&self, data: &Dataset) -> Vec<[f64; 2]> {
        match self {
            Self::Elsewhere(fitted) => fitted.log_densities(data),
            Self::Crosswise(both) => {
                let half = data.len() / 2;
                let mut all = both[1].log_densities(&data.take(0..half));
                all.extend(both[0].log_densities(&data.take(half..data.len())));
                all
            }
        }
    }
}

/// A set with its scores.
fn scored(name: String, path: &Path, named: Named, artifact: &Artifact<'_>) -> Result<Set> {
    let scores = all_scores(path, artifact, &named.data, None, &name)?;
    let path = one_line(path).to_string();
    let set = Set::new(name, path, named, scores, artifact.calibration());
    Ok(set.with_p_values(|scores| artifact.p_value_ppm(scores)))
}

fn print(evaluation: &Evaluation, page: &Path, out: &mut Output) -> Result<()> {
    sets(evaluation).print(out)?;
    writeln!(out)?;
    if !evaluation.foreign.is_empty() {
        separation(evaluation).print(out)?;
        writeln!(out)?;
    }
    if !evaluation.drift.is_empty() {
        drift::table(&evaluation.drift).print(out)?;
        writeln!(out)?;
    }
    let mut table = Table::facts();
    if let Some(gate) = &evaluation.gate {
        table.fact(
            "false alarms",
            format!(
                "{} of {} ({}); promised at most {}, {} at most to be expected",
                gate.false_alarms,
                evaluation.benign.count,
                number::percent(gate.false_alarm_rate),
                number::percent(gate.alpha),
                gate.false_alarms_at_most
            ),
        );
    }
    if !evaluation.benign.mistakes.is_empty() {
        let names = evaluation.benign.mistakes.iter().take(NAMED);
        let names: Vec<&str> = names.map(|item| item.name.as_str()).collect();
        let more = evaluation.benign.rejected.unwrap_or(0) > names.len();
        let names = one_line(Path::new(&names.join(", "))).to_string();
        let end = if more { ", ..." } else { "" };
        table.fact("rejected of its own", format!("{names}{end}"));
    }
    if !evaluation.drift.is_empty() {
        let average = number::grouped(drift::AVERAGE.into());
        table.fact(
            "drift alarm",
            format!("on own data after {average} inputs or more on average"),
        );
    }
    table.fact("baselines", evaluation.baselines.as_str());
    table.fact("report", one_line(page).to_string());
    Ok(table.print(out)?)
}

fn sets(evaluation: &Evaluation) -> Table {
    let mut table = Table::new([
        "set",
        "inputs",
        "median bits/dim",
        "accepted",
        "rejected",
        "at 1 %",
        "at 0.1 %",
    ]);
    for set in std::iter::once(&evaluation.benign).chain(&evaluation.foreign) {
        let rejected = set.rejected_share;
        table.row([
            set.name.clone(),
            number::grouped(set.count as u64),
            format!("{:.4}", set.bits_per_dim_median),
            rejected.map_or("-".to_owned(), |share| number::percent(1.0 - share)),
            rejected.map_or("-".to_owned(), number::percent),
            rejected_at(set, 0),
            rejected_at(set, 1),
        ]);
    }
    table
}

/// A share with its interval.
fn rejected_at(set: &Set, rate: usize) -> String {
    set.rejected_at.get(rate).map_or("-".to_owned(), |at| {
        let [low, high] = at.interval.map(|share| format!("{:.2}", share * 100.0));
        format!("{:.2} % [{low}, {high}]", at.share * 100.0)
    })
}

fn separation(evaluation: &Evaluation) -> Table {
    let head = [
        "score",
        "against",
        "AUROC",
        "AUPR in (1:1)",
        "AUPR out (1:1)",
        "FPR at 95 % TPR",
        "rejected at 1 %",
        "at 0.1 %",
    ];
    let mut table = Table::new(head).left(2);
    for column in &evaluation.scores {
        for set in &evaluation.foreign {
            let Some(s) = column.against(set) else {
                continue;
            };
            let tone = match s.auroc {
                good if good >= 0.95 => Tone::Good,
                bad if bad < 0.5 => Tone::Bad,
                _ => Tone::Plain,
            };
            let name = match column.baseline {
                true => format!("{} (baseline)", column.name),
                false => column.name.to_owned(),
            };
            table.row([
                Cell::from(name),
                set.name.as_str().into(),
                Cell::new(format!("{:.4}", s.auroc), tone),
                format!("{:.4}", s.aupr_in).into(),
                format!("{:.4}", s.aupr_out).into(),
                format!("{:.4}", s.fpr_at_95_tpr).into(),
                number::percent(s.rejected_at_1_percent).into(),
                number::percent(s.rejected_at_0_1_percent).into(),
            ]);
        }
    }
    table
}
