//! Specs in a notation short enough for a table.

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, InputSpec, LevelSpec,
    MAX_LEVELS, MAX_STEPS, ScaleMap, Shape, StepSpec,
};

/// The paper's distance of p from 0 and 1.
const LOGIT_MARGIN: f32 = 0.05;

/// A flow on images.
///
/// # Panics
/// If there are more levels than a spec can hold.
pub fn image(channels: u16, height: u16, width: u16, levels: &[LevelSpec]) -> FlowSpec {
    let shape = Shape::new(channels, height, width);
    let logit_margin = LOGIT_MARGIN;
    FlowSpec {
        input: InputSpec::Image {
            shape,
            logit_margin,
        },
        levels: levels_of(levels),
    }
}

/// A flow on vectors, of one level.
///
/// # Panics
/// If there are more steps than a level can hold.
pub fn vector(dims: u16, steps: &[StepSpec]) -> FlowSpec {
    FlowSpec {
        input: InputSpec::Vector { dims },
        levels: levels_of(&[level(steps)]),
    }
}

/// A flow on vectors that are whitened first, of one level.
///
/// # Panics
/// If there are more steps than a level can hold.
pub fn whitened(measured: u16, dims: u16, steps: &[StepSpec]) -> FlowSpec {
    FlowSpec {
        input: InputSpec::Whitened { measured, dims },
        ..vector(dims, steps)
    }
}

/// A level.
///
/// # Panics
/// If there are more steps than a level can hold.
pub fn level(steps: &[StepSpec]) -> LevelSpec {
    let steps = heapless::Vec::from_slice(steps);
    LevelSpec {
        steps: steps.unwrap_or_else(|_| panic!("more than {MAX_STEPS} steps")),
    }
}

/// A coupling.
pub fn coupling(
    mask: CouplingMask,
    conditioner: ConditionerSpec,
    scale_map: ScaleMap,
    affine: AffineForm,
) -> StepSpec {
    StepSpec::Coupling(CouplingSpec {
        mask,
        conditioner,
        scale_map,
        affine,
    })
}

fn levels_of(levels: &[LevelSpec]) -> heapless::Vec<LevelSpec, MAX_LEVELS> {
    heapless::Vec::from_slice(levels).unwrap_or_else(|_| panic!("more than {MAX_LEVELS} levels"))
}
