//! The baselines' columns of an evaluation.

use crate::evaluation::{Column, Set};
use crate::{progress, provenance};
use anyhow::{Context, Result};
use flow_train_host::baselines::{self, Baselines, FEWEST_SAMPLES};
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use std::path::Path;

/// The baselines' columns, and what they were fitted to: `sample`, or each half of the benign set.
pub(super) fn columns(
    benign: &Set,
    foreign: &[Set],
    sample: Option<(&Path, &Dataset)>,
    seed: u64,
) -> Result<(Vec<Column>, String)> {
    if foreign.is_empty() {
        return Ok((Vec::new(), "none: no foreign data".to_owned()));
    }
    let spinner = progress::spinner("fitting the baselines");
    let (fitted, what) = match sample {
        Some((path, sample)) => {
            let fitted = Baselines::fit(sample, seed);
            let fitted = fitted.with_context(|| one_line(path).to_string())?;
            let fitted = Fitted::Elsewhere(Box::new(fitted));
            (fitted, provenance::describe(path, sample))
        }
        None => match Fitted::crosswise(&benign.data, seed) {
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
        let others = foreign.iter().zip(&others);
        let others = others.map(|(set, all)| (set, pick(all)));
        Column::new(name, true, pick(&benign), others.collect())
    });
    Ok((columns.collect(), what))
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
