//! From a lowered flow to plan and tensors, whatever the numbers are.
//!
//! One walk for all number formats: [`Numbers`] says what the bytes of a record are and which
//! log_det the stored numbers have; places, padding and the plan are found here.

use super::lower::{LoweredCoupling, LoweredFlow, LoweredLayer, LoweredStep};
use super::numbers::{At, Numbers, Padded, Tensors};
use super::{ExportError, input, rings};
use flow_infer::plan::{
    Coupling, LANES, Layer, LayerKind, MAX_BUFFERS, MAX_LAYERS, NO_TENSOR, NumberFormat, PlanHead,
    PlannedScale, ScratchNeed, Step, lanes,
};
use flow_infer::spec::Shape;
use flow_infer::spec::units::raw_from_nats;

/// A plan with its tensors.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Format of the numbers.
    pub format: NumberFormat,
    /// Head of the plan.
    pub head: PlanHead,
    /// Steps of the plan.
    pub steps: Vec<Step>,
    /// The tensors' bytes.
    pub tensors: Vec<u8>,
    /// Scratch it needs.
    pub need: ScratchNeed,
}

/// Lays out a lowered flow.
pub fn pack(flow: &LoweredFlow, numbers: &impl Numbers) -> Result<Packed, ExportError> {
    let mut tensors = Tensors::default();
    let (planned, mut constant) = input::pack(&flow.input, numbers, &mut tensors)?;
    let (scale_table, sigmoid_table) = pack_tables(flow, numbers, &mut tensors)?;
    let mut steps = Vec::new();
    let mut activations = 0;
    for (index, step) in flow.steps.iter().enumerate() {
        steps.push(match step {
            LoweredStep::Actnorm {
                view,
                shift,
                log_scale,
            } => {
                let (bytes, log_det) = numbers.actnorm(index, shift, log_scale)?;
                constant += log_det * view.shape().pixels() as f64;
                let records = tensors.push(&bytes)?;
                Step::Actnorm {
                    view: *view,
                    records,
                }
            }
            LoweredStep::InvertibleLinear { view, weights } => {
                let (bytes, log_det) = numbers.linear(index, weights, view.channels())?;
                constant += log_det * view.shape().pixels() as f64;
                let weights = tensors.push(&bytes)?;
                Step::InvertibleLinear {
                    view: *view,
                    weights,
                }
            }
            LoweredStep::Coupling(coupling) => {
                let (planned, need) = pack_coupling(index, coupling, numbers, &mut tensors)?;
                activations = need.max(activations);
                Step::Coupling(planned)
            }
            LoweredStep::Ratio(network) => {
                let (planned, need) = pack_coupling(index, network, numbers, &mut tensors)?;
                activations = need.max(activations);
                Step::Ratio(planned)
            }
        });
    }
    let head = PlanHead {
        input: planned,
        steps: u16::try_from(steps.len()).map_err(|_| ExportError::TooLarge("steps"))?,
        constant_raw: raw_from_nats(constant),
        scale_table,
        sigmoid_table,
    };
    let need = ScratchNeed {
        latents: planned.latents() as u32,
        activations: u32::try_from(activations).map_err(|_| ExportError::TooLarge("scratch"))?,
    };
    Ok(Packed {
        format: numbers.format(),
        head,
        steps,
        tensors: tensors.0,
        need,
    })
}

/// The scale map's and the gates' tables. A flow has one scale map with a table; its format has
/// room for one.
fn pack_tables(
    flow: &LoweredFlow,
    numbers: &impl Numbers,
    tensors: &mut Tensors,
) -> Result<(u32, u32), ExportError> {
    let couplings = || {
        flow.steps.iter().filter_map(|s| match s {
            LoweredStep::Coupling(c) => Some(c),
            _ => None,
        })
    };
    let mut scales = couplings()
        .map(|c| c.scale)
        .filter(|s| *s != PlannedScale::Linear);
    let first = scales.next();
    if scales.any(|s| Some(s) != first) {
        return Err(ExportError::TooLarge("more than one kind of scale map"));
    }
    let sigmoid = |r: f64| 1.0 / (1.0 + (-r).exp());
    let softplus = |r: f64| r.max(0.0) + (-r.abs()).exp().ln_1p();
    let scale = first.and_then(|scale| match scale {
        PlannedScale::Tanh => numbers.table(&f64::tanh),
        PlannedScale::Sigmoid { floor } => numbers.table(&|r| (sigmoid(r) + f64::from(floor)).ln()),
        PlannedScale::Atan => numbers.table(&f64::atan),
        PlannedScale::Softsign => numbers.table(&|r: f64| r / (1.0 + r.abs())),
        PlannedScale::SigmoidInverse => numbers.table(&|r| softplus(-r)),
        PlannedScale::Softplus { floor, most } => {
            numbers.table(&|r| (softplus(r) + f64::from(floor)).min(f64::from(most)).ln())
        }
        PlannedScale::Linear => None,
    });
    let gated = couplings().any(|c| {
        c.layers
            .iter()
            .any(|l| matches!(l.kind, LayerKind::Gate { .. }))
    });
    let gate = gated.then(|| numbers.table(&sigmoid)).flatten();
    let mut place = |table: Option<Vec<u8>>| table.map_or(Ok(NO_TENSOR), |t| tensors.push(&t));
    Ok((place(scale)?, place(gate)?))
}

