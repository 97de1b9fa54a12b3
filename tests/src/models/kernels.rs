//! Models that need every kernel of the trainer, and no more: large enough for each to be chosen.

use super::NamedModel;
use super::build::{coupling, image, level, vector};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Half, Norm, Parity, ScaleMap, StepSpec,
};

/// A model, and how many inputs a batch must have for its kernels to be chosen.
#[derive(Clone, Debug)]
pub struct KernelModel {
    /// The model.
    pub named: NamedModel,
    /// Size of the batch.
    pub batch: usize,
}

/// Direct and Winograd convolutions, patches, dense layers, the passes around them.
pub fn kernel_models() -> Vec<KernelModel> {
    let odd = CouplingMask::Checkerboard { kept: Parity::Odd };
    let second = CouplingMask::Channel { kept: Half::Second };
    let resnet = |channels| ConditionerSpec::Resnet {
        channels,
        blocks: 1,
        skip: true,
        norm: Norm::None,
        bottleneck: 0,
    };
    let highway = ConditionerSpec::Highway {
        channels: 33,
        layers: 1,
    };
    let autoencoder = |channels| ConditionerSpec::Autoencoder {
        channels,
        latent: 3,
    };
    let mlp = ConditionerSpec::Mlp {
        hidden: 50,
        layers: 1,
    };
    let glow = [
        StepSpec::Squeeze,
        StepSpec::Actnorm,
        StepSpec::InvertibleLinear,
        paper(second, highway),
    ];
    let model = |name: &str, spec, batch| KernelModel {
        named: NamedModel::random(format!("kernels: {name}"), spec),
        batch,
    };
    vec![
        model("narrow resnet", square(9, &[paper(odd, resnet(7))]), 3),
        model("wide resnet", square(24, &[paper(odd, resnet(40))]), 2),
        model("glow", square(28, &glow), 20),
        model(
            "autoencoder",
            square(14, &[paper(odd, autoencoder([16, 18, 16, 5]))]),
            5,
        ),
        model(
            "wide autoencoder",
            square(14, &[paper(odd, autoencoder([32, 34, 16, 5]))]),
            5,
        ),
        model("dense", vector(37, &[paper(second, mlp)]), 150),
    ]
}

fn paper(mask: CouplingMask, conditioner: ConditionerSpec) -> StepSpec {
    coupling(
        mask,
        conditioner,
        ScaleMap::TanhBound,
        AffineForm::ShiftThenScale,
    )
}

fn square(side: u16, steps: &[StepSpec]) -> FlowSpec {
    image(1, side, side, &[level(steps)])
}
