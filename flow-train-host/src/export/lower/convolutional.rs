//! Conditioners that are plain chains: highway, convnet, glow_convnet, mlp.

use super::ConditionerTensors;
use super::builder::{Builder, Kernel, channels_last, same};
use flow_infer::plan::{Activation, LayerKind};

impl ConditionerTensors<'_> {
    /// A size-keeping convolution (or dense layer: two axes) by name.
    pub(super) fn conv(&self, name: &str) -> Kernel {
        let weights = self.get(&format!("{name}.weights"));
        let outputs = weights.shape[0];
        let inputs = weights.shape[1];
        let side = weights.shape.get(2).copied().unwrap_or(1);
        Kernel {
            window: same(side as u16),
            weights: channels_last(&weights.values, outputs, inputs, side * side, false),
            bias: self.values(&format!("{name}.bias")).to_vec(),
        }
    }
}

impl Builder {
    /// Appends a size-keeping convolution as the last layer.
    pub(super) fn output_conv(&mut self, source: u8, kernel: Kernel) {
        self.output(source, LayerKind::Conv(kernel.window), kernel);
    }
}

pub(super) fn highway(builder: &mut Builder, tensors: &ConditionerTensors<'_>, layers: u8) {
    let x = builder.input(false, None, Activation::Identity);
    let mut h = builder.conv(x, tensors.conv("in_conv"), Activation::Identity, None);
    for k in 0..layers {
        let hidden = tensors.conv(&format!("layers.{k}.hidden"));
        let hidden = builder.conv(h, hidden, Activation::Identity, None);
        let gate = tensors.conv(&format!("layers.{k}.gate"));
        let gate = builder.conv(h, gate, Activation::Identity, None);
        h = builder.gate(hidden, gate, h);
    }
    builder.output_conv(h, tensors.conv("out_conv"));
}

pub(super) fn convnet(builder: &mut Builder, tensors: &ConditionerTensors<'_>, layers: u8) {
    let mut h = builder.input(false, None, Activation::Identity);
    for k in 0..layers {
        h = builder.conv(
            h,
            tensors.conv(&format!("layers.{k}")),
            Activation::Identity,
            None,
        );
    }
    builder.output_conv(h, tensors.conv("out_conv"));
}

pub(super) fn glow_convnet(builder: &mut Builder, tensors: &ConditionerTensors<'_>) {
    let x = builder.input(false, None, Activation::Identity);
    let h = builder.conv(x, tensors.conv("in_conv"), Activation::Relu, None);
    let h = builder.conv(h, tensors.conv("mid_conv"), Activation::Relu, None);
    builder.output_conv(h, tensors.conv("out_conv"));
}

pub(super) fn mlp(builder: &mut Builder, tensors: &ConditionerTensors<'_>, layers: u8) {
    let x = builder.input(false, None, Activation::Identity);
    let mut h = builder.conv(x, tensors.conv("in_layer"), Activation::Relu, None);
    for k in 0..layers {
        h = builder.conv(
            h,
            tensors.conv(&format!("layers.{k}")),
            Activation::Relu,
            None,
        );
    }
    builder.output_conv(h, tensors.conv("out_layer"));
}
