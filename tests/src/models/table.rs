//! The table: one model for every architecture of the paper, shrunk, and for every named choice of the spec.
//!
//! A model's numbers are drawn from its name: a model may be added, but a changed one gets a new name.

use super::NamedModel;
use super::build::{coupling, image, level, vector, whitened};
use flow_infer::spec::{
    AffineForm::{ScaleThenShift, ShiftThenScale},
    ConditionerSpec, CouplingMask, FlowSpec, Half, LevelSpec, Norm, Parity, Quadrant, ScaleMap,
    StepSpec,
};

const FIRST: CouplingMask = CouplingMask::Channel { kept: Half::First };
const SECOND: CouplingMask = CouplingMask::Channel { kept: Half::Second };
const EVEN: CouplingMask = CouplingMask::Checkerboard { kept: Parity::Even };
const ODD: CouplingMask = CouplingMask::Checkerboard { kept: Parity::Odd };
const GLOW_SIGMOID: ScaleMap = ScaleMap::Sigmoid {
    offset: 2.0,
    floor: 0.0,
};
const NFLOWS_SIGMOID: ScaleMap = ScaleMap::Sigmoid {
    offset: 2.0,
    floor: 0.001,
};

/// The models, the same ones at every call.
pub fn small_models() -> Vec<NamedModel> {
    let tables = [
        realnvp(),
        masked(),
        glow(),
        conditioners(),
        vectors(),
        steps(),
    ];
    tables
        .into_iter()
        .flatten()
        .map(|(name, spec)| NamedModel::random(name, spec))
        .collect()
}

