//! Statistics of batch norm, estimated anew, are those of the activations; a flow whose stored ones
//! are nobody's is healed by them.

use flow_infer::artifact::Artifact;
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, Norm, Parity, ScaleMap, StepSpec,
};
use flow_reference::{dequantize, evaluate};
use flow_tests::fixtures::{checkpoint, sample_images};
use flow_tests::models::{coupling, image, level, random_bytes, random_model};
use flow_tests::random::SplitMix64;
use flow_train_host::data::{Dataset, Images};
use flow_train_host::evaluate::score_all;
use flow_train_host::export::{file::FlowFile, float::FloatNumbers, lower::lower, pack::pack};
use flow_train_host::model::{Model, Tensor};
use flow_train_host::update_batch_norm::{BatchNormError, passes, update_batch_norm};
use std::collections::BTreeMap;

/// Of f32 activations against f64.
const CLOSE: f64 = 2e-5;
const EPSILON: f64 = 1e-5;
const SIDE: u16 = 4;
const AT: &str = "levels.0.steps.0.conditioner.";

fn steps(norm: Norm) -> [StepSpec; 2] {
    let resnet = ConditionerSpec::Resnet {
        channels: 1,
        blocks: 1,
        skip: false,
        norm,
        bottleneck: 0,
    };
    [Parity::Even, Parity::Odd].map(|kept| {
        let mask = CouplingMask::Checkerboard { kept };
        coupling(
            mask,
            resnet,
            ScaleMap::TanhBound,
            AffineForm::ShiftThenScale,
        )
    })
}

fn flow(steps: &[StepSpec], seed: &str) -> Model {
    let spec = image(1, SIDE, SIDE, &[level(steps)]);
    random_model(spec, &mut SplitMix64::named(seed)).unwrap()
}

fn images(count: usize, seed: &str) -> Images {
    let mut random = SplitMix64::named(seed);
    println!("seed {:#x}", random.seed());
    let shape = flow_infer::spec::Shape::new(1, SIDE, SIDE);
    let pixels = (0..count).flat_map(|_| random_bytes(shape, &mut random));
    Images::new(1, SIDE.into(), SIDE.into(), pixels.collect()).unwrap()
}

fn with(model: &Model, change: impl Fn(&str, &mut Tensor)) -> Model {
    let mut tensors: BTreeMap<_, _> = model.tensors().clone();
    tensors
        .iter_mut()
        .for_each(|(name, tensor)| change(name, tensor));
    Model::new(model.spec().clone(), tensors).unwrap()
}

/// Only the middle of every window is left, so that a convolution is a multiplication.
fn without_neighbours(model: &Model) -> Model {
    with(model, |name, tensor| {
        if name.ends_with(".weights") && tensor.shape[2..] == [3, 3] {
            let values = tensor.values.iter_mut().enumerate();
            values
                .filter(|(i, _)| i % 9 != 4)
                .for_each(|(_, v)| *v = 0.0);
        }
    })
}

/// The latents in front of the flow's steps: the logit of (x + 1/2) / 256 drawn towards the middle.
fn latent(byte: u8) -> f64 {
    let p = 0.05 + 0.9 * (f64::from(byte) + 0.5) / 256.0;
    (p / (1.0 - p)).ln()
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|v| (v - mean) * (v - mean));
    (mean, squares.sum::<f64>() / values.len() as f64)
}

fn assert_close(what: &str, found: f64, wanted: f64) {
    let apart = (found - wanted).abs();
    assert!(
        apart <= CLOSE * (1.0 + wanted.abs()),
        "{what}: {found}, not {wanted}"
    );
}

/// Every number of the model, of one channel and one pixel each.
struct Scalars<'m>(&'m Model);

impl Scalars<'_> {
    fn get(&self, name: &str, index: usize) -> f64 {
        self.0.values(&format!("{AT}{name}"))[index].into()
    }

    /// Checks a norm's statistics against its input and applies it.
    fn norm(&self, name: &str, values: &[f64]) -> Vec<f64> {
        let (mean, variance) = mean_and_variance(values);
        assert_close(
            &format!("{name}.mean"),
            self.get(&format!("{name}.mean"), 0),
            mean,
        );
        let found = self.get(&format!("{name}.variance"), 0);
        assert_close(&format!("{name}.variance"), found, variance);
        let (gain, offset) = (
            self.get(&format!("{name}.gain"), 0),
            self.get(&format!("{name}.offset"), 0),
        );
        let normed = values
            .iter()
            .map(|v| gain * (v - mean) / (variance + EPSILON).sqrt() + offset);
        normed.collect()
    }

    /// The middle tap from an input channel, and the bias.
    fn conv(&self, name: &str, input: usize) -> (f64, f64) {
        let (weights, bias) = (format!("{name}.weights"), format!("{name}.bias"));
        (self.get(&weights, 9 * input + 4), self.get(&bias, 0))
    }
}

