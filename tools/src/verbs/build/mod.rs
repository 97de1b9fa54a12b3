//! `flowgate build`: from own data to a gate and a report, stage by stage.
//!
//! A stage is what the verb of its name does. What a stage was made from is kept beside its results, so that a second
//! run repeats only what has changed, and goes on where the first was interrupted.

mod fit;
mod look;
mod parts;
mod state;
mod training;

use crate::inputs::Limit;
use crate::number::bytes;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::verbs::{calibrate, eval, export, verify};
use crate::{inputs, number, place, provenance, sensor};
use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Command, FromArgMatches};
use fit::{Budget, Fitted};
use flow_infer::front_end::{FrontEnd, Reduction};
use flow_infer::spec::Shape;
use flow_train_host::data::{self, Dataset};
use flow_train_host::export::provenance::Provenance;
use flow_train_host::families::Family;
use flow_train_host::files::one_line;
use parts::{Parts, Plan};
use state::{Key, State};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Make a gate of own data: look at them, split, train, quantize, calibrate, evaluate, test
#[derive(clap::Args)]
#[command(
    after_help = "DIR/gate.flow is what a board runs, DIR/report/index.html what it decides. The same command goes on \
    where it was interrupted, and does nothing where nothing has changed.\n\n\
    Example:\n  flowgate build --data photographs --size 32x24 --colour rgb --ood broken=scratched --out own"
)]
pub(crate) struct Args {
    /// Own data: what the gate shall accept
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Directory of the gate, the report and everything in between
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Foreign data under a name, to measure how much of it is rejected; may be given several times
    #[arg(long, value_name = "NAME=PATH", value_parser = inputs::named_path)]
    ood: Vec<(String, PathBuf)>,
    #[command(flatten)]
    reading: Reading,
    /// Family of architectures; realnvp for images and vector for vectors by default
    #[arg(long, value_name = "NAME",
          value_parser = PossibleValuesParser::new(Family::ALL.map(Family::name)))]
    preset: Option<String>,
    /// Most bytes of flash that the model may take
    #[arg(long, value_name = "BYTES", value_parser = number::size, default_value = "256K")]
    flash: u64,
    /// Most bytes of RAM: scratch, input, and sums of the front end
    #[arg(long, value_name = "BYTES", value_parser = number::size, default_value = "64K")]
    ram: u64,
    /// Most multiplies of a decision
    #[arg(long, value_name = "N", value_parser = number::amount, default_value = "8M")]
    multiplies: u64,
    /// Bound on the false-alarm rate
    #[arg(long, value_name = "RATE", default_value = "0.01", value_parser = rate)]
    alpha: f64,
    /// Most passes over the training data; training ends before where it gains nothing more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// The sensor that training images pass through: off, default, or parts of one as noise=2,black-level=4
    /// (unchanged, shift, blur, gain, black-level, noise)
    #[arg(long, value_name = "SENSOR", value_parser = sensor::choice)]
    sensor: Option<sensor::Choice>,
    /// Seed of the split, of weights, order and noise
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Go on with a build; without, one is begun where there is none
    #[arg(long)]
    resume: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (1e-6..1.0).contains(&rate) => Ok(rate),
        _ => Err("a rate lies between 0 and 1, and is at least 0.000001".to_owned()),
    }
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::directory(&self.out)?;
        let mut state = State::open(&self.out, self.resume)?;
        let data_key = self.data_key()?;
        let train_key = data_key.then(&[
            &format!("{:?} {:?} {:?}", self.preset, self.epochs, self.sensor),
            &format!("{} {} {}", self.flash, self.ram, self.multiplies),
        ]);
        let last_key = train_key.then(&[&self.alpha.to_string()]);
        if state.is_done("verify", &last_key) && self.gate().exists() {
            let gate = one_line(&self.gate()).to_string();
            return Ok(writeln!(out, "nothing has changed: {gate}")?);
        }
        if !state.is_done("data", &data_key) {
            self.prepare(out)?;
            state.done("data", &data_key)?;
        }
        let run = self.out.join(format!("run-{}", train_key.short()));
        if !state.is_done("train", &train_key) {
            self.train(&run, out)?;
            state.done("train", &train_key)?;
        }
        self.finish(&run, &mut state, &train_key, &last_key, out)
    }

    fn gate(&self) -> PathBuf {
        self.out.join("gate.flow")
    }

    fn part(&self, name: &str) -> PathBuf {
        self.out.join("data").join(format!("{name}.npy"))
    }

    fn reduction(&self) -> Option<Reduction> {
        self.reading.reduction()
    }

    /// What the parts of the data are made from.
    fn data_key(&self) -> Result<Key> {
        let mut key = Key::of(&[
            &format!("{:?} {} {}", self.reading, self.seed, self.alpha),
            &state::listing(&self.data)?,
        ]);
        for (name, path) in &self.ood {
            key = key.then(&[name, &state::listing(path)?]);
        }
        Ok(key)
    }

    /// Reads everything, says what it found, and writes the parts as arrays of inputs.
    fn prepare(&self, out: &mut Output) -> Result<()> {
        let own = self.load(&self.data)?;
        let foreign = self
            .ood
            .iter()
            .map(|(name, path)| Ok((name, self.load(path)?)));
        let foreign: Vec<_> = foreign.collect::<Result<_>>()?;
        for (name, set) in &foreign {
            if set.shape() != own.shape() {
                bail!(
                    "--ood {name}: holds {}, and --data {}",
                    inputs::kind(set),
                    inputs::kind(&own)
                );
            }
        }
        let place = || one_line(&self.data).to_string();
        let found = look::Findings::of(&own);
        found.refuse().with_context(place)?;
        let plan = Plan::new(own.len(), self.alpha, parts::order(&self.data));
        let plan = plan.with_context(place)?;
        let mut table = Table::facts();
        table.fact("data", inputs::describe(&own));
        found.facts(&mut table);
        plan.facts(&mut table);
        table.print(out)?;
        let parts = Parts::of(&own, &plan, self.seed);
        std::fs::create_dir_all(self.out.join("data"))
            .with_context(|| one_line(&self.out).to_string())?;
        for (name, set) in parts.named() {
            set.to_npy()?.write(&self.part(name))?;
        }
        for (name, set) in foreign {
            set.to_npy()?.write(&self.part(&format!("ood-{name}")))?;
        }
        Ok(())
    }

    fn load(&self, path: &Path) -> Result<Dataset> {
        let set = inputs::read(path, &self.reading, Limit::default())?.dataset;
        let [c, h, w] = set.shape();
        let values = c.saturating_mul(h).saturating_mul(w);
        if values > usize::from(u16::MAX) {
            bail!(
                "{}: holds {}, larger than any model's input: --size says what to average them to",
                one_line(path),
                inputs::kind(&set)
            );
        }
        Ok(set)
    }

    fn family(&self, data: &Dataset) -> Result<Family> {
        let is_images = matches!(data, Dataset::Images(_));
        let named = self.preset.as_deref().and_then(Family::from_name);
        let family = named.unwrap_or(match is_images {
            true => Family::RealNvp,
            false => Family::Vector,
        });
        if family.reads_images() != is_images {
            bail!(
                "{}: holds {}, which preset {} does not read",
                one_line(&self.data),
                inputs::kind(data),
                family.name()
            );
        }
        Ok(family)
    }

    fn train(&self, run: &Path, out: &mut Output) -> Result<()> {
        let data = data::load(&self.part("train"))?;
        let family = self.family(&data)?;
        let shape = data.shape().map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        let shape = Shape::new(shape[0], shape[1], shape[2]);
        let budget = Budget {
            flash: self.flash,
            ram: self.ram,
            multiplies: self.multiplies,
        };
        let mut fitted = Fitted::largest(family, shape, budget, self.reduction().as_ref(), &data)?;
        let mut table = Table::facts();
        fitted.facts(family, budget, &mut table);
        table.print(out)?;
        let config = &mut fitted.config;
        training::suit(config, data.len());
        config.seed = self.seed;
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.front_end = self.reduction().map(FrontEnd::Frames);
        if let Some(sensor::Choice(chosen)) = self.sensor {
            config.sensor = chosen;
        }
        let what = format!(
            "trained as {}, {} channels wide{}",
            family.name(),
            fitted.width,
            sensor::described(&fitted.config)
        );
        let provenance = Provenance {
            tool: provenance::tool(),
            commit: provenance::commit().to_owned(),
            data: provenance::describe(&self.data, &data),
            seed: self.seed,
            history: vec![provenance::line(&what)],
        };
        training::run(&fitted.config, &data, run, provenance, out)
    }

    /// Export, calibration, evaluation and self-test, each by the verb of its name.
    fn finish(
        &self,
        run: &Path,
        state: &mut State,
        train_key: &Key,
        last_key: &Key,
        out: &mut Output,
    ) -> Result<()> {
        let model = self.out.join("model.flow");
        if !state.is_done("export", train_key) || !model.exists() {
            heading("export", out)?;
            let train = self.part("train");
            let args = [
                run.into(),
                "--format".into(),
                "q8".into(),
                "--draws".into(),
                "1".into(),
            ];
            let args = with(args, &[("--calibrate", &train), ("--out", &model)]);
            verb::<export::Args>(args)?.run(out)?;
            state.done("export", train_key)?;
        }
        if !state.is_done("calibrate", last_key) || !self.gate().exists() {
            heading("calibrate", out)?;
            let alpha = self.alpha.to_string();
            let args = [model.into(), "--alpha".into(), alpha.into()];
            let held = self.part("calibrate");
            let args = with(args, &[("--data", &held), ("--out", &self.gate())]);
            verb::<calibrate::Args>(args)?.run(out)?;
            state.done("calibrate", last_key)?;
        }
        if !state.is_done("eval", last_key) {
            heading("eval", out)?;
            self.evaluate(out)?;
            state.done("eval", last_key)?;
        }
        heading("verify", out)?;
        verb::<verify::Args>(vec![self.gate().into()])?.run(out)?;
        state.done("verify", last_key)?;
        let gate = std::fs::metadata(self.gate()).map_or(0, |file| file.len());
        let gate_path = one_line(&self.gate()).to_string();
        Ok(writeln!(out, "\n{gate_path}: {}", bytes(gate))?)
    }

    fn evaluate(&self, out: &mut Output) -> Result<()> {
        let named = |name: &str, part: &str| {
            let mut text = OsString::from(format!("{name}="));
            text.push(self.part(part));
            text
        };
        let mut args: Vec<OsString> = vec![self.gate().into(), "--in".into(), named("own", "test")];
        for (name, _) in &self.ood {
            args.extend(["--ood".into(), named(name, &format!("ood-{name}"))]);
        }
        args.extend(["--report".into(), self.out.join("report").into()]);
        let seed = self.seed.to_string();
        args.extend(["--seed".into(), seed.into()]);
        verb::<eval::Args>(args)?.run(out)
    }
}

fn heading(what: &str, out: &mut Output) -> Result<()> {
    Ok(writeln!(out, "\n{what}")?)
}

fn with<const N: usize>(args: [OsString; N], paths: &[(&str, &PathBuf)]) -> Vec<OsString> {
    let mut all = Vec::from(args);
    for (flag, path) in paths {
        all.extend([OsString::from(flag), path.into()]);
    }
    all
}

/// The arguments of a verb, with its own defaults for everything that is not given.
fn verb<A: clap::Args + FromArgMatches>(args: Vec<OsString>) -> Result<A> {
    let command = A::augment_args(Command::new("verb").no_binary_name(true));
    let matches = command.try_get_matches_from(args)?;
    Ok(A::from_arg_matches(&matches)?)
}
