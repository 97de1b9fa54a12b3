//! Gradients of every conditioner and step.

use super::gradients::check_gradients;
use super::*;

pub(super) fn image_shape(shape: Shape) -> [usize; 3] {
    [shape.channels, shape.height, shape.width].map(usize::from)
}

fn noisy_images(count: usize, [channels, height, width]: [usize; 3]) -> Dataset {
    let mut noise = noise::Noise::new(6, noise::Purpose::Evaluate, [0, 0]);
    let pixels = (0..count * channels * height * width).map(|_| (256.0 * noise.uniform()) as u8);
    Dataset::Images(Images::new(channels, height, width, pixels.collect()).unwrap())
}

/// One level of steps.
pub(super) fn flow(shape: Shape, steps: impl IntoIterator<Item = StepSpec>) -> FlowSpec {
    FlowSpec {
        input: InputSpec::Image {
            shape,
            logit_margin: 0.05,
        },
        levels: [level(steps)].into_iter().collect(),
    }
}

/// Two couplings, each of which keeps what the other changes.
pub(super) fn pair(conditioner: ConditionerSpec) -> [StepSpec; 2] {
    [Parity::Odd, Parity::Even]
        .map(|kept| StepSpec::Coupling(coupling(CouplingMask::Checkerboard { kept }, conditioner)))
}

fn check(shape: Shape, conditioner: ConditionerSpec, seed: u64) {
    // Of smooth images whole regions would cross a kink at once, and no difference be a derivative.
    let data = noisy_images(2, image_shape(shape));
    check_gradients(&flow(shape, pair(conditioner)), &data, seed);
}

const AUTOENCODER: ConditionerSpec = ConditionerSpec::Autoencoder {
    channels: [3, 18, 4, 5],
    latent: 3,
};

#[test]
fn autoencoder_gradients_are_the_derivatives() {
    check(Shape::new(1, 14, 14), AUTOENCODER, 41);
}

#[test]
fn autoencoder_gradients_are_the_derivatives_with_whole_blocks_of_channels() {
    let autoencoder = ConditionerSpec::Autoencoder {
        channels: [16, 3, 32, 4],
        latent: 2,
    };
    check(Shape::new(1, 14, 14), autoencoder, 40);
}

#[test]
fn autoencoder_gradients_are_the_derivatives_without_patches() {
    // The second stage reads 11 x 11 pixels of 32 channels at stride 1.
    let autoencoder = ConditionerSpec::Autoencoder {
        channels: [32, 33, 3, 4],
        latent: 2,
    };
    check(Shape::new(1, 14, 14), autoencoder, 39);
}

#[test]
fn highway_gradients_are_the_derivatives() {
    let highway = ConditionerSpec::Highway {
        channels: 18,
        layers: 2,
    };
    check(Shape::new(1, 4, 6), highway, 43);
}

#[test]
fn glow_convnet_gradients_are_the_derivatives() {
    check(
        Shape::new(2, 4, 6),
        ConditionerSpec::GlowConvnet { channels: 18 },
        44,
    );
}

#[test]
fn convnet_gradients_are_the_derivatives() {
    let convnet = ConditionerSpec::Convnet {
        channels: 5,
        layers: 2,
    };
    check(Shape::new(1, 4, 6), convnet, 45);
}

/// Two levels of Glow, all channels mixed.
pub(super) fn glow(shape: Shape) -> FlowSpec {
    let kept = Half::Second;
    let highway = ConditionerSpec::Highway {
        channels: 8,
        layers: 1,
    };
    let steps = [
        StepSpec::Squeeze,
        StepSpec::Actnorm,
        StepSpec::InvertibleLinear,
        StepSpec::Coupling(coupling(CouplingMask::Channel { kept }, highway)),
    ];
    let again = steps.into_iter().chain(steps.into_iter().skip(1));
    let mut spec = flow(shape, again);
    let _ = spec.levels.push(level(steps));
    spec
}

#[test]
fn glow_gradients_are_the_derivatives() {
    let shape = Shape::new(1, 8, 8);
    let data = noisy_images(2, image_shape(shape));
    check_gradients(&glow(shape), &data, 46);
}

#[test]
fn actnorm_and_invertible_linear_serve_vectors() {
    let mut spec = vector_flow(5);
    for step in [StepSpec::InvertibleLinear, StepSpec::Actnorm] {
        spec.levels[0].steps.insert(1, step).unwrap();
    }
    check_gradients(&spec, &vectors(7, 5), 47);
}

#[test]
fn a_dense_matrix_survives_its_factors() {
    let shape = Shape::new(1, 8, 8);
    let (spec, data) = (glow(shape), images(20, 8));
    let network = Network::new(&spec, 1, Cpu::best()).unwrap();
    let numbers = network.block(&random_parameters(&network, &data, 48));
    let model = crate::model::Model::new(spec, network.tensors(&numbers)).unwrap();
    let again = network.tensors(&network.parameters(&model));
    for (name, tensor) in model.tensors() {
        for (a, b) in tensor.values.iter().zip(&again[name].values) {
            assert!((a - b).abs() < 1e-5, "{name}: {a} then {b}");
        }
    }
    let weights = network.weights(numbers);
    let pixel_noise = DequantizationNoise::Evaluation(Dequantization::Midpoint);
    let mut found = [0.0];
    network.log_prob(
        &weights,
        &data,
        &[3],
        pixel_noise,
        &mut network.pass(),
        &mut found,
    );
    let wanted = log_prob(&model, &data, Dequantization::Midpoint, 1).unwrap();
    assert!((found[0] - wanted[3]).abs() < 1e-3);
}

#[test]
fn resnets_with_a_bottleneck_have_their_gradients() {
    // Before the first block, between two, and with nothing but the bottleneck.
    for (blocks, skip) in [(1, true), (2, true), (2, false), (3, false), (0, false)] {
        let resnet = ConditionerSpec::Resnet {
            channels: 4,
            blocks,
            skip,
            norm: Norm::None,
            bottleneck: 3,
        };
        check(Shape::new(1, 4, 6), resnet, 50 + u64::from(blocks));
    }
}

#[test]
fn strides_and_output_padding_have_their_gradients() {
    // 29 - 4 + 1 = 26, 23, then (23 - 4) / 2 + 1 = 10 remainder 1.
    check(Shape::new(2, 17, 29), AUTOENCODER, 42);
}
