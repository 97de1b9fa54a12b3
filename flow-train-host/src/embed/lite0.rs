//! EfficientNet-Lite0 from its checkpoint: MobileNet blocks (expand 1x1, depthwise, project 1x1; relu6 after the first
//! two) without squeeze-and-excite, a head of 1x1, and the mean over pixels. The classifier behind it is left out, and of
//! [`Features::Middle`] everything behind the last block that they are taken from.
//!
//! Batch norm (epsilon 1e-3, as TensorFlow had it) is folded into the convolution before it.

use super::graph::{Convolution, Graph, Value};
use super::{EmbedError, Features};
use crate::convert::{StateDict, torch};
use tract_onnx::pb::ModelProto;

/// Height and width that the network was trained on.
const SIDE: usize = 224;
const EPSILON: f64 = 1e-3;
const STEM: usize = 32;
const FEATURES: usize = 1280;
const CLASSES: usize = 1000;

/// Blocks of one shape in a row; the first one has the stride and changes the channels.
struct Stage {
    repeat: usize,
    side: usize,
    stride: usize,
    expand: usize,
    outputs: usize,
}

const fn stage([repeat, side, stride, expand, outputs]: [usize; 5]) -> Stage {
    Stage {
        repeat,
        side,
        stride,
        expand,
        outputs,
    }
}

const STAGES: [Stage; 7] = [
    stage([1, 3, 1, 1, 16]),
    stage([2, 3, 2, 6, 24]),
    stage([2, 5, 2, 6, 40]),
    stage([3, 3, 2, 6, 80]),
    stage([3, 5, 1, 6, 112]),
    stage([4, 5, 2, 6, 192]),
    stage([1, 3, 1, 6, 320]),
];

/// Blocks whose outputs are the middle features: 40 and 112 channels, linear, of 28 x 28 and 14 x 14 pixels.
const MIDDLE: [usize; 2] = [4, 10];

/// The network up to its features.
pub(super) fn model(checkpoint: &[u8], features: Features) -> Result<ModelProto, EmbedError> {
    let mut builder = Builder {
        state: StateDict::new(torch::read(checkpoint)?)?,
        graph: Graph::default(),
    };
    let x = builder.graph.input([1, 3, SIDE, SIDE]);
    let mut x = builder.rectified(&x, ["_conv_stem", "_bn0"], [STEM, 3, 3], 2)?;
    let (mut index, mut channels) = (0, STEM);
    let mut middle = Vec::new();
    for stage in &STAGES {
        for repeat in 0..stage.repeat {
            let stride = if repeat == 0 { stage.stride } else { 1 };
            x = builder.block(&x, index, stage, channels, stride)?;
            channels = stage.outputs;
            if MIDDLE.contains(&index) {
                middle.push((x.clone(), channels));
            }
            index += 1;
        }
    }
    let head = ["_conv_head", "_bn1"];
    let x = builder.rectified(&x, head, [FEATURES, channels, 1], 1)?;
    builder.state.take("_fc.weight", &[CLASSES, FEATURES])?;
    builder.state.take("_fc.bias", &[CLASSES])?;
    builder.state.finish()?;
    Ok(builder.graph.finish(&match features {
        Features::Head => vec![(x, FEATURES)],
        Features::Middle => middle,
    }))
}

struct Builder<'a> {
    state: StateDict<'a>,
    graph: Graph,
}

impl Builder<'_> {
    fn block(
        &mut self,
        x: &Value,
        index: usize,
        stage: &Stage,
        inputs: usize,
        stride: usize,
    ) -> Result<Value, EmbedError> {
        let at = |name: &str| format!("_blocks.{index}.{name}");
        let wide = inputs * stage.expand;
        let mut h = x.clone();
        if stage.expand > 1 {
            let names = [&*at("_expand_conv"), &*at("_bn0")];
            h = self.rectified(&h, names, [wide, inputs, 1], 1)?;
        }
        let names = [&*at("_depthwise_conv"), &*at("_bn1")];
        h = self.rectified(&h, names, [wide, 1, stage.side], stride)?;
        let names = [&*at("_project_conv"), &*at("_bn2")];
        h = self.convolution(&h, names, [stage.outputs, wide, 1], 1)?;
        let same = stride == 1 && inputs == stage.outputs;
        Ok(if same { self.graph.add(&h, x) } else { h })
    }

    fn rectified(
        &mut self,
        x: &Value,
        names: [&str; 2],
        sizes: [usize; 3],
        stride: usize,
    ) -> Result<Value, EmbedError> {
        let h = self.convolution(x, names, sizes, stride)?;
        Ok(self.graph.relu6(&h))
    }

    /// A convolution of [outputs, inputs of a group, side] and the batch norm behind it. A convolution of one input a
    /// group has as many groups as outputs.
    fn convolution(
        &mut self,
        x: &Value,
        [conv, norm]: [&str; 2],
        [outputs, inputs, side]: [usize; 3],
        stride: usize,
    ) -> Result<Value, EmbedError> {
        let shape = [outputs, inputs, side, side];
        let mut take = |key: String, shape: &[usize]| -> Result<Vec<f32>, EmbedError> {
            let tensor = self.state.take(&key, shape)?;
            // What is missing is named at the end; until then zeros stand for it.
            let zeros = || vec![0.0; shape.iter().product()];
            Ok(tensor.map_or_else(zeros, |tensor| tensor.values))
        };
        let weights = take(format!("{conv}.weight"), &shape)?;
        let mut part = |part: &str| take(format!("{norm}.{part}"), &[outputs]);
        let (gain, offset) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        self.state.discard(&format!("{norm}.num_batches_tracked"));
        let folded = fold(weights, [&gain, &offset, &mean, &variance]);
        let groups = if inputs == 1 { outputs } else { 1 };
        let (weights, bias) = folded;
        let conv = Convolution {
            shape,
            weights,
            bias,
            stride,
            groups,
        };
        Ok(self.graph.convolution(x, conv))
    }
}

/// gain (w x - mean) / sqrt(variance + epsilon) + offset as weights and bias.
fn fold(mut weights: Vec<f32>, norm: [&[f32]; 4]) -> (Vec<f32>, Vec<f32>) {
    let [gain, offset, mean, variance] = norm;
    let fan_in = weights.len() / gain.len();
    let mut bias = Vec::with_capacity(gain.len());
    for (o, row) in weights.chunks_exact_mut(fan_in).enumerate() {
        let factor = f64::from(gain[o]) / (f64::from(variance[o]) + EPSILON).sqrt();
        row.iter_mut()
            .for_each(|w| *w = (f64::from(*w) * factor) as f32);
        bias.push((f64::from(offset[o]) - f64::from(mean[o]) * factor) as f32);
    }
    (weights, bias)
}