type Table = Vec<(&'static str, FlowSpec)>;

/// The paper's coupling: tanh with a learned bound, shift first.
fn paper(mask: CouplingMask, conditioner: ConditionerSpec) -> StepSpec {
    coupling(mask, conditioner, ScaleMap::TanhBound, ShiftThenScale)
}

const fn resnet(channels: u16, blocks: u8, skip: bool, norm: Norm) -> ConditionerSpec {
    ConditionerSpec::Resnet {
        channels,
        blocks,
        skip,
        norm,
        bottleneck: 0,
    }
}

const fn with_bottleneck(blocks: u8, skip: bool, norm: Norm, bottleneck: u16) -> ConditionerSpec {
    ConditionerSpec::Resnet {
        channels: 4,
        blocks,
        skip,
        norm,
        bottleneck,
    }
}

/// One scale of the paper's RealNVP: checkerboards, and unless it is the last one a squeeze and channel masks.
fn scale(conditioner: ConditionerSpec, is_last: bool) -> LevelSpec {
    let mut steps: Vec<_> = [ODD, EVEN, ODD].map(|m| paper(m, conditioner)).into();
    if is_last {
        steps.push(paper(EVEN, conditioner));
    } else {
        steps.push(StepSpec::Squeeze);
        steps.extend([SECOND, FIRST, SECOND].map(|m| paper(m, conditioner)));
    }
    level(&steps)
}

fn realnvp() -> Table {
    let scales = |conditioner, count| -> Vec<_> {
        (1..=count)
            .map(|k| scale(conditioner, k == count))
            .collect()
    };
    let skip = resnet(4, 2, true, Norm::None);
    let batch = resnet(4, 1, true, Norm::Batch);
    let plain = resnet(3, 2, false, Norm::None);
    let plain_batch = resnet(3, 1, false, Norm::Batch);
    let eight = [ODD, EVEN].repeat(4).into_iter().map(|m| paper(m, skip));
    vec![
        ("realnvp_1_scale", image(1, 6, 6, &scales(skip, 1))),
        ("realnvp_2_scales", image(1, 8, 8, &scales(skip, 2))),
        ("realnvp_3_scales_colour", image(3, 8, 8, &scales(plain, 3))),
        ("realnvp_batch_norm", image(1, 8, 8, &scales(batch, 2))),
        (
            "realnvp_no_skip_batch_norm",
            image(2, 4, 6, &scales(plain_batch, 2)),
        ),
        (
            "realnvp_8_checkerboards",
            image(1, 5, 7, &[level(&eight.collect::<Vec<_>>())]),
        ),
    ]
}

fn masked() -> Table {
    let st = resnet(4, 1, true, Norm::None);
    let cycle = |first: Quadrant, count: usize| {
        let quadrants = std::iter::successors(Some(first), |q| Some(q.next()));
        let steps: Vec<_> = quadrants
            .take(count)
            .map(|kept| paper(CouplingMask::Cycle { kept }, st))
            .collect();
        level(&steps)
    };
    let halves = |mask: fn(Half) -> CouplingMask, count: usize| {
        let kept = [Half::First, Half::Second];
        let steps: Vec<_> = (0..count).map(|k| paper(mask(kept[k % 2]), st)).collect();
        level(&steps)
    };
    let horizontal = |kept| CouplingMask::Horizontal { kept };
    let vertical = |kept| CouplingMask::Vertical { kept };
    vec![
        ("cycle", image(1, 6, 6, &[cycle(Quadrant::TopLeft, 8)])),
        (
            "cycle_odd_sides_colour",
            image(3, 5, 7, &[cycle(Quadrant::BottomRight, 4)]),
        ),
        ("horizontal_2", image(1, 6, 4, &[halves(horizontal, 2)])),
        ("horizontal_3", image(2, 5, 4, &[halves(horizontal, 3)])),
        ("vertical_2", image(1, 4, 7, &[halves(vertical, 2)])),
    ]
}

/// A level of Glow: squeeze, then steps of actnorm, invertible_linear, coupling.
fn glow_level(coupling: StepSpec, count: usize) -> LevelSpec {
    let step = [StepSpec::Actnorm, StepSpec::InvertibleLinear, coupling];
    level(&[&[StepSpec::Squeeze], step.repeat(count).as_slice()].concat())
}

fn glow() -> Table {
    let highway = ConditionerSpec::Highway {
        channels: 5,
        layers: 3,
    };
    let convnet = ConditionerSpec::Convnet {
        channels: 4,
        layers: 2,
    };
    let original = ConditionerSpec::GlowConvnet { channels: 6 };
    let flow = |channels, coupling| {
        let levels = [2, 1].map(|count| glow_level(coupling, count));
        image(channels, 8, 8, &levels)
    };
    vec![
        ("glow_highway", flow(1, paper(SECOND, highway))),
        (
            "glow_original_colour",
            flow(3, coupling(FIRST, original, GLOW_SIGMOID, ShiftThenScale)),
        ),
        (
            "glow_convnet_exp",
            flow(1, coupling(SECOND, convnet, ScaleMap::Exp, ScaleThenShift)),
        ),
        (
            "glow_nflows_sigmoid",
            flow(
                2,
                coupling(SECOND, original, NFLOWS_SIGMOID, ScaleThenShift),
            ),
        ),
    ]
}

fn conditioners() -> Table {
    let autoencoder = ConditionerSpec::Autoencoder {
        channels: [3, 4, 4, 5],
        latent: 3,
    };
    let pair = |conditioner| level(&[paper(ODD, conditioner), paper(EVEN, conditioner)]);
    let exp = |mask, conditioner| coupling(mask, conditioner, ScaleMap::Exp, ScaleThenShift);
    vec![
        ("autoencoder", image(1, 14, 14, &[pair(autoencoder)])),
        (
            "autoencoder_stride_2",
            image(1, 16, 28, &[pair(autoencoder)]),
        ),
        (
            // 29 - 4 + 1 = 26, 23, then (23 - 4) / 2 + 1 = 10 remainder 1: the way back needs output padding.
            "autoencoder_output_padding",
            image(1, 17, 29, &[level(&[exp(ODD, autoencoder)])]),
        ),
        (
            "resnet_bottleneck",
            image(1, 6, 6, &[pair(with_bottleneck(2, false, Norm::None, 3))]),
        ),
        (
            "resnet_bottleneck_batch_norm",
            image(1, 4, 6, &[pair(with_bottleneck(3, false, Norm::Batch, 2))]),
        ),
        (
            "resnet_bottleneck_skip",
            image(1, 4, 4, &[pair(with_bottleneck(1, true, Norm::None, 2))]),
        ),
        (
            "resnet_no_blocks",
            image(1, 4, 4, &[pair(resnet(4, 0, true, Norm::None))]),
        ),
        (
            "resnet_sigmoid_scale_then_shift",
            image(
                1,
                4,
                4,
                &[level(&[EVEN, ODD].map(|mask| {
                    let conditioner = resnet(4, 1, false, Norm::None);
                    coupling(mask, conditioner, NFLOWS_SIGMOID, ScaleThenShift)
                }))],
            ),
        ),
        (
            "highway_checkerboard",
            image(
                1,
                4,
                5,
                &[pair(ConditionerSpec::Highway {
                    channels: 3,
                    layers: 1,
                })],
            ),
        ),
    ]
}

fn vectors() -> Table {
    let mlp = |hidden, layers| ConditionerSpec::Mlp { hidden, layers };
    let alternating = |count: usize, conditioner| -> Vec<_> {
        [FIRST, SECOND]
            .into_iter()
            .cycle()
            .take(count)
            .map(|mask| paper(mask, conditioner))
            .collect()
    };
    let others = [
        coupling(FIRST, mlp(8, 0), ScaleMap::Exp, ScaleThenShift),
        coupling(SECOND, mlp(8, 2), NFLOWS_SIGMOID, ShiftThenScale),
    ];
    let glow = [
        StepSpec::Actnorm,
        StepSpec::InvertibleLinear,
        paper(SECOND, mlp(6, 1)),
    ];
    let library = |map: usize| {
        let map = super::LIBRARY_MAPS[map];
        let one = coupling(FIRST, mlp(8, 1), map, ScaleThenShift);
        vector(5, &[one, coupling(SECOND, mlp(6, 0), map, ShiftThenScale)])
    };
    vec![
        ("vector_2d", vector(2, &alternating(2, mlp(8, 1)))),
        ("vector_9d", vector(9, &alternating(6, mlp(16, 1)))),
        ("vector_5d_maps", vector(5, &others)),
        ("vector_sigmoid_inverse", library(0)),
        ("vector_softplus", library(1)),
        ("vector_atan", library(2)),
        ("vector_softsign", library(3)),
        (
            "vector_whitened",
            whitened(9, 4, &alternating(2, mlp(8, 1))),
        ),
        ("vector_glow", vector(7, &glow.repeat(2))),
        (
            "vector_resnet",
            vector(4, &alternating(2, resnet(4, 1, true, Norm::None))),
        ),
    ]
}

fn steps() -> Table {
    use StepSpec::{Actnorm, InvertibleLinear, Squeeze};
    vec![
        ("actnorm_alone", image(3, 2, 2, &[level(&[Actnorm])])),
        (
            "linear_alone",
            image(3, 2, 2, &[level(&[InvertibleLinear])]),
        ),
        ("vector_actnorm", vector(3, &[Actnorm])),
        (
            // Three channels leave one to the next level, and two squeezes follow each other.
            "odd_factor_out",
            image(
                3,
                8,
                4,
                &[
                    level(&[Actnorm]),
                    level(&[Squeeze, Actnorm, Squeeze, InvertibleLinear]),
                    level(&[Actnorm]),
                ],
            ),
        ),
    ]
}