#[test]
fn statistics_are_those_of_the_activations_computed_by_hand() {
    let model = without_neighbours(&flow(&steps(Norm::Batch)[..1], "by hand"));
    let images = images(21, "images of the hand");
    let (restated, changes) =
        update_batch_norm(&model, &Dataset::Images(images.clone()), &|| ()).unwrap();
    assert_eq!(changes.len(), 4);
    let scalars = Scalars(&restated);
    let kept = |i: usize| (i / usize::from(SIDE) + i % usize::from(SIDE)).is_multiple_of(2);
    let inputs: Vec<f64> = images
        .iter()
        .flat_map(|image| image.iter().enumerate())
        .map(|(i, &byte)| if kept(i) { latent(byte) } else { 0.0 })
        .collect();
    let relu = |v: f64| v.max(0.0);
    let ((up, bias), (down, _)) = (scalars.conv("in_conv", 0), scalars.conv("in_conv", 1));
    let n = scalars.norm("in_norm", &inputs);
    let h: Vec<f64> = n
        .iter()
        .map(|&v| up * relu(v) + down * relu(-v) + bias)
        .collect();
    let conv = |name: &str, values: &[f64]| -> Vec<f64> {
        let (weight, bias) = scalars.conv(name, 0);
        values.iter().map(|&v| weight * relu(v) + bias).collect()
    };
    let inner = conv("blocks.0.conv_a", &scalars.norm("blocks.0.norm_a", &h));
    let branch = conv("blocks.0.conv_b", &scalars.norm("blocks.0.norm_b", &inner));
    let sum: Vec<f64> = h.iter().zip(&branch).map(|(h, b)| h + b).collect();
    scalars.norm("out_norm", &sum);
}

#[test]
fn a_later_coupling_sees_what_the_new_numbers_of_the_first_give() {
    let steps = steps(Norm::Batch);
    let images = images(40, "images of two couplings");
    let both = flow(&steps, "two couplings");
    assert_eq!(passes(both.spec()), 8);
    let (both, _) = update_batch_norm(&both, &Dataset::Images(images.clone()), &|| ()).unwrap();
    let first = image(1, SIDE, SIDE, &[level(&steps[..1])]);
    let tensors = both.tensors().iter();
    let of_first = tensors.filter(|(name, _)| name.starts_with("levels.0.steps.0."));
    let of_first = of_first.map(|(n, t)| (n.clone(), t.clone())).collect();
    let first = Model::new(first, of_first).unwrap();
    let odd = |i: usize| (i / usize::from(SIDE) + i % usize::from(SIDE)) % 2 == 1;
    let inputs = images.iter().flat_map(|image| {
        let z = evaluate(&first, &dequantize(image, &[0.5; 16])).z;
        z.into_iter()
            .enumerate()
            .map(|(i, z)| if odd(i) { z } else { 0.0 })
    });
    let (mean, variance) = mean_and_variance(&inputs.collect::<Vec<_>>());
    let found = |part: &str| {
        f64::from(both.values(&format!("levels.0.steps.1.conditioner.in_norm.{part}"))[0])
    };
    assert_close("mean", found("mean"), mean);
    assert_close("variance", found("variance"), variance);
}

#[test]
fn once_is_enough() {
    let data = Dataset::Images(images(20, "images of once"));
    let model = flow(&steps(Norm::Batch), "once");
    let (once, _) = update_batch_norm(&model, &data, &|| ()).unwrap();
    let (twice, changes) = update_batch_norm(&once, &data, &|| ()).unwrap();
    assert_eq!(once, twice);
    assert!(changes.iter().all(|c| c.variance_ratio == [1.0, 1.0]));
}

#[test]
fn models_without_batch_norm_and_other_data_are_refused() {
    let data = Dataset::Images(images(2, "images for none"));
    let refused = |steps: &[StepSpec], data: &Dataset| {
        update_batch_norm(&flow(steps, "none"), data, &|| ()).unwrap_err()
    };
    assert_eq!(
        refused(&steps(Norm::None), &data),
        BatchNormError::NoBatchNorm
    );
    let larger = Dataset::Images(Images::new(1, 5, 4, vec![9; 40]).unwrap());
    let error = refused(&steps(Norm::Batch), &larger);
    assert!(matches!(error, BatchNormError::Run(_)), "{error}");
}

/// Mean and worst log_prob.
fn log_probs(model: &Model, data: &Dataset) -> (f64, f64) {
    let packed = pack(&lower(model), &FloatNumbers::default()).unwrap();
    let bytes = FlowFile::new(packed).to_bytes().unwrap();
    let artifact = Artifact::load(&bytes).unwrap();
    let scores = score_all(&artifact, data, &|_| None, &|| ()).unwrap();
    let found = scores
        .iter()
        .map(|s| s.log_prob_raw as f64 / (1u64 << 24) as f64);
    let mean = found.clone().sum::<f64>() / scores.len() as f64;
    (mean, found.fold(f64::INFINITY, f64::min))
}

#[test]
fn a_trained_checkpoint_whose_statistics_are_nobodys_is_healed() {
    let trained = checkpoint("realnvp_cycle.pt", "RealNVPCycleMask");
    let sample = sample_images("fashion-mnist");
    let (seen, unseen) = (sample.take(0..8), sample.take(24..40));
    // As after a training step that was too long: a variance that was not looked at since.
    let broken = with(&trained, |name, tensor| {
        if name.ends_with("norm_b.variance") {
            tensor.values.iter_mut().for_each(|v| *v *= 1e-4);
        }
    });
    let (healed, _) = update_batch_norm(&broken, &seen, &|| ()).unwrap();
    let [before, after, ideal] = [&broken, &healed, &trained].map(|m| log_probs(m, &unseen));
    println!("mean and worst nats: {before:?} broken, {after:?} healed, {ideal:?} as trained");
    assert!(before.1 < 2.0 * ideal.1, "nothing was broken");
    // Eight images are few: a tenth of a bit per dim.
    let near = 0.1 * 784.0 * std::f64::consts::LN_2;
    assert!((after.0 - ideal.0).abs() < near);
    assert!(after.1 > ideal.1 - 4.0 * near);
}
