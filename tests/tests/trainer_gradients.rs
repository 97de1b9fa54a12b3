//! The trainer's gradient of every tensor, with every instruction set, against central differences
//! of the reference's loss in f64: two implementations that share no arithmetic.
//!
//! A tensor is moved along its own gradient, where whatever that gradient lacks in length shows,
//! and along a random direction, where whatever it has too much does.

use flow_reference::numeric::Lu;
use flow_tests::models::{KernelModel, NamedModel, kernel_models, small_models};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{TRAINER_GRADIENT, Worst};
use flow_tests::training::Batch;
use flow_train_host::model::{Model, Tensor};
use flow_train_host::train::{Instructions, TrainError};
use std::collections::BTreeMap;

/// How far a number moves, in the root mean square over its tensor, the first that is straight: a
/// place or two of f32 numbers, for a relu that changes sides within a step is worth 1e-3 of a
/// gradient and more.
const STEPS: [f64; 3] = [3e-7, 1e-7, 3e-8];
/// Largest difference between the slopes forth and back, as a share of the gradient, that is no
/// such kink.
const STRAIGHT: f64 = 5e-5;
/// Inputs that small models learn from.
const ITEMS: usize = 5;

type Gradient = BTreeMap<String, Tensor>;

#[test]
fn gradients_of_every_kernel_are_the_derivatives() {
    let mut worst = Worst::of(TRAINER_GRADIENT);
    for KernelModel { named, batch } in kernel_models() {
        let declined = check(&named, batch, &mut worst);
        assert!(declined.is_none(), "{}: {declined:?}", named.name);
    }
}

#[test]
fn gradients_of_every_architecture_are_the_derivatives() {
    let mut worst = Worst::of(TRAINER_GRADIENT);
    let models = small_models();
    let trained = models
        .iter()
        .filter(|model| check(model, ITEMS, &mut worst).is_none());
    // All but batch norm and windows over vectors; `trainer.rs` lists them.
    assert!(trained.count() > 25);
}

/// Why the trainer declines the model, if it does.
fn check(named: &NamedModel, count: usize, worst: &mut Worst) -> Option<TrainError> {
    let NamedModel { name, model } = named;
    let mut random = SplitMix64::named(&format!("{name}: gradients"));
    println!("{name}: seed {:#x}", random.seed());
    let batch = Batch::random(model, count, &mut random);
    let gradients: Result<Vec<(&str, Gradient)>, TrainError> = Instructions::all()
        .into_iter()
        .map(|set| Ok((set.name(), batch.with_trainer(set, |t| t.gradient())?)))
        .collect();
    let gradients = match gradients {
        Ok(gradients) => gradients,
        Err(error) => return Some(error),
    };
    let (_, first) = &gradients[0];
    let middle = batch.loss_by_reference(model);
    for (tensor, along) in first.iter().filter(|(tensor, _)| is_trained(tensor)) {
        let length = norm(&along.values);
        assert!(length > 0.0, "{name}: {tensor} has no gradient");
        let normal: Vec<f32> = (0..along.values.len())
            .map(|_| random.normal() as f32)
            .collect();
        for (direction, values) in [("its gradient", &along.values), ("any", &normal)] {
            let slope = |step| {
                let moved = Moved::new(model, tensor, values, step);
                let losses = [&moved.back, &moved.forth].map(|m| batch.loss_by_reference(m));
                Slope { moved, losses }
            };
            let straight = |slope: &Slope| slope.kink(middle) <= STRAIGHT * length;
            let Some(slope) = STEPS.into_iter().map(slope).find(straight) else {
                panic!("{name}: {tensor} is nowhere straight along {direction}");
            };
            for (set, gradient) in &gradients {
                let exact = slope.moved.along(&gradient[tensor].values);
                let what = format!("{name}, {set}, {tensor} along {direction}");
                worst.check(what, exact / length, slope.central() / length);
            }
        }
    }
    None
}

/// Whitening and standardization are fitted before training.
fn is_trained(tensor: &str) -> bool {
    !tensor.starts_with("input.")
}

fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|&v| f64::from(v) * f64::from(v));
    squares.sum::<f64>().sqrt()
}

/// A model with one tensor moved forth and back, and how far apart that is in what is trained.
struct Moved {
    forth: Model,
    back: Model,
    by: Vec<f64>,
}

impl Moved {
    /// Moves a tensor, which in the model may have another name and form.
    fn new(model: &Model, trained: &str, direction: &[f32], step: f64) -> Self {
        let as_factors = trained.strip_suffix("factors");
        let name = as_factors.map_or(trained.to_owned(), |at| format!("{at}weights"));
        let scale = step * (direction.len() as f64).sqrt() / norm(direction);
        let [forth, back] = [scale, -scale].map(|scale| {
            let mut tensors = model.tensors().clone();
            let values = &mut tensors.get_mut(&name).expect("a tensor").values;
            for (v, d) in values.iter_mut().zip(direction) {
                *v = (f64::from(*v) + scale * f64::from(*d)) as f32;
            }
            Model::new(model.spec().clone(), tensors).expect("a moved model")
        });
        let trained = |model: &Model| -> Vec<f64> {
            let values = model.values(&name).iter().map(|&v| v.into()).collect();
            match as_factors {
                Some(_) => Lu::new(values, direction.len().isqrt()).with_logarithms(),
                None => values,
            }
        };
        let by = trained(&forth).into_iter().zip(trained(&back));
        Self {
            by: by.map(|(f, b)| f - b).collect(),
            forth,
            back,
        }
    }

    fn length(&self) -> f64 {
        self.by.iter().map(|d| d * d).sum::<f64>().sqrt()
    }

    /// The slope from back to forth by a gradient.
    fn along(&self, gradient: &[f32]) -> f64 {
        let product = self.by.iter().zip(gradient).map(|(d, &g)| d * f64::from(g));
        product.sum::<f64>() / self.length()
    }
}

/// The slope along a direction, by the losses at both ends.
struct Slope {
    moved: Moved,
    losses: [f64; 2],
}

impl Slope {
    fn central(&self) -> f64 {
        let [back, forth] = self.losses;
        (forth - back) / self.moved.length()
    }

    /// How much more the loss rises forth than it falls back, per length.
    fn kink(&self, middle: f64) -> f64 {
        let [back, forth] = self.losses;
        (forth + back - 2.0 * middle).abs() / self.moved.length()
    }
}
