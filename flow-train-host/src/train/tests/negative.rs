//! Negative training.

use super::runs::{config, quick};
use super::*;
use crate::model::Model;
use std::path::Path;

/// Constant images: simpler than ramps, so a flow of ramps likes them too.
fn flat_images(count: usize) -> Dataset {
    let pixels = (0..count).flat_map(|i| vec![(90 + i % 100) as u8; 64]);
    Dataset::Images(Images::new(1, 8, 8, pixels.collect()).unwrap())
}

#[test]
fn negative_training_pushes_the_negative_items_below_the_threshold() {
    let (data, negative) = (images(96, 8), flat_images(64));
    let input = image_flow().input;
    let mut config = config(crate::presets::realnvp(input, [resnet(8, 1, false); 2]));
    config.epochs = 40;
    config.batch = 16;
    config.optimizer.learning_rate = 4e-3;
    config.optimizer.ema_decay = 0.9;
    let options = Options {
        threads: 2,
        resume: false,
    };
    let mean_of = |directory: &Path, data: &Dataset| {
        let model = Model::load(directory).unwrap();
        let log_prob = log_prob(&model, data, Dequantization::Midpoint, 2).unwrap();
        log_prob.iter().sum::<f64>() / log_prob.len() as f64
    };
    let plain = tempfile::tempdir().unwrap();
    quick(plain.path(), &data, &config, 2);
    let [ramps, flats] = [&data, &negative].map(|d| mean_of(plain.path(), d));
    let threshold = ramps - 150.0;
    assert!(flats > threshold, "{flats} against {ramps}");
    config.negative_threshold_nats = Some(threshold);
    let against = tempfile::tempdir().unwrap();
    let path = against.path();
    run_against(&config, &data, &negative, path, options, &mut ()).unwrap();
    let [ramps_after, flats_after] = [&data, &negative].map(|d| mean_of(path, d));
    println!(
        "threshold {threshold}: ramps {ramps} then {ramps_after}, flats {flats} then {flats_after}"
    );
    assert!(flats_after < threshold + 30.0 && ramps_after > threshold + 75.0);
}

#[test]
fn negative_data_and_threshold_come_together_and_count_for_a_resume() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (data, mut config) = (images(37, 8), config(image_flow()));
    let options = |resume| Options { threads: 1, resume };
    let against = |config: &TrainConfig, negative: &Dataset, resume| {
        run_against(config, &data, negative, path, options(resume), &mut ())
    };
    let unset = against(&config, &flat_images(12), false);
    assert!(matches!(unset, Err(TrainError::Config(_))));
    config.negative_threshold_nats = Some(-300.0);
    let unset = run(&config, &data, path, options(false), &mut ());
    assert!(matches!(unset, Err(TrainError::Config(_))));
    let foreign = against(&config, &vectors(12, 64), false);
    assert!(matches!(foreign, Err(TrainError::Negative(..))));
    let summary = against(&config, &flat_images(12), false).unwrap();
    // 12 items are two steps of 10, where the data alone would be four.
    assert_eq!(summary.records.last().unwrap().steps, 6);
    let other = against(&config, &flat_images(13), true);
    assert!(matches!(other, Err(TrainError::Changed(_, "data set"))));
    assert!(against(&config, &flat_images(12), true).unwrap().finished);
}
