//! The trainer's log_prob against the reference.

use flow_reference::{dequantize, evaluate};
use flow_tests::coverage;
use flow_tests::implementations::{item, random_dataset};
use flow_tests::models::{self, NamedModel};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{TRAINER_LOG_PROB, Worst};
use flow_train_host::data::Dataset;
use flow_train_host::train::{Dequantization, TrainError, log_prob};

const ITEMS: usize = 8;

/// A model that the trainer declines for its shape: windows of 3 x 3 over vectors.
const UNTRAINABLE_MODEL: &str = "vector_resnet";
/// What the trainer declines: stored statistics, which only converted models have.
const UNTRAINABLE: &[&str] = &[
    "conditioner: resnet, batch",
    "conditioner: resnet, bottleneck, batch",
    "conditioner: resnet, skip, batch",
];

#[test]
fn the_trainer_agrees_on_every_small_model() {
    check(models::small_models());
}

#[test]
fn the_trainer_agrees_on_every_legal_coupling() {
    check(models::single_couplings());
}

#[test]
fn the_trainer_adds_given_noise() {
    let mut worst = Worst::of(TRAINER_LOG_PROB);
    for NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: noise for the trainer"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_dataset(&model, ITEMS, &mut random);
        let Dataset::Images(images) = &data else {
            continue;
        };
        let noise: Vec<f32> = images
            .pixels()
            .iter()
            .map(|_| random.uniform() as f32)
            .collect();
        let Ok(found) = log_prob(&model, &data, Dequantization::Given(&noise), 1) else {
            continue;
        };
        for (i, bytes) in images.iter().enumerate() {
            let noise = noise[i * bytes.len()..][..bytes.len()]
                .iter()
                .map(|&u| u.into());
            let wanted = evaluate(&model, &dequantize(bytes, &noise.collect::<Vec<f64>>()));
            worst.check(format!("{name}, item {i}"), found[i], wanted.log_prob_nats);
        }
    }
}

/// Compares what can be trained; what has a listed choice, and nothing else, must be declined.
fn check(models: Vec<NamedModel>) {
    let mut worst = Worst::of(TRAINER_LOG_PROB);
    for NamedModel { name, model } in models {
        let mut random = SplitMix64::named(&format!("{name}: trainer"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_dataset(&model, ITEMS, &mut random);
        let choices = coverage::choices(model.spec());
        let listed =
            name == UNTRAINABLE_MODEL || UNTRAINABLE.iter().any(|choice| choices.contains(choice));
        let found = match log_prob(&model, &data, Dequantization::Midpoint, 1) {
            Err(TrainError::Untrainable(_)) if listed => continue,
            Ok(_) if listed => panic!("{name} can be trained: shorten the list"),
            found => found.unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        for (i, &found) in found.iter().enumerate() {
            let wanted = evaluate(&model, &item(&data, i)).log_prob_nats;
            worst.check(format!("{name}, item {i}"), found, wanted);
        }
    }
}
