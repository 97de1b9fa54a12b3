//! The ratio net of a run: trained when its flow is, into the same model.

use crate::failure::CheckFailed;
use crate::{interrupt, number, progress, provenance};
use anyhow::Result;
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use flow_train_host::model::Model;
use flow_train_host::model::store::MODEL_FILE;
use flow_train_host::train::{RatioConfig, RatioReport, TrainConfig, train_ratio};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

/// What `--ratio` says: a net or none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice(pub(crate) Option<RatioConfig>);

/// Reads the flag's value.
pub(crate) fn choice(text: &str) -> Result<Choice, String> {
    let with = |steps| RatioConfig {
        steps,
        ..RatioConfig::default()
    };
    match (text, text.parse()) {
        ("off", _) => Ok(Choice(None)),
        ("default", _) => Ok(Choice(Some(RatioConfig::default()))),
        (_, Ok(steps)) if steps > 0 => Ok(Choice(Some(with(steps)))),
        _ => Err("off, default, or a number of optimizer steps".to_owned()),
    }
}

/// Trains the net that the configuration asks for, if it asks for one and the run's model has none yet. What it has learned
/// goes to the run's provenance.
pub(crate) fn train(
    config: &TrainConfig,
    data: &Dataset,
    run: &Path,
    threads: usize,
) -> Result<Option<RatioReport>> {
    let (Some(settings), Dataset::Images(images)) = (&config.ratio, data) else {
        return Ok(None);
    };
    let model = Model::load(run)?;
    if model.ratio().is_some() {
        return Ok(None);
    }
    let bar = progress::bar(settings.steps as usize, "training the ratio net");
    let interrupted = interrupt::flag();
    let mut last = None;
    let mut watch = |report: &RatioReport| {
        bar.set_position(report.step);
        last = Some(*report);
        match interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let trained = train_ratio(config, images, threads, &mut watch);
    bar.finish_and_clear();
    let Some(ratio) = trained? else {
        let place = one_line(run).to_string();
        let what =
            format!("{place}: interrupted; --resume begins the ratio net anew, with the same bits");
        return Err(CheckFailed(what).into());
    };
    let model = model.with_ratio(Some(ratio));
    model.save(&run.join(MODEL_FILE))?;
    let what = format!(
        "beside it a ratio net, {} steps against negatives of the training images ({})",
        settings.steps,
        settings.families.join(", ")
    );
    provenance::add(run, &what)?;
    Ok(last)
}

/// What a report says, in words.
pub(crate) fn described(report: &RatioReport) -> String {
    let auroc = report
        .auroc
        .map_or(String::new(), |a| format!(": AUROC {a:.4}"));
    let steps = number::count(report.step as usize, "step");
    format!("{steps}{auroc} (validation images against negatives)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_off_the_default_or_a_number_of_steps() {
        assert_eq!(choice("off"), Ok(Choice(None)));
        assert_eq!(choice("default"), Ok(Choice(Some(RatioConfig::default()))));
        assert_eq!(choice("7").unwrap().0.unwrap().steps, 7);
        for bad in ["0", "on", "-1", ""] {
            assert!(choice(bad).is_err(), "{bad}");
        }
    }
}
