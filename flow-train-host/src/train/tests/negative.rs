//! Negative training.

use super::runs::{config, quick};
use super::*;
use crate::model::Model;
use crate::train::directory::Given;
use crate::train::negative::Negative;
use crate::train::workers::{Batch, Workers, pool};
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

/// The loss as the trainer's header has it, from log_prob alone.
fn loss(
    workers: &Workers<'_>,
    network: &Network,
    flat: &[f32],
    [own, other]: [Batch<'_>; 2],
) -> f64 {
    let weights = network.weights(network.block(flat));
    let mean = |batch: Batch<'_>| {
        let log_prob = workers.log_prob(&weights, batch);
        log_prob.iter().sum::<f64>() / log_prob.len() as f64
    };
    (mean(other) - mean(own)) / 2.0
}

#[test]
fn the_gradient_is_that_of_the_loss() {
    let (data, negative) = (images(6, 8), flat_images(9));
    let mut config = config(image_flow());
    let network = Network::new(&config.spec, 3, Cpu::best()).unwrap();
    let flat = random_parameters(&network, &data, 31);
    let weights = network.weights(network.block(&flat));
    let pool = pool(2).unwrap();
    let mut workers = Workers::new(&network, &pool);
    let (seed, epoch, sensor) = (4, 2, None);
    let batch = Batch {
        data: &data,
        items: &[0, 1, 2, 3, 4, 5],
        pixel_noise: DequantizationNoise::Training {
            seed,
            epoch,
            sensor,
        },
        weight: 1.0,
    };
    let given = Given {
        data: &data,
        negative: Some(&negative),
    };
    let mut above = |threshold: f64| {
        config.negative_threshold_nats = Some(threshold);
        let against = Negative::new(&config, given).unwrap().unwrap();
        let likely = against.too_likely(&workers, &weights, batch, (seed, [epoch, 0], 9));
        (against, likely)
    };
    let mut all = above(f64::MIN).1;
    all.sort_unstable();
    assert_eq!(all, (0..9).collect::<Vec<_>>());
    let of_all = Batch {
        data: &negative,
        items: &all,
        ..batch
    };
    let mut log_prob = workers.log_prob(&weights, of_all);
    log_prob.sort_by(f64::total_cmp);
    // Four of nine lie above.
    let (against, likely) = above(log_prob[4]);
    assert_eq!(likely.len(), 4);
    let (own, other) = against.halves(batch, &likely);
    let (_, gradient) = workers.gradient(&weights, own, other);
    let gradient = network.flatten(gradient);
    let both = [
        batch,
        Batch {
            items: &likely,
            ..of_all
        },
    ];

    let mut noise = noise::Noise::new(5, noise::Purpose::Evaluate, [0, 0]);
    let direction: Vec<f32> = gradient.iter().map(|_| noise.normal()).collect();
    let length = direction.iter().map(|d| d * d).sum::<f32>().sqrt();
    let along = gradient.iter().zip(&direction);
    let exact = along.map(|(g, d)| f64::from(g * d / length)).sum::<f64>() / 6.0;
    let size = f64::from(gradient.iter().map(|g| g * g).sum::<f32>().sqrt()) / 6.0;
    let numeric = |h: f32| {
        let at = |sign: f32| {
            let moved = flat.iter().zip(&direction);
            let moved: Vec<f32> = moved.map(|(p, d)| p + sign * h / length * d).collect();
            loss(&workers, &network, &moved, both)
        };
        (at(1.0) - at(-1.0)) / f64::from(2.0 * h)
    };
    let errors = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3].map(|h| (numeric(h) - exact).abs() / size);
    println!("exact {exact} of {size}, relative errors {errors:?}");
    assert!(errors.into_iter().any(|error| error < 2e-3));
}

#[test]
fn families_of_negatives_are_made_of_the_training_items_and_resume() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut config = config(image_flow());
    config.negative_threshold_nats = Some(-300.0);
    config.negative_families = vec!["inverted".to_owned(), "waves".to_owned()];
    let start = |config: &TrainConfig, data: &Dataset, resume| {
        run(config, data, path, Options { threads: 2, resume }, &mut ())
    };
    let mut wrong = config.clone();
    wrong.negative_families.push("nothing".to_owned());
    let unknown = start(&wrong, &images(37, 8), false);
    assert!(matches!(unknown, Err(TrainError::Config(_))));
    wrong = config.clone();
    wrong.negative_threshold_nats = None;
    let unset = start(&wrong, &images(37, 8), false);
    assert!(matches!(unset, Err(TrainError::Config(_))));
    let options = Options {
        threads: 1,
        resume: false,
    };
    let twice = run_against(
        &config,
        &images(37, 8),
        &flat_images(9),
        path,
        options,
        &mut (),
    );
    assert!(matches!(twice, Err(TrainError::Config(_))));
    wrong = TrainConfig {
        spec: vector_flow(9),
        ..config.clone()
    };
    let of_vectors = start(&wrong, &vectors(37, 9), false);
    assert!(matches!(of_vectors, Err(TrainError::Config(_))));
    // 37 images, of which 3 validate: 34 negatives, four steps of ten.
    let summary = start(&config, &images(37, 8), false).unwrap();
    assert_eq!(summary.records.last().unwrap().steps, 12);
    assert!(start(&config, &images(37, 8), true).unwrap().finished);
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
