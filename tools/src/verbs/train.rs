//! `flowgate train`: a run directory with a float model.

mod torch;

use crate::failure::{self, CheckFailed};
use crate::inputs::{self, Limit};
use crate::interrupt;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::{config, json, number, place, progress, provenance, ratio, sensor};
use anyhow::{Context, Result, bail};
use clap::ArgGroup;
use clap::builder::PossibleValuesParser;
use flow_infer::spec::{InputSpec, Shape};
use flow_train_host::data::{self, Dataset};
use flow_train_host::export::provenance::Provenance;
use flow_train_host::families::{Family, WIDTH};
use flow_train_host::files::one_line;
use flow_train_host::front_end::FrontEnd;
use flow_train_host::model::store::MODEL_FILE;
use flow_train_host::train::{
    self, EpochRecord, Options, Progress, RatioReport, StepReport, Summary, TrainConfig, TrainError,
};
use flow_train_host::{perturb, presets};
use indicatif::ProgressBar;
use serde::Serialize;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Train a flow, or go on with an interrupted run
#[derive(clap::Args)]
#[command(
    group = ArgGroup::new("against").args(["negative", "negatives"]),
    group = ArgGroup::new("what").required(true).multiple(true).args(["preset", "config", "resume"]),
    after_help = "Examples:\n  \
    flowgate train --preset fashion-tiny --data data/fashion/train-images-idx3-ubyte.gz --out runs/tiny\n  \
    flowgate train --resume --data data/fashion/train-images-idx3-ubyte.gz --out runs/tiny\n  \
    flowgate train --torch --preset realnvp-paper --data data/fashion/train-images-idx3-ubyte.gz --out runs/large"
)]
pub(crate) struct Args {
    /// A named configuration
    #[arg(long, value_name = "NAME", conflicts_with = "config", help = preset_help(),
          value_parser = PossibleValuesParser::new(crate::verbs::config::names()), hide_possible_values = true)]
    preset: Option<String>,
    /// A configuration: TOML, as `flowgate config` prints, or JSON, as config.json of another run
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Training data; the last part of it validates
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Directory of the run
    #[arg(long, value_name = "RUN_DIR")]
    out: PathBuf,
    /// Passes over the data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Seed of weights, order and noise
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// The sensor that training images pass through: off, default, or parts of one as noise=2,black-level=4
    /// (unchanged, shift, blur, gain, black-level, noise); as the preset or the configuration has it by default
    #[arg(long, value_name = "SENSOR", value_parser = sensor::choice)]
    sensor: Option<sensor::Choice>,
    /// The ratio net, a second opinion beside the flow: off, default, or its optimizer steps; as the preset or the
    /// configuration has it by default
    #[arg(long, value_name = "STEPS", value_parser = ratio::choice)]
    ratio: Option<ratio::Choice>,
    /// Data that must not be likely (negative training)
    #[arg(long, value_name = "PATH", requires = "negative_threshold")]
    negative: Option<PathBuf>,
    /// Families of images to be made of the training images that must not be likely: all, or names of
    /// documents/calibration.md parted by commas
    #[arg(long, value_name = "FAMILIES", requires = "negative_threshold", conflicts_with = "negative",
          value_parser = families)]
    negatives: Option<Families>,
    /// log_prob_nats below which negative data are left alone
    #[arg(
        long,
        value_name = "NATS",
        requires = "against",
        allow_negative_numbers = true
    )]
    negative_threshold: Option<f64>,
    /// Whiten vectors to D principal components first; of a network's features, many say the same
    #[arg(long, value_name = "D", requires = "preset")]
    whiten: Option<u16>,
    /// Threads; all cores by default, and the same result with any number
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Go on from the run's last checkpoint
    #[arg(long)]
    resume: bool,
    /// Train nothing here: write first weights, settings, data and a PyTorch program into RUN_DIR that trains them, on
    /// GPUs or many machines
    #[arg(long, conflicts_with_all = ["resume", "threads", "negative", "negatives", "negative_threshold", "sensor", "ratio"])]
    torch: bool,
    /// Of --data and of --negative
    #[command(flatten)]
    limit: Limit,
    /// Print one JSON object a line: one an epoch, and one at the end
    #[arg(long)]
    json: bool,
}

