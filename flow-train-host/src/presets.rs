//! Named training configurations.

use crate::train::{RatioConfig, Sensor, TrainConfig};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    Norm, Parity, Quadrant, ScaleMap, Shape, StepSpec,
};

/// Names of the presets, with what each is.
pub const NAMES: [(&str, &str); 7] = [
    (
        "fashion-tiny",
        "RealNVP on 28x28 grey images, 16 channels: fits 256 KiB flash",
    ),
    (
        "fashion-bottleneck",
        "RealNVP on squeezed 28x28 grey images whose conditioners compress to 10 numbers: fits 256 KiB flash",
    ),
    (
        "realnvp-paper",
        "RealNVP on 28x28 grey images as in the paper: 64 channels, 6 blocks, skip sums",
    ),
    (
        "glow-tiny",
        "Glow on 28x28 grey images, 16 channels: two levels of four steps, highway conditioners",
    ),
    (
        "half-masks",
        "three couplings of upper and lower halves, 24 channels: shows how couplings co-adapt",
    ),
    (
        "cycle-masks",
        "eight couplings that rewrite a quadrant from the one before, 16 channels",
    ),
    (
        "vector-small",
        "coupling flow with dense conditioners for vectors of any dimension",
    ),
];

/// The preset of a name; `dims` is the dimension of the data, which vector presets take over.
pub fn preset(name: &str, dims: u16) -> Option<TrainConfig> {
    match name {
        "fashion-tiny" => Some(fashion_tiny()),
        "fashion-bottleneck" => Some(fashion_bottleneck()),
        "realnvp-paper" => Some(realnvp_paper()),
        "glow-tiny" => Some(glow_tiny()),
        "half-masks" => Some(half_masks()),
        "cycle-masks" => Some(cycle_masks()),
        "vector-small" => Some(vector_small(dims)),
        _ => None,
    }
}

const GREY_28: InputSpec = InputSpec::Image {
    shape: Shape::new(1, 28, 28),
    logit_margin: 0.05,
};

fn fashion_tiny() -> TrainConfig {
    let conditioner = resnet(16, 2, false);
    let spec = realnvp(GREY_28, [conditioner; 2]);
    let mut config = TrainConfig::new(spec);
    config.epochs = 30;
    config.optimizer.learning_rate = 2e-3;
    config
}

fn fashion_bottleneck() -> TrainConfig {
    let conditioner = ConditionerSpec::Autoencoder {
        channels: [8, 8, 12, 16],
        latent: 10,
    };
    let spec = squeezed_realnvp(GREY_28, conditioner);
    let mut config = TrainConfig::new(spec);
    config.epochs = 30;
    config.optimizer.learning_rate = 2e-3;
    // It costs clean images nothing, and frames of a camera need it: records/camera.md, records/ratio.md.
    config.sensor = Some(Sensor::default());
    config.ratio = Some(RatioConfig::default());
    config
}

fn realnvp_paper() -> TrainConfig {
    let spec = realnvp(GREY_28, [resnet(64, 6, true), resnet(128, 6, true)]);
    let mut config = TrainConfig::new(spec);
    config.epochs = 80;
    config.batch = 32;
    config.optimizer.learning_rate = 5e-4;
    config
}

fn glow_tiny() -> TrainConfig {
    let highway = ConditionerSpec::Highway {
        channels: 16,
        layers: 2,
    };
    let kept = Half::Second;
    let mut level = LevelSpec::default();
    push(&mut level, StepSpec::Squeeze);
    for _ in 0..4 {
        push(&mut level, StepSpec::Actnorm);
        push(&mut level, StepSpec::InvertibleLinear);
        push(
            &mut level,
            coupling(CouplingMask::Channel { kept }, highway),
        );
    }
    let mut config = TrainConfig::new(flow(GREY_28, [level.clone(), level]));
    config.epochs = 30;
    config
}

fn half_masks() -> TrainConfig {
    let halves = [Half::First, Half::Second, Half::First];
    let masks = halves.map(|kept| CouplingMask::Horizontal { kept });
    let mut config = masked(&masks, resnet(24, 2, false));
    config.epochs = 2;
    config
}

fn cycle_masks() -> TrainConfig {
    let clockwise = [
        Quadrant::TopLeft,
        Quadrant::TopRight,
        Quadrant::BottomRight,
        Quadrant::BottomLeft,
    ];
    let masks = clockwise.map(|kept| CouplingMask::Cycle { kept });
    masked(&[masks, masks].concat(), resnet(16, 2, false))
}

/// One coupling for each mask, on one level.
fn masked(masks: &[CouplingMask], conditioner: ConditionerSpec) -> TrainConfig {
    let mut level = LevelSpec::default();
    for &mask in masks {
        push(&mut level, coupling(mask, conditioner));
    }
    let mut config = TrainConfig::new(flow(GREY_28, [level]));
    config.epochs = 30;
    config.optimizer.learning_rate = 2e-3;
    config
}

