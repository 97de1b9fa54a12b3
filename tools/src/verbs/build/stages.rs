//! From the parts to the gate: every stage by the verb of its name.

use super::budget::Time;
use super::fit::Wanted;
use super::models::{self, Crew};
use super::recipe::Recipe;
use super::split::{Part, Split};
use super::state::{self, Key, State};
use super::{Args, folds, heading, shape, starts, training};
use crate::output::Output;
use crate::table::Table;
use crate::verbs::calibrate::Together;
use crate::verbs::{calibrate, eval, export, verify};
use crate::{failure, inputs, ratio, sensor};
use anyhow::{Context, Result, bail};
use clap::{Command, FromArgMatches};
use flow_infer::spec::Shape;
use flow_train_host::data::Dataset;
use flow_train_host::families::Family;
use flow_train_host::files::one_line;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

impl Args {
    /// Trains what the budget allows, and models that do not see a fold; the run's directory, and whether there was
    /// anything to do.
    pub(super) fn train(
        &self,
        state: &mut State,
        time: Option<Time>,
        out: &mut Output,
    ) -> Result<(PathBuf, bool)> {
        let split = Split::read(&self.split_file())?;
        let validating = split.train.validating();
        let key = Key::of(&[
            &self.key_of_part("train")?,
            &format!("{:?} {validating} {}", split.front_end(), self.seed),
            &format!("{:?} {:?} {:?}", self.preset, self.epochs, self.sensor),
            &format!("{:?}", self.ratio),
            &format!("{:?}", self.budget),
        ]);
        let run = self.out.join(format!("run-{}", key.short()));
        let is_trained = state.is_done("train", &key) && starts::is_there(&run);
        let folds = self.open_folds(&split, &key, state);
        if is_trained && folds.is_empty() {
            return Ok((starts::likeliest(&run), false));
        }
        let data = self.read_part("train", split.front_end().as_ref())?;
        let recipe = self.recipe(&data, &split, time, out)?;
        heading("training", out)?;
        let of_folds = folds.iter().map(|(fold, key)| (Some(*fold), key));
        let of_all = (!is_trained).then_some((None, &key));
        let models: Vec<(Option<usize>, &Key)> = of_folds.chain(of_all).collect();
        let crew = Crew::new(models.len(), models::cores());
        let name = match split.fold_count() {
            0 => "model",
            _ => "all folds",
        };
        let work = |(fold, key): &(Option<usize>, &Key)| match *fold {
            Some(fold) => self.train_fold((fold, key), (&split, &data), &recipe, &crew),
            None => recipe.train(&data, validating, &run, (name, &crew)),
        };
        crew.each(&models, work, |(fold, key), said| {
            state.done(&fold.map_or("train".to_owned(), folds::stage), key)?;
            writeln!(out, "{said}")?;
            Ok(out.flush()?)
        })?;
        Ok((starts::likeliest(&run), true))
    }

    /// Says what the budget allows, and how it is trained.
    fn recipe(
        &self,
        data: &Dataset,
        split: &Split,
        time: Option<Time>,
        out: &mut Output,
    ) -> Result<Recipe> {
        let wanted = self.wanted(data, split, time)?;
        let mut fitted = wanted.largest(data)?;
        let starts = starts::suited(wanted.family, split.fold_count());
        heading("plan", out)?;
        let mut table = Table::facts();
        wanted.facts(&fitted, &mut table);
        if split.fold_count() > 0 {
            table.fact("models", number_of_models(split.fold_count(), starts));
        }
        table.print(out)?;
        writeln!(out)?;
        Wanted::cores(&fitted).print(out)?;
        out.flush()?;
        let config = &mut fitted.config;
        training::suit(config, data.len());
        config.seed = self.seed;
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.front_end = split.front_end();
        if let Some(sensor::Choice(chosen)) = self.sensor {
            config.sensor = chosen;
        }
        if let Some(ratio::Choice(chosen)) = &self.ratio {
            config.ratio.clone_from(chosen);
        }
        Ok(Recipe {
            what: format!(
                "trained as {}, {} channels wide{}",
                wanted.family.name(),
                fitted.width,
                sensor::described(&fitted.config)
            ),
            data: split.data.clone(),
            starts,
            config: fitted.config,
        })
    }