/// Names of families of negative images.
#[derive(Clone, Debug)]
struct Families(Vec<String>);

fn families(text: &str) -> Result<Families, String> {
    let named: Vec<String> = match text {
        "all" => perturb::image_families().map(str::to_owned).collect(),
        names => names.split(',').map(str::to_owned).collect(),
    };
    match named.iter().find(|name| !perturb::is_image_family(name)) {
        None => Ok(Families(named)),
        Some(unknown) => {
            let known: Vec<_> = perturb::image_families().collect();
            Err(format!(
                "there is no family {unknown:?}; there are {}",
                known.join(", ")
            ))
        }
    }
}

fn preset_help() -> String {
    let names = presets::NAMES
        .iter()
        .map(|(name, what)| format!("{name} ({what})"));
    format!(
        "A named configuration: {}",
        names.collect::<Vec<_>>().join("; ")
    )
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::directory(&self.out)?;
        let kept = self.kept()?;
        let reading = self.reading.or_front_end(kept.as_ref()).without_faulty();
        let read = inputs::read(&self.data, &reading, self.limit)?;
        let mut config = self.config(&read.dataset)?;
        config.front_end = inputs::front_end(&reading, &read.dataset);
        self.warn_of_constants(&read);
        let data = read.dataset;
        if self.torch {
            // The program for PyTorch has none.
            (config.sensor, config.ratio, config.smoothing) = (None, None, None);
            return self.write_for_torch(&config, &data, out);
        }
        let negative = self.negative.as_deref();
        let negative = negative.map(|path| inputs::read(path, &reading, self.limit));
        let negative = negative.transpose()?.map(|read| read.dataset);
        let options = Options {
            threads: self.threads,
            resume: self.resume,
        };
        let provenance = self.provenance(&data, &config);
        let mut watch = Watch::new(out, self.json, &self.out, provenance);
        let outcome = match &negative {
            None => train::run(&config, &data, &self.out, options, &mut watch),
            Some(other) => {
                train::run_against(&config, &data, other, &self.out, options, &mut watch)
            }
        };
        watch.bar.finish_and_clear();
        if let Some(error) = watch.failed {
            return Err(error);
        }
        let summary = outcome.map_err(|error| self.blame(error))?;
        let second = match summary.finished {
            true => ratio::train(&config, &data, &self.out, self.threads)?,
            false => None,
        };
        match self.json {
            true => json::print(&Ended::new(&summary, second, &self.out), out)?,
            false => self.table(&summary, second).print(out)?,
        }
        match summary.finished {
            true => Ok(()),
            false => Err(CheckFailed(format!(
                "{}: interrupted; --resume goes on with the same bits",
                one_line(&self.out)
            ))
            .into()),
        }
    }

    /// Says which columns never change.
    fn warn_of_constants(&self, read: &data::Reading) {
        let place = one_line(&self.data);
        let Dataset::Vectors(vectors) = &read.dataset else {
            return;
        };
        for constant in train::constant_columns(vectors) {
            let (column, taken) = (&read.columns[constant.column], constant.taken);
            failure::warn(&format!(
                "{place}: {column} is constant: whatever differs from it by more than a few times \
                {taken:.1e} will look strange (--columns leaves it out)"
            ));
        }
    }

    /// How pictures or recordings become inputs in the configuration, which is another run's or this one's.
    fn kept(&self) -> Result<Option<FrontEnd>> {
        let config = match (&self.preset, &self.config) {
            (Some(_), _) => return Ok(None),
            (None, Some(file)) => config::read(file)?,
            (None, None) => config::read(&self.out.join("config.json"))?,
        };
        Ok(config.front_end)
    }

    fn config(&self, data: &Dataset) -> Result<TrainConfig> {
        let mut config = match (&self.preset, &self.config) {
            (Some(name), _) => self.preset(name, data)?,
            (None, Some(file)) => config::read(file)?,
            (None, None) => config::read(&self.out.join("config.json"))?,
        };
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.seed = self.seed.unwrap_or(config.seed);
        if let Some(sensor::Choice(chosen)) = self.sensor {
            config.sensor = chosen;
        }
        if let Some(ratio::Choice(chosen)) = &self.ratio {
            config.ratio.clone_from(chosen);
        }
        if self.negative_threshold.is_some() {
            config.negative_threshold_nats = self.negative_threshold;
        }
        if let Some(Families(names)) = &self.negatives {
            config.negative_families.clone_from(names);
        }
        Ok(config)
    }

    /// The preset, of the size of the data.
    fn preset(&self, name: &str, data: &Dataset) -> Result<TrainConfig> {
        if let Dataset::Vectors(vectors) = data
            && vectors.dims().min(self.whiten.unwrap_or(u16::MAX).into()) < 2
        {
            bail!(
                "{}: a coupling flow needs two columns or more (D = 1 here)",
                one_line(&self.data)
            );
        }
        // A dimension beyond the format's is refused by the spec's own check.
        let side = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let measured = side(data.dims());
        let dims = self.whiten.unwrap_or(measured);
        let config = match Family::from_name(name) {
            Some(family) => {
                let [c, h, w] = data.shape().map(side);
                if family.reads_images() && !family.reads(h, w) {
                    bail!(
                        "{}: family {name} reads {}, not {}: --size says what to average them to",
                        one_line(&self.data),
                        family.wants(),
                        inputs::kind(data)
                    );
                }
                let shape = match family.reads_images() {
                    true => Shape::new(c, h, w),
                    false => Shape::new(dims, 1, 1),
                };
                Some(family.config(shape, WIDTH))
            }
            None => presets::preset(name, dims),
        };
        let mut config = config.with_context(|| format!("there is no preset {name}"))?;
        if let Some(dims) = self.whiten {
            let InputSpec::Vector { .. } = config.spec.input else {
                bail!("--whiten is for vectors, and preset {name} reads images");
            };
            config.spec.input = InputSpec::Whitened { measured, dims };
        }
        Ok(config)
    }

    fn provenance(&self, data: &Dataset, config: &TrainConfig) -> Provenance {
        let how = match (&self.preset, &self.config) {
            (Some(name), _) => format!("preset {name}"),
            (None, Some(file)) => format!("config {}", one_line(file)),
            (None, None) => "its own config".to_owned(),
        };
        let data = provenance::describe(&self.data, data);
        let what = match self.torch {
            true => format!("first weights with {how}, for PyTorch to train"),
            false => format!(
                "trained with {how} for {} epochs{}{}",
                config.epochs,
                sensor::described(config),
                against(config)
            ),
        };
        Provenance {
            tool: provenance::tool(),
            commit: provenance::commit().to_owned(),
            data,
            seed: config.seed,
            history: vec![provenance::line(&what)],
        }
    }

    /// Names the file at fault where the trainer does not know it.
    fn blame(&self, error: TrainError) -> anyhow::Error {
        let file = match &error {
            TrainError::Data(..) | TrainError::TooFew(_) => Some(&self.data),
            TrainError::Negative(..) => self.negative.as_ref(),
            // A preset takes its size from the data.
            TrainError::Spec(_) if self.preset.is_some() => Some(&self.data),
            TrainError::Config(_) | TrainError::Spec(_) | TrainError::Untrainable(_) => {
                self.config.as_ref().or(Some(&self.out))
            }
            TrainError::NotFinite { .. } => Some(&self.out),
            _ => None,
        };
        let file = file.map(|file| one_line(file).to_string());
        let error = anyhow::Error::new(error);
        match file {
            Some(file) => error.context(file),
            None => error,
        }
    }

    fn table(&self, summary: &Summary, second: Option<RatioReport>) -> Table {
        let mut table = Table::facts();
        let epochs = summary.records.len();
        let state = match summary.finished {
            true => format!("finished after {}", number::count(epochs, "epoch")),
            false => format!("interrupted after {}", number::count(epochs, "epoch")),
        };
        table.fact("run", state);
        table.fact("parameters", number::grouped(summary.parameters as u64));
        if let Some(best) = summary.best_bits_per_dim {
            table.fact("best bits/dim", format!("{best:.4} (validation)"));
        }
        if let Some(report) = second {
            table.fact("ratio net", ratio::described(&report));
        }
        table.fact("model", one_line(&self.out.join(MODEL_FILE)).to_string());
        table
    }
}

