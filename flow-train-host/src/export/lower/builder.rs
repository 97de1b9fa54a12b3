//! Builds a conditioner layer by layer; each call appends one layer and returns the buffer it
//! writes.

use flow_infer::plan::{Activation, LayerKind, Window};
use flow_infer::spec::{CouplingMask, Shape, View};

/// A layer with its numbers, channels not yet padded.
#[derive(Clone, Debug)]
pub struct LoweredLayer {
    /// What it computes.
    pub kind: LayerKind,
    /// Buffer it reads.
    pub source: u8,
    /// Buffer it writes; none for the last layer.
    pub target: Option<u8>,
    /// Buffer that is added.
    pub residual: Option<u8>,
    /// Elementwise activation.
    pub activation: Activation,
    /// Convolution weights: output channel x kernel row x kernel column x input channel.
    pub weights: Vec<f32>,
    /// One an output channel.
    pub bias: Vec<f32>,
    /// Gains and offsets of `Input` and `Map`; a `Map` without does not scale.
    pub scaling: Option<Scaling>,
}

/// a -> gain a + offset, per channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Factors.
    pub gain: Vec<f32>,
    /// Added after it.
    pub offset: Vec<f32>,
}

impl Scaling {
    /// Gain 1, offset 0.
    pub fn identity(channels: usize) -> Self {
        Self {
            gain: vec![1.0; channels],
            offset: vec![0.0; channels],
        }
    }
}

/// Weights (output channel x row x column x input channel) and bias of a convolution.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    pub(super) window: Window,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

pub(super) struct Builder {
    view: View,
    mask: CouplingMask,
    raw_offset: f32,
    buffers: Vec<Shape>,
    layers: Vec<LoweredLayer>,
}

impl Builder {
    pub(super) fn new(view: View, mask: CouplingMask, raw_offset: f32) -> Self {
        Self {
            view,
            mask,
            raw_offset,
            buffers: Vec::new(),
            layers: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Shape>, Vec<LoweredLayer>) {
        (self.buffers, self.layers)
    }

    pub(super) fn shape(&self, buffer: u8) -> Shape {
        self.buffers[usize::from(buffer)]
    }

    fn buffer(&mut self, shape: Shape) -> u8 {
        self.buffers.push(shape);
        // Of more there is no plan: `pack::skeleton` says so.
        u8::try_from(self.buffers.len() - 1).unwrap_or(u8::MAX)
    }

    fn layer(&mut self, kind: LayerKind, source: u8, target: Option<u8>) -> &mut LoweredLayer {
        self.layers.push(LoweredLayer {
            kind,
            source,
            target,
            residual: None,
            activation: Activation::Identity,
            weights: Vec::new(),
            bias: Vec::new(),
            scaling: None,
        });
        self.layers.last_mut().expect("just pushed")
    }

    pub(super) fn input(
        &mut self,
        pair: bool,
        scaling: Option<Scaling>,
        activation: Activation,
    ) -> u8 {
        let kept = self.mask.kept_channels(self.view.channels()).1;
        let channels = (if pair { 2 * kept } else { kept }) as u16;
        let target = self.buffer(Shape {
            channels,
            ..self.view.shape()
        });
        let layer = self.layer(LayerKind::Input { pair }, 0, Some(target));
        layer.activation = activation;
        layer.scaling = Some(scaling.unwrap_or_else(|| Scaling::identity(kept)));
        target
    }

    pub(super) fn conv(
        &mut self,
        source: u8,
        kernel: Kernel,
        activation: Activation,
        residual: Option<u8>,
    ) -> u8 {
        let input = self.shape(source);
        let side = |len, size| kernel.window.conv_len(len, size).expect("validated sizes");
        let target = self.buffer(Shape {
            channels: kernel.bias.len() as u16,
            height: side(input.height, kernel.window.height),
            width: side(input.width, kernel.window.width),
        });
        self.convolution(
            LayerKind::Conv(kernel.window),
            source,
            Some(target),
            kernel,
            activation,
        );
        self.last().residual = residual;
        target
    }

    pub(super) fn conv_transposed(
        &mut self,
        source: u8,
        kernel: Kernel,
        activation: Activation,
        (height, width): (u16, u16),
    ) -> u8 {
        let target = self.buffer(Shape {
            channels: kernel.bias.len() as u16,
            height,
            width,
        });
        let kind = LayerKind::ConvTransposed(kernel.window);
        self.convolution(kind, source, Some(target), kernel, activation);
        target
    }

    pub(super) fn map(
        &mut self,
        source: u8,
        scaling: Option<Scaling>,
        activation: Activation,
    ) -> u8 {
        let target = self.buffer(self.shape(source));
        let layer = self.layer(LayerKind::Map, source, Some(target));
        layer.scaling = scaling;
        layer.activation = activation;
        target
    }

    pub(super) fn gate(&mut self, hidden: u8, gate: u8, carry: u8) -> u8 {
        let target = self.buffer(self.shape(hidden));
        self.layer(LayerKind::Gate { gate, carry }, hidden, Some(target));
        target
    }

    /// The last layer. Its rows are reordered to raw_scale, shift, raw_scale, ...: a tile of four
    /// sums is then two complete channels.
    pub(super) fn output(&mut self, source: u8, kind: LayerKind, kernel: Kernel) {
        let changed = kernel.bias.len() / 2;
        let fan_in = kernel.weights.len() / kernel.bias.len().max(1);
        let mut ordered = Kernel {
            window: kernel.window,
            weights: Vec::with_capacity(kernel.weights.len()),
            bias: Vec::with_capacity(kernel.bias.len()),
        };
        for channel in 0..changed {
            for (row, offset) in [(channel, self.raw_offset), (changed + channel, 0.0)] {
                ordered
                    .weights
                    .extend(&kernel.weights[row * fan_in..(row + 1) * fan_in]);
                ordered.bias.push(kernel.bias[row] + offset);
            }
        }
        self.convolution(kind, source, None, ordered, Activation::Identity);
    }

    fn convolution(
        &mut self,
        kind: LayerKind,
        source: u8,
        target: Option<u8>,
        kernel: Kernel,
        activation: Activation,
    ) {
        let layer = self.layer(kind, source, target);
        layer.weights = kernel.weights;
        layer.bias = kernel.bias;
        layer.activation = activation;
    }

    fn last(&mut self) -> &mut LoweredLayer {
        self.layers.last_mut().expect("a layer was just appended")
    }
}

/// A stride-1 window that keeps the size: odd sides only.
pub(super) fn same(side: u16) -> Window {
    Window {
        height: side,
        width: side,
        stride: 1,
        pad: (side / 2) as u8,
    }
}

/// Reorders weights stored channel before row before column (`outer x inner x height x width`, or
/// inner x outer with `transposed`) to output channel x row x column x input channel.
pub(super) fn channels_last(
    values: &[f32],
    outputs: usize,
    inputs: usize,
    pixels: usize,
    transposed: bool,
) -> Vec<f32> {
    let mut ordered = Vec::with_capacity(values.len());
    for o in 0..outputs {
        for p in 0..pixels {
            for i in 0..inputs {
                let pair = if transposed {
                    i * outputs + o
                } else {
                    o * inputs + i
                };
                ordered.push(values[pair * pixels + p]);
            }
        }
    }
    ordered
}
