//! Whole flows: gradients against differences, log_det against a Jacobian, and runs against
//! themselves.

use super::coupling::Coupling;
use super::input::DequantizationNoise;
use super::network::Network;
use super::step::{Group, Latents, Step};
use super::*;
use crate::data::{Dataset, Images, Vectors};
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Registry, Scratch};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    Norm, Parity, Quadrant, ScaleMap, Shape, StepSpec,
};
use std::ops::ControlFlow;

mod conditioners;
mod gradients;
mod negative;
mod overfit;
mod runs;
mod smoothing;

fn resnet(channels: u16, blocks: u8, skip: bool) -> ConditionerSpec {
    ConditionerSpec::Resnet {
        channels,
        blocks,
        skip,
        norm: Norm::None,
        bottleneck: 0,
    }
}

fn coupling(mask: CouplingMask, conditioner: ConditionerSpec) -> CouplingSpec {
    CouplingSpec {
        mask,
        conditioner,
        scale_map: ScaleMap::TanhBound,
        affine: AffineForm::ShiftThenScale,
    }
}

fn level(steps: impl IntoIterator<Item = StepSpec>) -> LevelSpec {
    LevelSpec {
        steps: steps.into_iter().collect(),
    }
}

const MASKS: [CouplingMask; 5] = [
    CouplingMask::Checkerboard { kept: Parity::Odd },
    CouplingMask::Channel { kept: Half::Second },
    CouplingMask::Horizontal { kept: Half::First },
    CouplingMask::Vertical { kept: Half::Second },
    CouplingMask::Cycle {
        kept: Quadrant::TopRight,
    },
];

/// Two levels, every mask, both forms, with and without skip sums, three scale maps.
fn image_flow() -> FlowSpec {
    let sigmoid = ScaleMap::Sigmoid {
        offset: 2.0,
        floor: 0.001,
    };
    let [checkerboard, channel, horizontal, vertical, cycle] = MASKS;
    let first = coupling(checkerboard, resnet(5, 2, false));
    let second = CouplingSpec {
        affine: AffineForm::ScaleThenShift,
        ..coupling(channel, resnet(18, 1, true))
    };
    let third = CouplingSpec {
        scale_map: sigmoid,
        ..coupling(horizontal, resnet(4, 0, true))
    };
    let fourth = CouplingSpec {
        scale_map: ScaleMap::Exp,
        ..coupling(vertical, resnet(4, 1, false))
    };
    let fifth = coupling(cycle, resnet(3, 2, true));
    FlowSpec {
        input: InputSpec::Image {
            shape: Shape::new(1, 8, 8),
            logit_margin: 0.05,
        },
        levels: [
            level([
                StepSpec::Coupling(first),
                StepSpec::Squeeze,
                StepSpec::Coupling(second),
                StepSpec::Coupling(third),
            ]),
            level([StepSpec::Coupling(fourth), StepSpec::Coupling(fifth)]),
        ]
        .into_iter()
        .collect(),
    }
}

fn vector_flow(dims: u16) -> FlowSpec {
    let mlp = ConditionerSpec::Mlp {
        hidden: 18,
        layers: 1,
    };
    let couplings = [Half::First, Half::Second, Half::First]
        .map(|kept| StepSpec::Coupling(coupling(CouplingMask::Channel { kept }, mlp)));
    FlowSpec {
        input: InputSpec::Vector { dims },
        levels: [level(couplings)].into_iter().collect(),
    }
}

/// Smooth ramps with noise: something that a flow can learn.
fn images(count: usize, side: usize) -> Dataset {
    images_of(count, [1, side, side])
}

fn images_of(count: usize, [channels, height, width]: [usize; 3]) -> Dataset {
    let mut noise = noise::Noise::new(3, noise::Purpose::Evaluate, [0, 0]);
    let mut pixels = Vec::new();
    for _ in 0..count {
        let (base, slope) = (80.0 + 60.0 * noise.uniform(), 16.0 * noise.uniform());
        for i in 0..channels * height * width {
            let value = base + slope * (i % width % 8) as f32 + 8.0 * noise.uniform();
            pixels.push(value as u8);
        }
    }
    Dataset::Images(Images::new(channels, height, width, pixels).unwrap())
}

/// Correlated vectors with one constant column.
fn vectors(count: usize, dims: usize) -> Dataset {
    let mut noise = noise::Noise::new(4, noise::Purpose::Evaluate, [0, 0]);
    let mut values = Vec::new();
    for _ in 0..count {
        let common = noise.normal();
        for i in 0..dims {
            let own = 0.3 * noise.normal();
            values.push(if i == 2 {
                7.0
            } else {
                10.0 * (common * common + own)
            });
        }
    }
    Dataset::Vectors(Vectors::new(dims, values).unwrap())
}

/// Random parameters everywhere, the zero-initialized layers too.
fn random_parameters(network: &Network, data: &Dataset, seed: u64) -> Vec<f32> {
    let items: Vec<usize> = (0..data.len()).collect();
    let mut flat = network.flatten(&network.initial((seed, None), data, &items));
    let mut noise = noise::Noise::new(seed, noise::Purpose::Initialize, [999, 0]);
    for entry in network
        .layout()
        .entries
        .iter()
        .filter(|e| !e.name.starts_with("input."))
    {
        for p in &mut flat[entry.range.clone()] {
            *p += 0.05 * noise.normal();
        }
    }
    flat
}
