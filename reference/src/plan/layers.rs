//! A coupling's layers over whole arrays of integer-valued activations.

use super::tensors::Tensors;
use super::{LATENT, TABLE_REACH};
use crate::{Array, ops};
use flow_infer::plan::{Activation, Coupling, Layer, LayerKind, NO_TENSOR, Window};

/// Magnitude at which an activation is held.
const ACTIVATION_LIMIT: f64 = 32767.0;
/// Magnitude at which what goes into an activation function is held.
const WIDE_LIMIT: f64 = 65536.0;
/// Bits by which a multiplier of an ordinary layer shifts.
const REQUANTIZE: i32 = 32;
/// Bits by which a multiplier of a last layer shifts.
const OUTPUT: i32 = 20;
/// Bits by which gains of a map shift.
const MAP: i32 = 16;
/// Bits by which multipliers of a gate shift.
const GATE: i32 = 12;
/// Fraction bits of a gate.
const OPEN: i32 = 15;
/// The leaky relu's slope, 20 fraction bits.
const LEAKY: (f64, i32) = (10486.0, 20);

/// What the last layer gives: raw_scale and shift of every changed channel, alternating, as real numbers; of a ratio net its
/// one activation.
pub(super) fn run(tensors: &Tensors<'_>, coupling: &Coupling, latent: &Array) -> Array {
    let mut buffers: Vec<Option<Array>> = vec![None; coupling.buffers.len()];
    for layer in &coupling.layers {
        let read = |id: u8| {
            let buffer = buffers[usize::from(id)].as_ref();
            buffer.expect("layers read what earlier layers wrote")
        };
        let output = match layer.kind {
            LayerKind::Input { pair } => input(tensors, coupling, layer, latent, pair),
            LayerKind::Conv(window) | LayerKind::ConvTransposed(window) => {
                let (sums, multipliers) =
                    sums(tensors, coupling, layer, window, read(layer.source));
                if layer.target.is_none() {
                    return Array::from_fn(sums.size(), |c, y, x| {
                        rounded(sums.at(c, y, x) * multipliers[c], OUTPUT) * 2f64.powi(-LATENT)
                    });
                }
                let residual = layer.residual.map(read);
                Array::from_fn(sums.size(), |c, y, x| {
                    let value = wide(rounded(sums.at(c, y, x) * multipliers[c], REQUANTIZE));
                    let residual = residual.map_or(0.0, |r| r.at(c, y, x));
                    held(activate(value, layer.activation) + residual)
                })
            }
            LayerKind::Map => map(tensors, layer, read(layer.source)),
            LayerKind::Gate { gate, carry } => {
                gated(tensors, layer, [layer.source, gate, carry].map(read))
            }
        };
        let target = layer.target.expect("only the last layer has no target");
        buffers[usize::from(target)] = Some(output);
    }
    let last = buffers.pop().flatten();
    last.expect("a loaded network has layers, and its last one writes the last buffer")
}

/// a = round(x gain) + offset of the kept coordinates, zero for x elsewhere; paired with -a.
fn input(
    tensors: &Tensors<'_>,
    coupling: &Coupling,
    layer: &Layer,
    latent: &Array,
    pair: bool,
) -> Array {
    let shape = coupling.view.shape();
    let (first, count) = coupling.mask.kept_channels(latent.channels);
    let channels = if pair { 2 * count } else { count };
    Array::from_fn((channels, latent.height, latent.width), |k, row, column| {
        let (c, sign) = (first + k % count, if k < count { 1.0 } else { -1.0 });
        let [gain, offset] = tensors.words(layer.records, k % count);
        let kept = coupling.mask.is_kept(c, row, column, shape);
        let x = if kept { latent.at(c, row, column) } else { 0.0 };
        let value = wide(rounded(x * 2f64.powi(LATENT) * gain, REQUANTIZE) + offset);
        held(activate(sign * value, layer.activation))
    })
}

fn sums(
    tensors: &Tensors<'_>,
    coupling: &Coupling,
    layer: &Layer,
    window: Window,
    source: &Array,
) -> (Array, Vec<f64>) {
    let shape = coupling.output_shape(layer).expect("a loaded layer");
    let transposed = matches!(layer.kind, LayerKind::ConvTransposed(_));
    let (weights, multipliers) = tensors.convolution(
        (layer.weights, layer.records),
        (shape.channels.into(), source.channels),
        window,
        transposed,
    );
    let (stride, pad) = (usize::from(window.stride), usize::from(window.pad));
    let (height, width) = (usize::from(shape.height), usize::from(shape.width));
    let sums = if transposed {
        let size = (height + 2 * pad, width + 2 * pad);
        let whole = ops::conv_transposed(source, &weights, stride, size);
        Array::from_fn((whole.channels, height, width), |c, y, x| {
            whole.at(c, y + pad, x + pad)
        })
    } else {
        ops::conv2d(&ops::pad(source, pad, pad), &weights, stride)
    };
    assert_eq!(sums.shape(), shape);
    (sums, multipliers)
}

fn map(tensors: &Tensors<'_>, layer: &Layer, source: &Array) -> Array {
    Array::from_fn(source.size(), |c, y, x| {
        let a = source.at(c, y, x);
        let value = if layer.records == NO_TENSOR {
            a
        } else {
            let [gain, offset] = tensors.words(layer.records, c);
            wide(rounded(a * gain, MAP) + offset)
        };
        held(activate(value, layer.activation))
    })
}

/// carry + round((hidden - carry) s) with s = σ(gate multiplier), rounded to 15 fraction bits.
fn gated(tensors: &Tensors<'_>, layer: &Layer, [hidden, gate, carry]: [&Array; 3]) -> Array {
    let [multiplier] = tensors.words(layer.records, 0);
    Array::from_fn(hidden.size(), |c, y, x| {
        let raw = rounded(gate.at(c, y, x) * multiplier, GATE) * 2f64.powi(-LATENT);
        let open = ops::sigmoid(raw.clamp(-TABLE_REACH, TABLE_REACH));
        let open = rounded(open, -OPEN) * 2f64.powi(-OPEN);
        let (hidden, carry) = (hidden.at(c, y, x), carry.at(c, y, x));
        held(carry + rounded((hidden - carry) * open, 0))
    })
}

/// ⌊value / 2^shift + 1/2⌋.
fn rounded(value: f64, shift: i32) -> f64 {
    (value * 2f64.powi(-shift) + 0.5).floor()
}

fn wide(value: f64) -> f64 {
    value.clamp(-WIDE_LIMIT, WIDE_LIMIT - 1.0)
}

fn held(value: f64) -> f64 {
    value.clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT)
}

fn activate(value: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Identity => value,
        Activation::Relu => value.max(0.0),
        Activation::LeakyRelu if value < 0.0 => rounded(value * LEAKY.0, LEAKY.1),
        Activation::LeakyRelu => value,
    }
}
