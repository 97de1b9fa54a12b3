//! Residual networks of dense layers, as our `Resnet` on an image of one pixel.
//!
//! Theirs is h = W x + b; blocks h ← h + B relu(n_b(A relu(n_a(h)))); out = F h, without a relu at either end. Ours
//! reads [relu(x), relu(-x)], from which W x follows as [W, -W]; and gives out from relu(h), so that both h and -h
//! are carried, in twice the channels, and F h follows as [F, -F]. Only the centre of a 3x3 kernel ever meets the
//! one pixel. Exact, and not small: four times the weights of their layers, nine with the kernels' zeros.
//!
//! A leaky ReLU is relu(h) - slope relu(-h), for which both signs are there already.

use super::Dense;
use crate::model::Tensor;
use flow_infer::spec::{ConditionerSpec, Norm};
use std::collections::BTreeMap;

/// Batch norm with stored statistics, as the model's tensors have it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::convert) struct Statistics {
    pub(in crate::convert) gain: Vec<f32>,
    pub(in crate::convert) offset: Vec<f32>,
    pub(in crate::convert) mean: Vec<f32>,
    pub(in crate::convert) variance: Vec<f32>,
}

/// What our batch norm adds to a variance.
pub(in crate::convert) const VARIANCE_OFFSET: f64 = 1e-5;

impl Statistics {
    /// Changes nothing.
    fn identity(channels: usize) -> Self {
        Self {
            gain: vec![1.0; channels],
            offset: vec![0.0; channels],
            mean: vec![0.0; channels],
            variance: vec![(1.0 - VARIANCE_OFFSET) as f32; channels],
        }
    }

    /// For [h, -h]: the second half gives the negative of the first.
    fn doubled(&self) -> Self {
        let both = |values: &[f32], sign: f32| -> Vec<f32> {
            let second = values.iter().map(|value| sign * value);
            values.iter().copied().chain(second).collect()
        };
        Self {
            gain: both(&self.gain, 1.0),
            offset: both(&self.offset, -1.0),
            mean: both(&self.mean, -1.0),
            variance: both(&self.variance, 1.0),
        }
    }
}

/// h ← h + b(act(a(act(norm(h))))).
pub(in crate::convert) struct Block {
    pub(in crate::convert) norm: Option<Statistics>,
    pub(in crate::convert) a: Dense,
    pub(in crate::convert) b: Dense,
}

/// A residual network.
pub(in crate::convert) struct Residual {
    pub(in crate::convert) first: Dense,
    pub(in crate::convert) blocks: Vec<Block>,
    pub(in crate::convert) last: Dense,
    /// Of its leaky ReLUs; 0 for ReLUs.
    pub(in crate::convert) slope: f64,
}

impl Residual {
    pub(super) fn spec(&self) -> Option<ConditionerSpec> {
        Some(ConditionerSpec::Resnet {
            channels: u16::try_from(2 * self.first.outputs).ok()?,
            blocks: u8::try_from(self.blocks.len()).ok()?,
            skip: false,
            norm: if self.has_norm() {
                Norm::Batch
            } else {
                Norm::None
            },
            bottleneck: 0,
        })
    }

    fn has_norm(&self) -> bool {
        self.blocks.iter().any(|block| block.norm.is_some())
    }

    /// Our tensors, for a coupling's name prefix.
    pub(super) fn tensors(&self, at: &str, tensors: &mut BTreeMap<String, Tensor>) {
        let mut add = |name: &str, layer: &Dense, side: usize| {
            let weights = kernels(layer, side);
            let bias = Tensor {
                shape: vec![layer.outputs],
                values: layer.bias.clone(),
            };
            tensors.insert(format!("{at}{name}.weights"), weights);
            tensors.insert(format!("{at}{name}.bias"), bias);
        };
        add("in_conv", &from_both_signs(&self.first, true), 3);
        for (k, block) in self.blocks.iter().enumerate() {
            let hidden = 2 * block.a.inputs;
            let (a, b) = self.inner(block, hidden);
            add(&format!("blocks.{k}.conv_a"), &a, 3);
            add(&format!("blocks.{k}.conv_b"), &b, 3);
        }
        add("out_conv", &from_both_signs(&self.last, false), 1);
        if self.has_norm() {
            self.norms(at, tensors);
        }
    }

    /// A block's two layers on twice the channels.
    fn inner(&self, block: &Block, hidden: usize) -> (Dense, Dense) {
        if self.slope == 0.0 {
            return (
                block.a.padded(hidden, hidden),
                to_both_signs(&block.b, hidden),
            );
        }
        let a = block.a.behind_leaky(self.slope).crelu();
        let b = block.b.behind_leaky(self.slope);
        (a, to_both_signs(&b, hidden))
    }

    fn norms(&self, at: &str, tensors: &mut BTreeMap<String, Tensor>) {
        let hidden = 2 * self.first.outputs;
        let mut add = |name: &str, norm: Statistics| {
            let Statistics {
                gain,
                offset,
                mean,
                variance,
            } = norm;
            let parts = [
                ("gain", gain),
                ("offset", offset),
                ("mean", mean),
                ("variance", variance),
            ];
            for (part, values) in parts {
                let shape = vec![values.len()];
                tensors.insert(format!("{at}{name}.{part}"), Tensor { shape, values });
            }
        };
        add("in_norm", Statistics::identity(self.first.inputs));
        add("out_norm", Statistics::identity(hidden));
        for (k, block) in self.blocks.iter().enumerate() {
            let norm = block.norm.as_ref().map(Statistics::doubled);
            add(
                &format!("blocks.{k}.norm_a"),
                norm.unwrap_or(Statistics::identity(hidden)),
            );
            add(&format!("blocks.{k}.norm_b"), Statistics::identity(hidden));
        }
    }
}

/// A layer of x as one of [relu(x), relu(-x)]; if asked for, it gives [y, -y].
fn from_both_signs(layer: &Dense, both: bool) -> Dense {
    let outputs = if both {
        2 * layer.outputs
    } else {
        layer.outputs
    };
    let mut wide = Dense::zeros(2 * layer.inputs, outputs);
    for (sign, row) in [(1.0, 0), (-1.0, layer.outputs)] {
        if row < outputs {
            wide.place(layer, row, 0, sign);
            wide.place(layer, row, layer.inputs, -sign);
            for (to, from) in wide.bias[row..].iter_mut().zip(&layer.bias) {
                *to = from * sign;
            }
        }
    }
    wide
}

/// A layer that gives [y, -y] of the first inputs among this many.
fn to_both_signs(layer: &Dense, inputs: usize) -> Dense {
    let rows = |sign| (0..layer.outputs).map(move |row| (row, sign));
    let rows: Vec<(usize, f32)> = rows(1.0).chain(rows(-1.0)).collect();
    layer.rows(&rows).padded(inputs, 2 * layer.outputs)
}

/// Weights at the centre of square kernels.
fn kernels(layer: &Dense, side: usize) -> Tensor {
    let mut values = vec![0.0; layer.weights.len() * side * side];
    let centres = values.iter_mut().skip(side * side / 2).step_by(side * side);
    for (to, from) in centres.zip(&layer.weights) {
        *to = *from;
    }
    let shape = vec![layer.outputs, layer.inputs, side, side];
    Tensor { shape, values }
}