/// The end of a run, for machines.
#[derive(Serialize)]
struct Ended {
    finished: bool,
    epochs: usize,
    parameters: usize,
    best_bits_per_dim: Option<f64>,
    /// AUROC of validation images against negatives, of a ratio net that was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_auroc: Option<f64>,
    model: String,
}

impl Ended {
    fn new(summary: &Summary, second: Option<RatioReport>, run: &Path) -> Self {
        Self {
            finished: summary.finished,
            epochs: summary.records.len(),
            parameters: summary.parameters,
            best_bits_per_dim: summary.best_bits_per_dim,
            ratio_auroc: second.and_then(|report| report.auroc),
            model: one_line(&run.join(MODEL_FILE)).to_string(),
        }
    }
}

/// What the provenance says of negatives that were made.
fn against(config: &TrainConfig) -> String {
    let names = config.negative_families.join(", ");
    match config.negative_threshold_nats {
        Some(nats) if !names.is_empty() => {
            format!(", against negatives above {nats} nats ({names})")
        }
        _ => String::new(),
    }
}

const TEMPLATE: &str = "epoch {prefix} {bar:28} {pos}/{len}  {msg}";

/// A bar on a terminal, and one printed line an epoch everywhere.
struct Watch<'o> {
    out: &'o mut Output,
    json: bool,
    run: &'o Path,
    provenance: Option<Provenance>,
    bar: ProgressBar,
    lines: u64,
    interrupted: Arc<AtomicBool>,
    failed: Option<anyhow::Error>,
}

