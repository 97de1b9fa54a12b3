//! The census: every named choice of the spec, and which of them a model uses.
//!
//! The lists are made from patterns of a `match` without a wildcard. A new variant of the spec therefore does not
//! compile here until it has a name, and a name without a small model fails the test `every_op_is_tested`.

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, Norm,
    Parity, Quadrant, ScaleMap, StepSpec,
};
use std::collections::BTreeSet;

macro_rules! census {
    ($(#[$doc:meta])* $function:ident($type:ty) in $list:ident: $($pattern:pat => $name:literal,)* $(; $outside:pat => $why:literal)?) => {
        $(#[$doc])*
        const $list: &[&str] = &[$($name),*];

        #[deny(unreachable_patterns)]
        const fn $function(choice: &$type) -> &'static str {
            match choice {
                $($pattern => $name,)*
                $($outside => $why,)?
            }
        }
    };
}

census! { input(InputSpec) in INPUTS:
    InputSpec::Image { .. } => "input: image",
    InputSpec::Vector { .. } => "input: vector",
    InputSpec::Whitened { .. } => "input: vector, whitened",
}

census! { step(StepSpec) in STEPS:
    StepSpec::Squeeze => "step: squeeze",
    StepSpec::Actnorm => "step: actnorm",
    StepSpec::InvertibleLinear => "step: invertible_linear",
    StepSpec::Coupling(_) => "step: coupling",
}

census! { mask(CouplingMask) in MASKS:
    CouplingMask::Checkerboard { kept: Parity::Even } => "mask: checkerboard, even kept",
    CouplingMask::Checkerboard { kept: Parity::Odd } => "mask: checkerboard, odd kept",
    CouplingMask::Channel { kept: Half::First } => "mask: channel, first kept",
    CouplingMask::Channel { kept: Half::Second } => "mask: channel, second kept",
    CouplingMask::Horizontal { kept: Half::First } => "mask: horizontal, upper kept",
    CouplingMask::Horizontal { kept: Half::Second } => "mask: horizontal, lower kept",
    CouplingMask::Vertical { kept: Half::First } => "mask: vertical, left kept",
    CouplingMask::Vertical { kept: Half::Second } => "mask: vertical, right kept",
    CouplingMask::Cycle { kept: Quadrant::TopLeft } => "mask: cycle, top left kept",
    CouplingMask::Cycle { kept: Quadrant::TopRight } => "mask: cycle, top right kept",
    CouplingMask::Cycle { kept: Quadrant::BottomRight } => "mask: cycle, bottom right kept",
    CouplingMask::Cycle { kept: Quadrant::BottomLeft } => "mask: cycle, bottom left kept",
    ; CouplingMask::Whole => "no coupling's mask"
}

census! { conditioner(ConditionerSpec) in CONDITIONERS:
    ConditionerSpec::Resnet { bottleneck: 0, skip: false, norm: Norm::None, .. } => "conditioner: resnet",
    ConditionerSpec::Resnet { bottleneck: 0, skip: true, norm: Norm::None, .. } => "conditioner: resnet, skip",
    ConditionerSpec::Resnet { bottleneck: 0, skip: false, norm: Norm::Batch, .. } => "conditioner: resnet, batch",
    ConditionerSpec::Resnet { bottleneck: 0, skip: true, norm: Norm::Batch, .. } => "conditioner: resnet, skip, batch",
    ConditionerSpec::Resnet { bottleneck: 1.., skip: false, norm: Norm::None, .. } =>
        "conditioner: resnet, bottleneck",
    ConditionerSpec::Resnet { bottleneck: 1.., skip: false, norm: Norm::Batch, .. } =>
        "conditioner: resnet, bottleneck, batch",
    ConditionerSpec::Resnet { bottleneck: 1.., skip: true, norm: _, .. } => "conditioner: resnet, bottleneck, skip",
    ConditionerSpec::Highway { .. } => "conditioner: highway",
    ConditionerSpec::Convnet { .. } => "conditioner: convnet",
    ConditionerSpec::GlowConvnet { .. } => "conditioner: glow_convnet",
    ConditionerSpec::Autoencoder { .. } => "conditioner: autoencoder",
    ConditionerSpec::Mlp { .. } => "conditioner: mlp",
}

census! { scale_map(ScaleMap) in SCALE_MAPS:
    ScaleMap::TanhBound => "scale map: tanh_bound",
    ScaleMap::AtanBound => "scale map: atan_bound",
    ScaleMap::SoftsignBound => "scale map: softsign_bound",
    ScaleMap::SigmoidInverse { .. } => "scale map: sigmoid_inverse",
    ScaleMap::Softplus { .. } => "scale map: softplus",
    ScaleMap::Exp => "scale map: exp",
    ScaleMap::Sigmoid { .. } => "scale map: sigmoid",
}

census! { affine(AffineForm) in AFFINE_FORMS:
    AffineForm::ShiftThenScale => "affine: shift_then_scale",
    AffineForm::ScaleThenShift => "affine: scale_then_shift",
}

/// Every choice that the spec names.
pub fn all_choices() -> BTreeSet<&'static str> {
    [INPUTS, STEPS, MASKS, CONDITIONERS, SCALE_MAPS, AFFINE_FORMS]
        .concat()
        .into_iter()
        .collect()
}

/// The choices of one flow.
pub fn choices(spec: &FlowSpec) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::from([input(&spec.input)]);
    for placed in spec.steps() {
        found.insert(step(&placed.step));
        if let StepSpec::Coupling(coupling) = &placed.step {
            found.extend(coupling_choices(coupling));
        }
    }
    found
}

/// The choices of one coupling: mask, conditioner, scale map, affine form.
pub fn coupling_choices(coupling: &CouplingSpec) -> [&'static str; 4] {
    let CouplingSpec {
        mask: m,
        conditioner: c,
        scale_map: s,
        affine: a,
    } = coupling;
    [mask(m), conditioner(c), scale_map(s), affine(a)]
}
