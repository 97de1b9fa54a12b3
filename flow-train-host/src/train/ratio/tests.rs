//! The net's gradient against finite differences, and what it learns.

use super::batch::{Example, Workers};
use super::*;
use crate::nn::Weights;
use crate::presets;
use crate::train::RatioConfig;
use flow_infer::spec::FlowSpec;

/// Bright squares on black, some larger, with a gradient so that no symmetry hides anything.
fn squares(count: usize, [c, side]: [usize; 2], seed: u64) -> Images {
    let mut noise = Noise::new(seed, Purpose::Sample, [0, 0]);
    let mut pixels = Vec::new();
    for _ in 0..count {
        let half = 2.0 + noise.uniform() * (side as f32 / 4.0);
        for at in 0..c * side * side {
            let [y, x] = [at / side % side, at % side].map(|i| i as f32 - side as f32 / 2.0);
            let inside = y.abs().max(x.abs()) < half;
            pixels.push(if inside {
                (120.0 + 3.0 * y + 2.0 * x) as u8
            } else {
                0
            });
        }
    }
    Images::new(c, side, side, pixels).unwrap()
}

fn config([c, side]: [usize; 2], ratio: RatioConfig) -> TrainConfig {
    let mut config = presets::preset("fashion-bottleneck", 0).unwrap();
    let shape = Shape::new(c as u16, side as u16, side as u16);
    let input = InputSpec::Image {
        shape,
        logit_margin: 0.05,
    };
    config.spec = FlowSpec {
        input,
        ..config.spec
    };
    config.ratio = Some(ratio);
    config
}

fn quick(steps: u64) -> RatioConfig {
    RatioConfig {
        steps,
        batch: 16,
        ..RatioConfig::default()
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    for shape in [[1, 28], [3, 16], [2, 6]] {
        let (images, config) = (squares(6, shape, 3), config(shape, quick(1)));
        let training = Training::new(&config, &images, 2).unwrap().unwrap();
        let negatives = training.negatives(&images, 0);
        let examples = examples(0..images.len(), [&images, &negatives]);
        let noise = DequantizationNoise::Evaluation(Dequantization::Midpoint);
        let latent = |e: Example<'_>| training.first_latent(e, noise);
        let mut numbers = training.initial();
        // The last layer, too, must say something.
        let seed = 0x5EED_0A71;
        println!("{shape:?}: seed {seed:#x}");
        let mut random = Noise::new(seed, Purpose::Sample, [1, 0]);
        for layer in training.net.layers() {
            let mut values = vec![0.0; layer.weights() + layer.biases()];
            layer.get(&numbers, &mut values);
            values.iter_mut().for_each(|v| *v += 0.05 * random.normal());
            layer.set(&values, &mut numbers);
        }
        let mut workers = Workers::new(&training.net, &training.layout, &training.pool);
        let mut loss = |numbers: &Numbers| {
            let weights = training.with_backward(numbers.clone());
            let (loss, gradient) = workers.gradient(&weights, training.cpu, &examples, latent);
            (loss, gradient.clone())
        };
        let (_, gradient) = loss(&numbers);
        let mut checked = 0;
        for layer in training.net.layers() {
            let count = layer.weights() + layer.biases();
            let mut slopes = vec![0.0; count];
            layer.get(&gradient, &mut slopes);
            // The steepest parameters, the last bias among them, where f32 leaves the difference some digits.
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|&a, &b| slopes[b].abs().total_cmp(&slopes[a].abs()));
            for &at in order.iter().take(4).chain([&(count - 1)]) {
                let moved = |by: f32| {
                    let (mut all, mut values) = (numbers.clone(), vec![0.0; count]);
                    layer.get(&all, &mut values);
                    values[at] += by;
                    layer.set(&values, &mut all);
                    all
                };
                let step = 1e-3f32;
                let found =
                    (loss(&moved(step)).0 - loss(&moved(-step)).0) / (2.0 * f64::from(step));
                let slope = f64::from(slopes[at]);
                let bound = 1e-2 * slope.abs() + 4e-3;
                assert!((found - slope).abs() < bound, "{shape:?}: {found} {slope}");
                checked += 1;
            }
        }
        assert!(checked >= 10);
    }
}

fn logits(ratio_of: &TrainConfig, images: &Images, numbers: &Numbers) -> Vec<f64> {
    let training = Training::new(ratio_of, images, 1).unwrap().unwrap();
    let workers = Workers::new(&training.net, &training.layout, &training.pool);
    let weights = Weights {
        numbers: numbers.clone(),
        backward: Vec::new(),
    };
    let noise = DequantizationNoise::Evaluation(Dequantization::Midpoint);
    let examples = examples(0..images.len(), [images, images]);
    let latent = |e: Example<'_>| training.first_latent(e, noise);
    let found = workers.logits(&weights, training.cpu, &examples, latent);
    found[..images.len()].to_vec()
}

#[test]
fn it_begins_by_saying_nothing() {
    let shape = [1, 12];
    let (images, config) = (squares(5, shape, 1), config(shape, quick(1)));
    let training = Training::new(&config, &images, 1).unwrap().unwrap();
    let found = logits(&config, &images, &training.initial());
    assert_eq!(found, vec![0.0; 5]);
}

#[test]
fn it_learns_with_the_same_bits_on_any_number_of_threads() {
    let shape = [1, 14];
    let images = squares(240, shape, 7);
    let config = config(shape, quick(120));
    let train = |threads| {
        let mut last = None;
        let mut watch = |report: &RatioReport| {
            last = Some(*report);
            ControlFlow::Continue(())
        };
        let ratio = train_ratio(&config, &images, threads, &mut watch).unwrap();
        (ratio.unwrap(), last.unwrap())
    };
    let (ratio, report) = train(1);
    let auroc = report.auroc.unwrap();
    println!("AUROC {auroc}, loss {}", report.loss_nats);
    assert_eq!(report.step, 120);
    assert!(auroc > 0.95 && report.loss_nats < 0.45, "{report:?}");
    assert_eq!(train(3).0, ratio);
}

#[test]
fn it_can_be_broken_off_and_refuses_what_it_cannot_train_on() {
    let shape = [1, 14];
    let images = squares(40, shape, 7);
    let run = |config: &TrainConfig, images: &Images| {
        train_ratio(config, images, 1, &mut |_: &RatioReport| {
            ControlFlow::Break(())
        })
    };
    assert_eq!(run(&config(shape, quick(5)), &images).unwrap(), None);
    let mut none = config(shape, quick(5));
    none.ratio = None;
    assert_eq!(run(&none, &images).unwrap(), None);
    let larger = run(&config([1, 16], quick(5)), &images).unwrap_err();
    assert!(matches!(larger, TrainError::Data(..)), "{larger}");
    let unknown = RatioConfig {
        families: vec!["cats".to_owned()],
        ..quick(5)
    };
    for bad in [unknown, quick(0)] {
        let error = run(&config(shape, bad), &images).unwrap_err();
        assert!(matches!(error, TrainError::Config(_)), "{error}");
    }
}
