//! Every architecture learns a few images by heart.

use super::conditioners::{flow, glow, image_shape, pair};
use super::*;

/// Ramps learned until the flow reaches `bound` bits per dim on its own 24 training images, in 300
/// steps.
fn overfit(spec: FlowSpec, bound: f64) {
    let InputSpec::Image { shape, .. } = spec.input else {
        unreachable!("flows of images only")
    };
    let mut config = TrainConfig::new(spec);
    config.epochs = 100;
    config.batch = 8;
    config.micro_batches = 2;
    config.validation_fraction = 0.0;
    config.optimizer.warmup_steps = 5;
    config.optimizer.learning_rate = 5e-3;
    config.optimizer.ema_decay = 0.9;
    let directory = tempfile::tempdir().unwrap();
    let data = images_of(24, image_shape(shape));
    let options = Options {
        threads: 2,
        resume: false,
    };
    let summary = run(&config, &data, directory.path(), options, &mut ()).unwrap();
    let (first, best) = (
        summary.records[0].validation_bits_per_dim,
        summary.best_bits_per_dim.unwrap(),
    );
    println!("{first} then {best}, bound {bound}");
    assert!(best < bound && first > bound + 0.2, "{first} then {best}");
}

/// Six couplings: a first scale lies between 1/e and e, and two would need long to leave it.
fn stack(conditioner: ConditionerSpec) -> Vec<StepSpec> {
    pair(conditioner).repeat(3)
}

const SMALL: Shape = Shape::new(1, 8, 8);

#[test]
fn a_resnet_learns_its_images() {
    overfit(flow(SMALL, stack(resnet(8, 1, true))), 4.6);
}

#[test]
fn a_highway_learns_its_images() {
    let highway = ConditionerSpec::Highway {
        channels: 8,
        layers: 1,
    };
    overfit(flow(SMALL, stack(highway)), 4.6);
}

#[test]
fn a_convnet_learns_its_images() {
    let convnet = ConditionerSpec::Convnet {
        channels: 8,
        layers: 2,
    };
    overfit(flow(SMALL, stack(convnet)), 4.6);
}

#[test]
fn a_glow_convnet_learns_its_images() {
    let convnet = ConditionerSpec::GlowConvnet { channels: 8 };
    overfit(flow(SMALL, stack(convnet)), 4.6);
}

#[test]
fn an_autoencoder_learns_its_images() {
    let autoencoder = ConditionerSpec::Autoencoder {
        channels: [4, 4, 4, 8],
        latent: 4,
    };
    overfit(flow(Shape::new(1, 14, 14), stack(autoencoder)), 4.6);
}

#[test]
fn a_resnet_with_a_bottleneck_learns_its_images() {
    let narrow = ConditionerSpec::Resnet {
        channels: 8,
        blocks: 2,
        skip: false,
        norm: Norm::None,
        bottleneck: 4,
    };
    overfit(flow(SMALL, stack(narrow)), 4.6);
}

#[test]
fn glow_learns_its_images() {
    overfit(glow(SMALL), 4.6);
}

/// A cycle mask changes every pixel only twice in eight couplings.
#[test]
fn cycle_and_half_masks_learn_their_images() {
    let [.., horizontal, _, _] = MASKS;
    let cycle = std::iter::successors(Some(Quadrant::TopLeft), |q| Some(q.next()));
    let cycle = cycle.take(8).map(|kept| CouplingMask::Cycle { kept });
    let second = CouplingMask::Horizontal { kept: Half::Second };
    let step = |mask| StepSpec::Coupling(coupling(mask, resnet(8, 1, true)));
    overfit(flow(SMALL, cycle.map(step)), 5.2);
    overfit(
        flow(SMALL, [horizontal, second].repeat(3).into_iter().map(step)),
        5.2,
    );
}
