//! What a model costs on a board: flash, scratch and multiplies, step by step, as its plan says.

use crate::instructions::{Estimate, Multiplies, estimates};
use flow_infer::artifact::{Artifact, Section};
use flow_infer::plan::{Coupling, Layer, LayerKind, NumberFormat, PlannedInput, Step, Window};
use flow_infer::spec::{CouplingMask, Half, Parity, Quadrant, Shape};
use flow_train_host::export::rings::layer_by_layer;
use serde::Serialize;

/// Cost of a model.
#[derive(Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) flash_bytes: u64,
    pub(crate) plan_bytes: u64,
    pub(crate) tensor_bytes: u64,
    pub(crate) scratch_bytes: u64,
    pub(crate) latent_bytes: u64,
    pub(crate) activation_bytes: u64,
    /// Activations if every layer wrote whole planes, each freed after its last reader.
    pub(crate) layer_by_layer_activation_bytes: u64,
    pub(crate) macs: u64,
    pub(crate) weights: u64,
    /// Expected on the cores that the repository counts on; none for floats, which have no counts.
    pub(crate) instructions: Vec<Estimate>,
    pub(crate) steps: Vec<StepCost>,
}

/// Cost of one step of the plan.
#[derive(Debug, Serialize)]
pub(crate) struct StepCost {
    pub(crate) kind: &'static str,
    /// Channels, height and width of the part it acts on.
    pub(crate) shape: String,
    pub(crate) mask: Option<String>,
    pub(crate) layers: usize,
    pub(crate) weights: u64,
    pub(crate) macs: u64,
    pub(crate) activation_bytes: u64,
    pub(crate) layer_by_layer_activation_bytes: u64,
}

impl Cost {
    pub(crate) fn of(artifact: &Artifact<'_>) -> Self {
        let format = artifact.number_format();
        let need = artifact.scratch_need();
        // Steps were decoded when the file was loaded.
        let steps = artifact.steps().filter_map(Result::ok);
        let steps: Vec<StepCost> = steps.map(|step| step_cost(&step, format)).collect();
        let latent_bytes = u64::from(need.latents) * 4;
        let activation_bytes = u64::from(need.activations) * element_bytes(format);
        let instructions = match format {
            NumberFormat::Q8 => estimates(multiplies(artifact)),
            _ => vec![],
        };
        let by_layer = steps.iter().map(|s| s.layer_by_layer_activation_bytes);
        let len = |section| artifact.section(section).len() as u64;
        Self {
            flash_bytes: artifact.bytes().len() as u64,
            plan_bytes: len(Section::Plan),
            tensor_bytes: len(Section::Tensors),
            scratch_bytes: latent_bytes + activation_bytes,
            latent_bytes,
            activation_bytes,
            layer_by_layer_activation_bytes: by_layer.max().unwrap_or(0),
            macs: whitening(artifact.input()) + steps.iter().map(|s| s.macs).sum::<u64>(),
            weights: whitening(artifact.input()) + steps.iter().map(|s| s.weights).sum::<u64>(),
            instructions,
            steps,
        }
    }
}

/// Weights of the linear map in front of a flow, each multiplied once.
fn whitening(input: &PlannedInput) -> u64 {
    match *input {
        PlannedInput::Whitened { measured, dims, .. } => u64::from(measured) * u64::from(dims),
        PlannedInput::Image { .. } | PlannedInput::Vector { .. } => 0,
    }
}

fn multiplies(artifact: &Artifact<'_>) -> Multiplies {
    let mut sum = Multiplies {
        dense: whitening(artifact.input()),
        ..Multiplies::default()
    };
    for step in artifact.steps().filter_map(Result::ok) {
        let Some(coupling) = step.into_network() else {
            continue;
        };
        let layers = 0..coupling.layers.len();
        let macs: u64 = layers.map(|index| layer_cost(&coupling, index).1).sum();
        let is_widening = |layer: &Layer| matches!(layer.kind, LayerKind::ConvTransposed(_));
        match coupling.view.shape().pixels() {
            1 => sum.dense += macs,
            _ if coupling.layers.iter().any(is_widening) => {
                sum.bottleneck += macs;
                sum.bottlenecks += 1;
            }
            _ => sum.windows += macs,
        }
    }
    sum
}

/// Bytes of one activation.
pub(crate) fn element_bytes(format: NumberFormat) -> u64 {
    match format {
        NumberFormat::Q8 => 2,
        NumberFormat::F32 | NumberFormat::F16 => 4,
    }
}

