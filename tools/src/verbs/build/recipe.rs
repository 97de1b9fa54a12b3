//! How the model of all is trained, and those of the folds like it.

use super::models::Crew;
use super::{starts, training};
use crate::{provenance, ratio};
use anyhow::Result;
use flow_train_host::data::Dataset;
use flow_train_host::export::provenance::Provenance;
use flow_train_host::train::{Smoothing, TrainConfig};
use std::path::Path;

/// A configuration, and what is said of models that were trained by it.
pub(super) struct Recipe {
    pub(super) config: TrainConfig,
    pub(super) data: String,
    pub(super) what: String,
    /// Starts of each model, of which the likeliest is kept.
    pub(super) starts: usize,
}

impl Recipe {
    /// Trains on data whose last inputs validate, or goes on with it, from every start; what came of it, in words.
    pub(super) fn train(
        &self,
        data: &Dataset,
        validating: usize,
        run: &Path,
        (name, crew): (&str, &Crew),
    ) -> Result<String> {
        let from = |start: usize| {
            let name = match self.starts {
                1 => name.to_owned(),
                starts => format!("{name}, start {} of {starts}", start + 1),
            };
            let run = starts::folder(run, start);
            self.train_from(start, data, validating, &run, (&name, crew))
        };
        let said = (0..self.starts).map(from).collect::<Result<Vec<_>>>()?;
        let said = said.get(starts::likeliest_of(run));
        let said = said.map_or("", String::as_str);
        Ok(match self.starts {
            1 => format!("{name}: {said}"),
            starts => format!("{name}: {said}, the likeliest of {starts} starts"),
        })
    }

    /// The same from one start: of other first weights, order and noise.
    fn train_from(
        &self,
        start: usize,
        data: &Dataset,
        validating: usize,
        run: &Path,
        (name, crew): (&str, &Crew),
    ) -> Result<String> {
        let mut config = TrainConfig {
            seed: self.config.seed.wrapping_add(start as u64),
            validation_fraction: validating as f64 / data.len() as f64,
            ..self.config.clone()
        };
        let mut smoothed = String::new();
        if let (Some(_), Dataset::Vectors(vectors)) =
            (config.smoothing, data.take(0..data.len() - validating))
        {
            let suited = Smoothing::suited(&vectors, config.seed);
            smoothed = format!(", noise {:.2}", suited.noise);
            config.smoothing = Some(suited);
        }
        let provenance = Provenance {
            tool: provenance::tool(),
            commit: provenance::commit().to_owned(),
            data: self.data.clone(),
            seed: config.seed,
            history: vec![provenance::line(&self.what)],
        };
        let trained = training::run(&config, data, run, provenance, (name, crew))?;
        let mut said = format!("{trained}{smoothed}");
        if let Some(report) = ratio::train(&config, data, run, crew.threads)? {
            said += &format!("; ratio net after {}", ratio::described(&report));
        }
        Ok(said)
    }
}