    fn wanted(&self, data: &Dataset, split: &Split, time: Option<Time>) -> Result<Wanted<'_>> {
        let shape = data.shape().map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        Ok(Wanted {
            family: self.family(data, split.items())?,
            shape: Shape::new(shape[0], shape[1], shape[2]),
            budget: &self.budget,
            time,
            front_end: split.front_end(),
            few: shape::is_few(data, split.items()),
        })
    }

    pub(super) fn named_family(&self) -> Option<Family> {
        self.preset.as_deref().and_then(Family::from_name)
    }

    fn family(&self, data: &Dataset, items: usize) -> Result<Family> {
        let is_images = matches!(data, Dataset::Images(_));
        let [_, height, width] = data.shape().map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        let family = self.named_family().unwrap_or(match is_images {
            true => shape::family(items, height, width),
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

    /// Export, calibration, evaluation and self-test; whether there was anything to do.
    pub(super) fn finish(&self, run: &Path, state: &mut State, out: &mut Output) -> Result<bool> {
        let model = self.out.join("model.flow");
        let mut worked = false;
        let of_run = state::content(&run.join("model.safetensors"))?;
        let of_run = of_run.with_context(|| format!("{}: holds no model", one_line(run)))?;
        let exported = of_run.then(&[&self.key_of_part("train")?]);
        if !state.is_done("export", &exported) || !model.exists() {
            heading("export", out)?;
            self.export(run, &self.part("train"), &model, out)?;
            state.done("export", &exported)?;
            worked = true;
        }
        let split = Split::read(&self.split_file())?;
        let by = match split.fold_count() {
            0 => format!(
                "{} {:?}",
                self.key_of_part("calibrate")?,
                split.calibrate.blocks
            ),
            _ => format!("{} {:?}", self.key_of_folds(&split)?, split.train.blocks),
        };
        let promise = self.promise.map_or_else(String::new, |p| format!("{p} "));
        let calibrated = exported.then(&[&format!("{} {promise}{by}", self.alpha)]);
        if !state.is_done("calibrate", &calibrated) || !self.gate().exists() {
            heading("calibrate", out)?;
            self.calibrate(&model, &split, out)?;
            state.done("calibrate", &calibrated)?;
            worked = true;
        }
        let mut evaluated = calibrated.then(&[&self.key_of_part("test")?, &self.seed.to_string()]);
        for (name, _) in &self.ood {
            evaluated = evaluated.then(&[name, &self.key_of_part(&format!("ood-{name}"))?]);
        }
        let page = self.out.join("report").join("index.html");
        if !state.is_done("eval", &evaluated) || !page.exists() {
            heading("eval", out)?;
            self.evaluate(run, split.test, out)?;
            state.done("eval", &evaluated)?;
            worked = true;
        }
        if !state.is_done("verify", &calibrated) || worked {
            heading("verify", out)?;
            verb::<verify::Args>(vec![self.gate().into()])?.run(out)?;
            state.done("verify", &calibrated)?;
            self.check_flash();
            worked = true;
        }
        Ok(worked)
    }

    /// What a part holds.
    fn key_of_part(&self, name: &str) -> Result<String> {
        let path = self.part(name);
        let key = state::content(&path)?;
        let key = key.with_context(|| format!("{}: is not there", one_line(&path)))?;
        Ok(key.text().to_owned())
    }

    /// Integers of a run's weights; activations range as those of `ranges` do.
    pub(super) fn export(
        &self,
        run: &Path,
        ranges: &Path,
        model: &Path,
        out: &mut Output,
    ) -> Result<()> {
        let args = ["--format", "q8", "--draws", "1"].map(OsString::from);
        let mut args = with(args, &[("--calibrate", ranges), ("--out", model)]);
        args.push(run.into());
        verb::<export::Args>(args)?.run(out)
    }

    fn calibrate(&self, model: &Path, split: &Split, out: &mut Output) -> Result<()> {
        let args = ["--alpha".into(), self.alpha.to_string().into()];
        let folds = split.fold_count();
        let (part, labels) = match folds {
            0 => ("calibrate", split.calibrate.blocks.clone()),
            _ => ("train", split.held_out_blocks()),
        };
        let mut args = with(
            args,
            &[("--data", &self.part(part)), ("--out", &self.gate())],
        );
        if let Some(promise) = self.promise {
            args.extend(["--promise".into(), promise.to_string().into()]);
        }
        args.push(model.into());
        let together = match labels.is_empty() {
            true => Together::Apart,
            false => Together::Blocks {
                labels,
                in_order: split.in_order,
            },
        };
        let folds = (0..folds).map(|fold| self.fold_files(fold)).collect();
        verb::<calibrate::Args>(args)?
            .with(together, folds)
            .run(out)
    }

    fn evaluate(&self, run: &Path, test: Part, out: &mut Output) -> Result<()> {
        let named = |name: &str, part: &str| {
            let mut text = OsString::from(format!("{name}="));
            text.push(self.part(part));
            text
        };
        let mut args: Vec<OsString> = vec![self.gate().into(), "--in".into(), named("own", "test")];
        let mut items = BTreeMap::from([(self.part("test"), test.inputs)]);
        for (name, _) in &self.ood {
            let part = format!("ood-{name}");
            args.extend(["--ood".into(), named(name, &part)]);
            let names = Part::read(&self.foreign_names(name))?;
            items.insert(self.part(&part), names.inputs);
        }
        let seed = [OsString::from("--seed"), self.seed.to_string().into()];
        args.extend(with(
            seed,
            &[
                ("--report", &self.out.join("report")),
                ("--baseline-data", &self.part("train")),
                ("--training-log", &run.join("log.csv")),
            ],
        ));
        verb::<eval::Args>(args)?.with_items(items).run(out)
    }

    /// The budget was kept by an estimate; that it was is told by the file.
    fn check_flash(&self) {
        let found = std::fs::metadata(self.gate()).map_or(0, |file| file.len());
        if found > self.budget.flash {
            failure::warn(&format!(
                "{}: {found} bytes, {} more than --flash allows",
                one_line(&self.gate()),
                found - self.budget.flash
            ));
        }
    }
}

/// How many models are trained, and of what.
fn number_of_models(folds: usize, starts: usize) -> String {
    let each = match starts {
        1 => String::new(),
        starts => format!("; each the likeliest of {starts} starts"),
    };
    format!(
        "{} to be trained: {folds} that have not seen a fold and set the gate, and the one of all folds{each}",
        folds + 1
    )
}

fn with<const N: usize>(args: [OsString; N], paths: &[(&str, &Path)]) -> Vec<OsString> {
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