fn step_cost(step: &Step, format: NumberFormat) -> StepCost {
    let plain = |kind, shape: Shape, weights: u64, macs: u64| StepCost {
        kind,
        shape: shape.to_string(),
        mask: None,
        layers: 0,
        weights,
        macs,
        activation_bytes: 0,
        layer_by_layer_activation_bytes: 0,
    };
    match step {
        Step::Actnorm { view, .. } => {
            let shape = view.shape();
            plain(
                "actnorm",
                shape,
                2 * u64::from(shape.channels),
                shape.len() as u64,
            )
        }
        Step::InvertibleLinear { view, .. } => {
            let shape = view.shape();
            let weights = u64::from(shape.channels).pow(2);
            plain(
                "invertible_linear",
                shape,
                weights,
                weights * shape.pixels() as u64,
            )
        }
        Step::Coupling(coupling) => StepCost {
            mask: Some(mask_name(coupling.mask)),
            ..network_cost("coupling", coupling, format)
        },
        Step::Ratio(network) => network_cost("ratio", network, format),
    }
}

fn network_cost(kind: &'static str, coupling: &Coupling, format: NumberFormat) -> StepCost {
    let layers = || (0..coupling.layers.len()).map(|index| layer_cost(coupling, index));
    let end = coupling.buffers.last();
    let activations = end.map_or(0, |b| b.offset as u64 + b.ring_len().unwrap_or(0) as u64);
    let bytes = element_bytes(format);
    StepCost {
        kind,
        shape: coupling.view.shape().to_string(),
        mask: None,
        layers: coupling.layers.len(),
        weights: layers().map(|(weights, _)| weights).sum(),
        macs: layers().map(|(_, macs)| macs).sum(),
        activation_bytes: activations * bytes,
        layer_by_layer_activation_bytes: layer_by_layer(coupling) as u64 * bytes,
    }
}

/// Weights and multiplies of a layer, without the padding to whole lanes.
pub fn layer_cost(coupling: &Coupling, index: usize) -> (u64, u64) {
    let layer = &coupling.layers[index];
    let source = coupling.buffers.get(usize::from(layer.source));
    let (Some(source), Some(target)) = (source.map(|b| b.shape), coupling.output_shape(layer))
    else {
        return (0, 0);
    };
    let weights = |window: Window| {
        let taps = u64::from(window.height) * u64::from(window.width);
        taps * u64::from(source.channels) * u64::from(target.channels)
    };
    match layer.kind {
        LayerKind::Conv(window) => (weights(window), weights(window) * target.pixels() as u64),
        LayerKind::ConvTransposed(window) => {
            (weights(window), weights(window) * source.pixels() as u64)
        }
        LayerKind::Input { .. } | LayerKind::Map | LayerKind::Gate { .. } => (0, 0),
    }
}

/// A kind of mask in a word.
pub(crate) fn mask_kind(mask: &CouplingMask) -> &'static str {
    match mask {
        CouplingMask::Checkerboard { .. } => "checkerboard",
        CouplingMask::Channel { .. } => "channel",
        CouplingMask::Horizontal { .. } => "horizontal",
        CouplingMask::Vertical { .. } => "vertical",
        CouplingMask::Cycle { .. } => "cycle",
        CouplingMask::Whole => "whole",
    }
}

/// A mask in words: what is kept.
pub(crate) fn mask_name(mask: CouplingMask) -> String {
    let half = |half, first, second| match half {
        Half::First => first,
        Half::Second => second,
    };
    let kept = match mask {
        CouplingMask::Checkerboard { kept } => match kept {
            Parity::Even => "even",
            Parity::Odd => "odd",
        },
        CouplingMask::Channel { kept } => half(kept, "first half", "second half"),
        CouplingMask::Horizontal { kept } => half(kept, "upper half", "lower half"),
        CouplingMask::Vertical { kept } => half(kept, "left half", "right half"),
        CouplingMask::Cycle { kept } => match kept {
            Quadrant::TopLeft => "top left",
            Quadrant::TopRight => "top right",
            Quadrant::BottomRight => "bottom right",
            Quadrant::BottomLeft => "bottom left",
        },
        CouplingMask::Whole => "all",
    };
    format!("{}, {kept} kept", mask_kind(&mask))
}

/// A number format in words.
pub(crate) fn format_name(format: NumberFormat) -> &'static str {
    match format {
        NumberFormat::Q8 => "q8",
        NumberFormat::F32 => "f32",
        NumberFormat::F16 => "f16",
    }
}