fn pack_coupling(
    step: usize,
    coupling: &LoweredCoupling,
    numbers: &impl Numbers,
    tensors: &mut Tensors,
) -> Result<(Coupling, usize), ExportError> {
    let last = coupling.layers.last().and_then(|layer| layer.target);
    let bounds = match last {
        Some(last) => numbers.nats(step, last)?,
        None => numbers.bounds(step, &coupling.bound)?,
    };
    let bounds = tensors.push(&bounds)?;
    let mut planned = skeleton(coupling)?;
    planned.bounds = bounds;
    for (index, layer) in coupling.layers.iter().enumerate() {
        let at = At { step, index, layer };
        let (weights, records) = pack_layer(at, &planned, numbers, tensors)?;
        planned.layers[index].weights = weights;
        planned.layers[index].records = records;
    }
    let need = rings::place(&mut planned);
    Ok((planned, need))
}

const _: () = assert!(
    MAX_BUFFERS == 48 && MAX_LAYERS == 48,
    "as the errors below say"
);

/// A coupling with layers and buffers, without tensors and places.
pub fn skeleton(coupling: &LoweredCoupling) -> Result<Coupling, ExportError> {
    let buffers = coupling.buffers.iter().map(|&shape| rings::unplaced(shape));
    let layers = coupling.layers.iter().map(|layer| Layer {
        kind: layer.kind,
        source: layer.source,
        target: layer.target,
        residual: layer.residual,
        activation: layer.activation,
        weights: NO_TENSOR,
        records: NO_TENSOR,
    });
    let mut planned = Coupling {
        view: coupling.view,
        mask: coupling.mask,
        affine: coupling.affine,
        scale: coupling.scale,
        bounds: NO_TENSOR,
        buffers: Default::default(),
        layers: Default::default(),
    };
    for buffer in buffers {
        planned
            .buffers
            .push(buffer)
            .map_err(|_| ExportError::TooLarge("a conditioner has more than 48 activations"))?;
    }
    for layer in layers {
        planned
            .layers
            .push(layer)
            .map_err(|_| ExportError::TooLarge("a conditioner has more than 48 layers"))?;
    }
    Ok(planned)
}

fn pack_layer(
    at: At<'_>,
    planned: &Coupling,
    numbers: &impl Numbers,
    tensors: &mut Tensors,
) -> Result<(u32, u32), ExportError> {
    match at.layer.kind {
        LayerKind::Input { .. } => Ok((NO_TENSOR, tensors.push(&numbers.input(at)?)?)),
        LayerKind::Map if at.layer.scaling.is_none() => Ok((NO_TENSOR, NO_TENSOR)),
        LayerKind::Map => Ok((NO_TENSOR, tensors.push(&numbers.map(at)?)?)),
        LayerKind::Gate { gate, .. } => Ok((NO_TENSOR, tensors.push(&numbers.gate(at, gate)?)?)),
        LayerKind::Conv(_) | LayerKind::ConvTransposed(_) => {
            let source = planned.buffers[usize::from(at.layer.source)].shape;
            let padded = pad(at.layer, source);
            let (weights, records) = numbers.convolution(at, &padded)?;
            Ok((tensors.push(&weights)?, tensors.push(&records)?))
        }
    }
}

/// Pads the input channels of every tap and the number of rows to whole lanes.
pub fn pad(layer: &LoweredLayer, source: Shape) -> Padded {
    let channels = usize::from(source.channels);
    let outputs = layer.bias.len();
    let taps = layer.weights.len() / (outputs * channels);
    let fan_in = taps * lanes(channels);
    let mut weights = vec![0.0; lanes(outputs) * fan_in];
    for (index, tap) in layer.weights.chunks_exact(channels).enumerate() {
        let start = index * lanes(channels);
        weights[start..start + channels].copy_from_slice(tap);
    }
    let mut bias = layer.bias.clone();
    bias.resize(outputs.next_multiple_of(LANES), 0.0);
    Padded {
        weights,
        bias,
        fan_in,
    }
}
