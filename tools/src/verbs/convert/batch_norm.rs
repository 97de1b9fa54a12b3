//! `flowgate convert --update-batch-norm`: new statistics for batch norm, and what they do to the likelihood.

use crate::inputs::{self, Limit};
use crate::model::Loaded;
use crate::progress;
use crate::reading::Reading;
use crate::table::Table;
use crate::verbs::score::all_scores;
use anyhow::{Context, Result};
use flow_infer::plan::Dequantization;
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use flow_train_host::metrics::{median, quantile};
use flow_train_host::model::Model;
use flow_train_host::update_batch_norm::{UpdatedNorm, passes, update_batch_norm};
use std::path::Path;

/// Each batch norm costs a pass over them; 64 images of 28 x 28 are 50,000 pixels for every channel.
const MOST_INPUTS: usize = 64;

/// Replaces the model by one with statistics of the data. Gives the log-likelihoods of that data before and after.
pub(super) fn run(model: &mut Model, name: &Path, path: &Path, limit: Limit) -> Result<Table> {
    let before = Loaded::of_model(name, model.clone(), Dequantization::Midpoint)?;
    let data = inputs::load(
        path,
        &Reading::default(),
        limit.or(MOST_INPUTS),
        &before.artifact()?,
    )?;
    let bar = progress::bar(passes(model.spec()), "batch norms");
    let restated = update_batch_norm(model, &data, &|| bar.inc(1));
    bar.finish_and_clear();
    let (new, changes) = restated.with_context(|| one_line(name).to_string())?;
    let mut history = model.history().to_vec();
    history.push(format!(
        "batch norm's statistics estimated anew on {} inputs",
        data.len()
    ));
    let new = new.with_history(history);
    *model = new.clone();
    let after = Loaded::of_model(name, new, Dequantization::Midpoint)?;
    let mut table = Table::new(["log_prob, nats", "worst", "median", "best"]);
    for (what, loaded) in [("statistics as stored", before), ("of the data", after)] {
        table.row(
            [what.to_owned()]
                .into_iter()
                .chain(figures(&loaded, path, &data)?),
        );
    }
    for (name, value) in summary(&changes, &data) {
        table.row([name, &value]);
    }
    Ok(table)
}

fn figures(loaded: &Loaded, path: &Path, data: &Dataset) -> Result<[String; 3]> {
    let scores = all_scores(path, &loaded.artifact()?, data, None, "likelihoods")?;
    let nats = scores.iter().map(|s| nats_from_raw(s.log_prob_raw));
    let nats: Vec<f64> = nats.collect();
    let figures = [quantile(&nats, 0.0), median(&nats), quantile(&nats, 1.0)];
    Ok(figures.map(|v| format!("{v:.1}")))
}

fn summary(changes: &[UpdatedNorm], data: &Dataset) -> [(&'static str, String); 4] {
    let ratios = changes.iter().map(|c| c.variance_ratio);
    let least = ratios.clone().map(|[least, _]| least);
    let greatest = ratios.map(|[_, greatest]| greatest);
    let shift = changes.iter().map(|c| c.largest_shift).fold(0.0, f64::max);
    [
        ("inputs", data.len().to_string()),
        ("batch norms", changes.len().to_string()),
        (
            "variances, times the stored ones",
            format!(
                "{:.3} to {:.3}",
                least.fold(f64::INFINITY, f64::min),
                greatest.fold(0.0, f64::max)
            ),
        ),
        ("means moved, deviations", format!("up to {shift:.3}")),
    ]
}
