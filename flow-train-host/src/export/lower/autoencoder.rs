//! The paper's bottleneck conditioner, and the dense layers in and out of a bottleneck.
//!
//! A dense layer over an image is a convolution as large as the image; back it is a transposed one.
//! Its bias has one value per position, which a convolution's bias cannot hold, so the bottleneck
//! carries two constant channels whose weights are the bias: the second one is 1/128 of the first,
//! so that 8-bit weights give the bias 15 bits.

use super::ConditionerTensors;
use super::builder::{Builder, Kernel, channels_last};
use flow_infer::plan::{Activation, LayerKind, Window};
use flow_infer::spec::{ConditionerSpec, Shape};

/// Ratio of the two constant channels.
const FINE: f32 = 1.0 / 128.0;

/// Dense from all activations of a buffer to the bottleneck, and the constant channels.
pub(super) fn dense_down(
    builder: &mut Builder,
    tensors: &ConditionerTensors<'_>,
    source: u8,
) -> u8 {
    let shape = builder.shape(source);
    let bias = tensors.values("bottleneck.down.bias");
    let values = tensors.values("bottleneck.down.weights");
    let mut weights = channels_last(
        values,
        bias.len(),
        usize::from(shape.channels),
        shape.pixels(),
        false,
    );
    weights.extend(std::iter::repeat_n(0.0, 2 * shape.len()));
    let mut bias = bias.to_vec();
    bias.extend([1.0, FINE]);
    let kernel = Kernel {
        window: whole(shape),
        weights,
        bias,
    };
    builder.conv(source, kernel, Activation::Identity, None)
}

/// Dense from the bottleneck to all activations of a shape.
pub(super) fn dense_up(
    builder: &mut Builder,
    tensors: &ConditionerTensors<'_>,
    source: u8,
    shape: Shape,
) -> u8 {
    let (channels, pixels) = (usize::from(shape.channels), shape.pixels());
    let values = tensors.values("bottleneck.up.weights");
    let bias = tensors.values("bottleneck.up.bias");
    let latent = values.len() / (channels * pixels);
    // latent x C x H x W is already input x output x row x column.
    let ordered = channels_last(values, channels, latent, pixels, true);
    let coarse = coarse_bias(bias);
    let mut weights = Vec::with_capacity(ordered.len() + 2 * bias.len());
    for (index, row) in ordered.chunks_exact(latent.max(1)).enumerate() {
        let (channel, pixel) = (index / pixels, index % pixels);
        let at = channel * pixels + pixel;
        weights.extend_from_slice(row);
        weights.extend([coarse[at], (bias[at] - coarse[at]) / FINE]);
    }
    let kernel = Kernel {
        window: whole(shape),
        weights,
        bias: vec![0.0; channels],
    };
    builder.conv_transposed(
        source,
        kernel,
        Activation::Identity,
        (shape.height, shape.width),
    )
}

/// The bias in 127 steps of its largest magnitude: what the first constant channel carries. The
/// rest, at most half a step, times 128 is at most 64/127 of the largest magnitude, so both
/// channels use the same weight range.
fn coarse_bias(bias: &[f32]) -> Vec<f32> {
    let largest = bias.iter().fold(0.0f32, |m, b| m.max(b.abs()));
    if largest == 0.0 {
        return bias.to_vec();
    }
    let step = largest / 127.0;
    bias.iter().map(|b| (b / step).round() * step).collect()
}

fn whole(shape: Shape) -> Window {
    Window {
        height: shape.height,
        width: shape.width,
        stride: 1,
        pad: 0,
    }
}

pub(super) fn lower(builder: &mut Builder, tensors: &ConditionerTensors<'_>, shape: Shape) {
    let strides = ConditionerSpec::autoencoder_strides(shape.width);
    let sides = ConditionerSpec::autoencoder_sides(shape).expect("the spec was validated");
    let mut h = builder.input(false, None, Activation::Identity);
    for (k, &stride) in strides.iter().enumerate() {
        let kernel = strided(tensors, &format!("encoder.{k}"), stride, false);
        h = builder.conv(h, kernel, Activation::LeakyRelu, None);
    }
    let inner = builder.shape(h);
    let code = dense_down(builder, tensors, h);
    h = dense_up(builder, tensors, code, inner);
    for k in 0..3 {
        let kernel = strided(tensors, &format!("decoder.{k}"), strides[3 - k], true);
        h = builder.conv_transposed(h, kernel, Activation::LeakyRelu, sides[3 - k]);
    }
    let kernel = strided(tensors, "decoder.3", strides[0], true);
    builder.output(h, LayerKind::ConvTransposed(kernel.window), kernel);
}

fn strided(tensors: &ConditionerTensors<'_>, name: &str, stride: u16, transposed: bool) -> Kernel {
    let weights = tensors.get(&format!("{name}.weights"));
    let (first, second, side) = (weights.shape[0], weights.shape[1], weights.shape[2]);
    let (outputs, inputs) = if transposed {
        (second, first)
    } else {
        (first, second)
    };
    Kernel {
        window: Window {
            height: side as u16,
            width: side as u16,
            stride: stride as u8,
            pad: 0,
        },
        weights: channels_last(&weights.values, outputs, inputs, side * side, transposed),
        bias: tensors.values(&format!("{name}.bias")).to_vec(),
    }
}