fn vector_small(dims: u16) -> TrainConfig {
    let mut level = LevelSpec::default();
    for layer in 0..6 {
        let kept = if layer % 2 == 0 {
            Half::First
        } else {
            Half::Second
        };
        let conditioner = ConditionerSpec::Mlp {
            hidden: 64,
            layers: 1,
        };
        push(
            &mut level,
            coupling(CouplingMask::Channel { kept }, conditioner),
        );
    }
    let mut config = TrainConfig::new(flow(InputSpec::Vector { dims }, [level]));
    config.batch = 256;
    config.micro_batches = 8;
    config.epochs = 50;
    config
}

pub(crate) const fn resnet(channels: u16, blocks: u8, skip: bool) -> ConditionerSpec {
    ConditionerSpec::Resnet {
        channels,
        blocks,
        skip,
        norm: Norm::None,
        bottleneck: 0,
    }
}

pub(crate) const fn coupling(mask: CouplingMask, conditioner: ConditionerSpec) -> StepSpec {
    StepSpec::Coupling(CouplingSpec {
        mask,
        conditioner,
        scale_map: ScaleMap::TanhBound,
        affine: AffineForm::ShiftThenScale,
    })
}

pub(crate) fn push(level: &mut LevelSpec, step: StepSpec) {
    // Presets are far below the capacity; validation of the config would catch a lost step's shape.
    let _ = level.steps.push(step);
}

/// The paper's two-scale RealNVP: three checkerboard couplings, squeeze, three channel couplings,
/// factor_out, four checkerboard couplings. The first conditioner serves the full size, the second
/// the half.
pub(crate) fn realnvp(input: InputSpec, [large, small]: [ConditionerSpec; 2]) -> FlowSpec {
    let (even, odd) = (Parity::Even, Parity::Odd);
    let mut first = LevelSpec::default();
    push_checkerboards(&mut first, &[odd, even, odd], large);
    push(&mut first, StepSpec::Squeeze);
    push_channels(
        &mut first,
        &[Half::Second, Half::First, Half::Second],
        small,
    );
    let mut last = LevelSpec::default();
    push_checkerboards(&mut last, &[odd, even, odd, even], small);
    flow(input, [first, last])
}

/// RealNVP without couplings of the full size: squeeze, four channel couplings, factor_out, four checkerboard couplings.
///
/// With bottleneck conditioners it knows perturbed images as well as [`realnvp`], at two fifths of the multiplies
/// (`records/smaller-gate.md`).
pub(crate) fn squeezed_realnvp(input: InputSpec, conditioner: ConditionerSpec) -> FlowSpec {
    let (even, odd) = (Parity::Even, Parity::Odd);
    let kept = [Half::Second, Half::First, Half::Second, Half::First];
    let mut first = LevelSpec::default();
    push(&mut first, StepSpec::Squeeze);
    push_channels(&mut first, &kept, conditioner);
    let mut last = LevelSpec::default();
    push_checkerboards(&mut last, &[odd, even, odd, even], conditioner);
    flow(input, [first, last])
}

fn push_checkerboards(level: &mut LevelSpec, all: &[Parity], conditioner: ConditionerSpec) {
    for &kept in all {
        push(
            level,
            coupling(CouplingMask::Checkerboard { kept }, conditioner),
        );
    }
}

fn push_channels(level: &mut LevelSpec, all: &[Half], conditioner: ConditionerSpec) {
    for &kept in all {
        push(level, coupling(CouplingMask::Channel { kept }, conditioner));
    }
}

pub(crate) fn flow<const N: usize>(input: InputSpec, levels: [LevelSpec; N]) -> FlowSpec {
    FlowSpec {
        input,
        levels: levels.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tensors::tensor_list;

    #[test]
    fn every_preset_is_valid_and_keeps_its_steps() {
        for (name, _) in NAMES {
            let config = preset(name, 10).unwrap();
            config.spec.validate().unwrap();
            let steps: usize = config.spec.levels.iter().map(|l| l.steps.len()).sum();
            let wanted = match name {
                "vector-small" => 6,
                "half-masks" => 3,
                "cycle-masks" => 8,
                "fashion-bottleneck" => 9,
                "glow-tiny" => 2 * (1 + 4 * 3),
                _ => 11,
            };
            assert_eq!(steps, wanted);
        }
        assert!(preset("nothing", 10).is_none());
    }

    #[test]
    fn the_device_presets_fit_their_flash() {
        for (config, kibibytes) in [(fashion_tiny(), 130), (fashion_bottleneck(), 170)] {
            let tensors = tensor_list(&config.spec);
            let lens = tensors.iter().map(|t| t.shape.iter().product::<usize>());
            let bytes = lens.sum::<usize>();
            assert!(bytes < kibibytes * 1024, "{bytes}, one byte each");
        }
    }

    #[test]
    fn configs_survive_json() {
        let config = fashion_tiny();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TrainConfig>(&json).unwrap(), config);
    }
}
