//! The networks that a coupling's kept part goes through.

mod autoencoder;
mod convnet;
mod glow_convnet;
mod highway;
mod mlp;
mod resnet;

use super::{Array, Parameters};
use flow_infer::spec::ConditionerSpec;

/// Outputs of the conditioner whose tensors lie at `at`: raw_scale of every changed channel, then shift of each.
pub(super) fn conditioner(spec: &ConditionerSpec, at: &Parameters<'_>, kept: &Array) -> Array {
    match *spec {
        ConditionerSpec::Resnet {
            blocks,
            skip,
            norm,
            bottleneck,
            ..
        } => resnet::Resnet {
            blocks: blocks.into(),
            skip,
            norm,
            has_bottleneck: bottleneck > 0,
        }
        .outputs(at, kept),
        ConditionerSpec::Highway { layers, .. } => highway::outputs(layers, at, kept),
        ConditionerSpec::Convnet { layers, .. } => convnet::outputs(layers, at, kept),
        ConditionerSpec::GlowConvnet { .. } => glow_convnet::outputs(at, kept),
        ConditionerSpec::Autoencoder { .. } => autoencoder::outputs(at, kept),
        ConditionerSpec::Mlp { layers, .. } => mlp::outputs(layers, at, kept),
    }
}
