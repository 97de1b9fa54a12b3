//! What is timed: the building blocks of the paper's flows, each with one batch.

use anyhow::{Context, Result};
use clap::ValueEnum;
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    Norm, Parity, ScaleMap, Shape, StepSpec,
};
use flow_train_host::data::{Dataset, Images, Vectors};
use flow_train_host::presets;
use flow_train_host::train::{OptimizerConfig, TrainConfig};

/// A case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(super) enum Case {
    /// One coupling of 28x28 images, resnet of 64 channels and 4 blocks, batch 32
    #[value(name = "resnet-64")]
    Resnet64,
    /// The whole flow of preset fashion-tiny (16 channels), batch 64
    #[value(name = "realnvp-16")]
    Realnvp16,
    /// The whole flow of preset realnvp-paper (64 and 128 channels), batch 32
    #[value(name = "realnvp-64")]
    Realnvp64,
    /// Actnorm, invertible 1x1, coupling at 4x14x14: highway network of 200 channels and 3 layers,
    /// batch 32
    Glow,
    /// One coupling of 28x28 images whose network is the paper's autoencoder, batch 32
    Bottleneck,
    /// One coupling of 1280 dims, two hidden layers of 512, batch 256
    Mlp,
}

impl Case {
    /// All, in the order of the table.
    pub(super) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// The case's name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Resnet64 => "resnet-64",
            Self::Realnvp16 => "realnvp-16",
            Self::Realnvp64 => "realnvp-64",
            Self::Glow => "glow",
            Self::Bottleneck => "bottleneck",
            Self::Mlp => "mlp",
        }
    }

    /// Highest ratio of step times to PyTorch's that this project asks of itself.
    pub(super) fn goal(self) -> f64 {
        match self {
            Self::Resnet64 => 0.75,
            Self::Realnvp16 | Self::Realnvp64 => 0.85,
            Self::Glow | Self::Bottleneck | Self::Mlp => 1.0,
        }
    }

    /// Steps of a turn: about half a second, so that one disturbance does not make the turn's
    /// median.
    pub(super) fn steps(self) -> usize {
        match self {
            Self::Resnet64 | Self::Realnvp16 | Self::Glow => 5,
            Self::Realnvp64 => 1,
            Self::Bottleneck => 9,
            Self::Mlp => 15,
        }
    }

    /// Items of the batch.
    pub(super) fn batch(self) -> usize {
        match self {
            Self::Realnvp16 => 64,
            Self::Mlp => 256,
            _ => 32,
        }
    }

    /// Flow and optimizer. The rate is constant and nothing is clipped, so that the other side
    /// needs nothing but Adam.
    pub(super) fn config(self) -> Result<TrainConfig> {
        let mut config = TrainConfig::new(self.spec()?);
        if self == Self::Mlp {
            config.micro_batches = 8;
        }
        config.batch = self.batch();
        config.optimizer = OptimizerConfig {
            learning_rate: 1e-4,
            warmup_steps: 0,
            final_lr_ratio: 1.0,
            clip_norm: f32::MAX,
            ..OptimizerConfig::default()
        };
        Ok(config)
    }

    fn spec(self) -> Result<FlowSpec> {
        let odd = CouplingMask::Checkerboard { kept: Parity::Odd };
        let second = CouplingMask::Channel { kept: Half::Second };
        let resnet = ConditionerSpec::Resnet {
            channels: 64,
            blocks: 4,
            skip: false,
            norm: Norm::None,
            bottleneck: 0,
        };
        let highway = ConditionerSpec::Highway {
            channels: 200,
            layers: 3,
        };
        let autoencoder = ConditionerSpec::Autoencoder {
            channels: [32, 64, 64, 128],
            latent: 100,
        };
        let mlp = ConditionerSpec::Mlp {
            hidden: 512,
            layers: 1,
        };
        let glow = [
            StepSpec::Squeeze,
            StepSpec::Actnorm,
            StepSpec::InvertibleLinear,
            coupling(second, highway),
        ];
        Ok(match self {
            Self::Realnvp16 => preset("fashion-tiny")?,
            Self::Realnvp64 => preset("realnvp-paper")?,
            Self::Resnet64 => flow(GREY_28, [coupling(odd, resnet)]),
            Self::Bottleneck => flow(GREY_28, [coupling(odd, autoencoder)]),
            Self::Glow => flow(GREY_28, glow),
            Self::Mlp => flow(InputSpec::Vector { dims: 1280 }, [coupling(second, mlp)]),
        })
    }

    /// One batch of the case's data.
    pub(super) fn data(self) -> Result<Dataset> {
        Ok(match self {
            Self::Mlp => {
                let mut numbers = Numbers(2);
                let values = (0..self.batch() * 1280).map(|_| 2.0 * numbers.next() - 1.0);
                Dataset::Vectors(Vectors::new(1280, values.collect())?)
            }
            _ => Dataset::Images(images(self.batch())?),
        })
    }
}

const GREY_28: InputSpec = InputSpec::Image {
    shape: Shape::new(1, 28, 28),
    logit_margin: 0.05,
};

fn preset(name: &str) -> Result<FlowSpec> {
    let config = presets::preset(name, 0);
    Ok(config.context("the preset is gone")?.spec)
}

fn coupling(mask: CouplingMask, conditioner: ConditionerSpec) -> StepSpec {
    StepSpec::Coupling(CouplingSpec {
        mask,
        conditioner,
        scale_map: ScaleMap::TanhBound,
        affine: AffineForm::ShiftThenScale,
    })
}

fn flow<const N: usize>(input: InputSpec, steps: [StepSpec; N]) -> FlowSpec {
    let level = LevelSpec {
        steps: steps.into_iter().collect(),
    };
    FlowSpec {
        input,
        levels: [level].into_iter().collect(),
    }
}

/// Uniform numbers for batches; quality is of no importance, repeatability is.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    /// In [0, 1).
    pub(super) fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}

/// Grey images of 28 x 28: a bright blob on black, as clothes and digits are.
pub(super) fn images(count: usize) -> Result<Images> {
    let mut numbers = Numbers(1);
    let mut pixels = Vec::with_capacity(count * 784);
    for _ in 0..count {
        let [top, left, size] = [8.0, 8.0, 60.0].map(|range| range * numbers.next());
        for at in 0..784 {
            let (y, x) = (
                (at / 28) as f32 - 10.0 - top,
                (at % 28) as f32 - 10.0 - left,
            );
            let blob = 250.0 * (-(y * y + x * x) / (20.0 + size)).exp();
            let value = if blob > 4.0 {
                blob * (0.8 + 0.2 * numbers.next())
            } else {
                0.0
            };
            pixels.push(value as u8);
        }
    }
    Ok(Images::new(1, 28, 28, pixels)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_train_host::train::bench::first_model;

    #[test]
    fn every_case_can_be_trained() {
        for case in Case::all() {
            let config = case.config().unwrap();
            config.spec.validate().unwrap();
            assert_eq!(case.data().unwrap().len(), case.batch());
        }
        let case = Case::Bottleneck;
        first_model(&case.config().unwrap(), &case.data().unwrap()).unwrap();
    }
}
