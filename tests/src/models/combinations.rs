//! Every legal coupling: conditioner x mask x scale map x affine form, alone in a flow of one step.

use super::{NamedModel, build};
use crate::coverage::coupling_choices;
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, Norm, Parity,
    Quadrant, ScaleMap, StepSpec,
};

/// Some 600 models of one coupling each, all of them distinct in at least one named choice.
pub fn single_couplings() -> Vec<NamedModel> {
    let mut models = Vec::new();
    for conditioner in conditioners() {
        for mask in masks() {
            for scale_map in scale_maps(conditioner) {
                for affine in [AffineForm::ShiftThenScale, AffineForm::ScaleThenShift] {
                    let coupling = CouplingSpec {
                        mask,
                        conditioner,
                        scale_map,
                        affine,
                    };
                    let spec = smallest_flow(coupling);
                    if spec.validate().is_ok() {
                        let name = coupling_choices(&coupling).join(", ");
                        models.push(NamedModel::random(name, spec));
                    }
                }
            }
        }
    }
    models
}

/// The coupling on an input just large enough for it; odd sides, so that halves differ.
fn smallest_flow(coupling: CouplingSpec) -> FlowSpec {
    let step = [StepSpec::Coupling(coupling)];
    let channels = if coupling.mask.is_spatial() { 1 } else { 2 };
    match coupling.conditioner {
        ConditionerSpec::Mlp { .. } => build::vector(5, &step),
        ConditionerSpec::Autoencoder { .. } => {
            build::image(channels, 13, 14, &[build::level(&step)])
        }
        _ => build::image(channels + 1, 3, 4, &[build::level(&step)]),
    }
}

fn masks() -> Vec<CouplingMask> {
    let halves = [Half::First, Half::Second];
    let parities = [Parity::Even, Parity::Odd];
    let mut quadrants = vec![Quadrant::TopLeft];
    quadrants.extend([quadrants[0].next(), quadrants[0].next().next()]);
    quadrants.push(quadrants[2].next());
    let mut masks: Vec<_> = quadrants
        .into_iter()
        .map(|kept| CouplingMask::Cycle { kept })
        .collect();
    masks.extend(parities.map(|kept| CouplingMask::Checkerboard { kept }));
    for kept in halves {
        masks.push(CouplingMask::Channel { kept });
        masks.push(CouplingMask::Horizontal { kept });
        masks.push(CouplingMask::Vertical { kept });
    }
    masks
}

fn conditioners() -> Vec<ConditionerSpec> {
    let resnet = |skip, norm, bottleneck| ConditionerSpec::Resnet {
        channels: 3,
        blocks: 2,
        skip,
        norm,
        bottleneck,
    };
    vec![
        resnet(false, Norm::None, 0),
        resnet(true, Norm::None, 0),
        resnet(false, Norm::Batch, 0),
        resnet(true, Norm::Batch, 0),
        resnet(false, Norm::None, 2),
        resnet(false, Norm::Batch, 2),
        resnet(true, Norm::None, 2),
        ConditionerSpec::Highway {
            channels: 3,
            layers: 2,
        },
        ConditionerSpec::Convnet {
            channels: 3,
            layers: 2,
        },
        ConditionerSpec::GlowConvnet { channels: 4 },
        ConditionerSpec::Autoencoder {
            channels: [2, 3, 2, 3],
            latent: 2,
        },
        ConditionerSpec::Mlp {
            hidden: 6,
            layers: 1,
        },
    ]
}

/// Those of the paper, Glow and nflows; other libraries' too with the smallest conditioner.
fn scale_maps(conditioner: ConditionerSpec) -> Vec<ScaleMap> {
    let mut maps = vec![
        ScaleMap::TanhBound,
        ScaleMap::Exp,
        ScaleMap::Sigmoid {
            offset: 2.0,
            floor: 0.001,
        },
    ];
    if let ConditionerSpec::Mlp { .. } = conditioner {
        maps.extend(super::LIBRARY_MAPS);
    }
    maps
}