impl<'o> Watch<'o> {
    fn new(out: &'o mut Output, json: bool, run: &'o Path, provenance: Provenance) -> Self {
        let bar = progress::bar(0, "");
        bar.set_style(progress::style(TEMPLATE));
        Self {
            out,
            json,
            run,
            provenance: Some(provenance),
            bar,
            lines: 0,
            interrupted: interrupt::flag(),
            failed: None,
        }
    }

    fn keep(&mut self, done: Result<()>) -> ControlFlow<()> {
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn print(&mut self, r: &EpochRecord) -> Result<()> {
        if self.json {
            json::print(r, self.out)?;
            return Ok(self.out.flush()?);
        }
        if self.lines == 0 {
            let head = "epoch  train bits/dim  validation bits/dim  items/s";
            writeln!(self.out, "{head}")?;
        }
        self.lines += 1;
        let (train, validation) = (r.train_bits_per_dim, r.validation_bits_per_dim);
        let best = if r.best { "  best" } else { "" };
        writeln!(
            self.out,
            "{:>5}  {train:>14.4}  {validation:>19.4}  {:>7.0}{best}",
            r.epoch, r.items_per_second
        )?;
        Ok(self.out.flush()?)
    }
}

impl Progress for Watch<'_> {
    fn step(&mut self, report: &StepReport) -> ControlFlow<()> {
        self.bar.set_length(report.steps);
        self.bar
            .set_prefix(format!("{}/{}", report.epoch, report.epochs));
        self.bar.set_message(format!(
            "{:.4} bits/dim  {:.0}/s  {} left",
            report.bits_per_dim,
            report.items_per_second,
            indicatif::HumanDuration(std::time::Duration::from_secs_f64(
                report.seconds_left.clamp(0.0, 1e9)
            ))
        ));
        self.bar.set_position(report.step);
        // The run has made its directory by now, and not before it knew that it can run.
        let saved = match self.provenance.take() {
            Some(provenance) => provenance::save(self.run, &provenance),
            None => Ok(()),
        };
        match self.interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => self.keep(saved),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) -> ControlFlow<()> {
        let bar = self.bar.clone();
        let printed = bar.suspend(|| self.print(record));
        self.keep(printed)
    }
}
