//! What an epoch spends outside of its steps: loading, validation, files; and what dequantization
//! costs inside.

use super::case::images;
use anyhow::{Context, Result};
use flow_train_host::data::{self, Dataset, idx};
use flow_train_host::presets;
use flow_train_host::train::{self, Options, bench};
use std::path::Path;
use std::time::Instant;

/// Images of the epoch where no data are given: two seconds or so.
const IMAGES: usize = 3000;

/// Shares of an epoch's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub(super) images: usize,
    pub(super) seconds: f64,
    /// Reading the data set's file, once a run.
    pub(super) loading: f64,
    /// Validation, model, log and checkpoint: between the last step and the next epoch's first.
    pub(super) closing: f64,
    /// Dequantization and logit, done by the workers inside the steps.
    pub(super) dequantization: f64,
}

/// Trains preset `fashion-tiny` for one epoch in `directory`, on the images at `given` or on its
/// own.
pub(super) fn measure(given: Option<&Path>, directory: &Path, threads: usize) -> Result<Shares> {
    let own = directory.join("images.idx3");
    if given.is_none() {
        idx::write_images(&own, &images(IMAGES)?)?;
    }
    let start = Instant::now();
    let data = data::load(given.unwrap_or(&own))?;
    let loading = start.elapsed().as_secs_f64();
    let mut config = presets::preset("fashion-tiny", 0).context("the preset is gone")?;
    config.epochs = 1;
    let (options, run) = (
        Options {
            threads,
            resume: false,
        },
        directory.join("run"),
    );
    let summary = train::run(&config, &data, &run, options, &mut ())?;
    let record = summary.records.first().context("no epoch")?;
    let trained = data.len() as f64 * (1.0 - config.validation_fraction);
    let seconds = trained / record.items_per_second / (1.0 - record.other_share);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if threads == 0 { cores } else { threads };
    Ok(Shares {
        images: data.len(),
        seconds,
        loading: loading / seconds,
        closing: record.other_share,
        dequantization: dequantization(&data) / workers as f64 / seconds,
    })
}

/// Seconds of one core for the first latents of all images.
fn dequantization(data: &Dataset) -> f64 {
    let Dataset::Images(images) = data else {
        return 0.0;
    };
    let start = Instant::now();
    // A sum that nobody needs may be left out by the compiler.
    std::hint::black_box(bench::dequantize(images, 0.05, 1));
    start.elapsed().as_secs_f64()
}
