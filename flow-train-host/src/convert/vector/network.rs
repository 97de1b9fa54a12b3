//! Conditioners of vectors: what a chain needs of them, whatever their form.

use super::{Dense, Residual};
use crate::model::Tensor;
use flow_infer::spec::ConditionerSpec;
use std::collections::BTreeMap;

/// Most weights that padding may make of one.
const MAX_PADDING: usize = 64;

/// A conditioner of theirs: reads the kept coordinates, gives raw_scale of every changed one, then shift of every one,
/// in their order.
pub(in crate::convert) enum Network {
    /// Dense layers with relu between; at least two.
    Mlp(Vec<Dense>),
    /// Residual blocks of dense layers.
    Residual(Residual),
}

impl Network {
    /// Only these inputs of the first layer and outputs of the last.
    pub(super) fn cut(mut self, columns: &[usize], rows: &[(usize, f32)]) -> Self {
        match &mut self {
            Self::Mlp(layers) => {
                if let Some(first) = layers.first_mut() {
                    *first = first.columns(columns);
                }
                if let Some(last) = layers.last_mut() {
                    *last = last.rows(rows);
                }
            }
            Self::Residual(net) => {
                net.first = net.first.columns(columns);
                net.last = net.last.rows(rows);
            }
        }
        self
    }

    pub(super) fn spec(&self) -> Option<ConditionerSpec> {
        match self {
            Self::Mlp(layers) => {
                let hidden = hidden(layers);
                let padded = hidden.checked_mul(hidden)?.checked_mul(layers.len())?;
                let weights: usize = layers.iter().map(|layer| layer.weights.len()).sum();
                (padded / MAX_PADDING <= weights + hidden).then_some(())?;
                Some(ConditionerSpec::Mlp {
                    hidden: u16::try_from(hidden).ok()?,
                    layers: u8::try_from(layers.len().checked_sub(2)?).ok()?,
                })
            }
            Self::Residual(net) => net.spec(),
        }
    }

    pub(super) fn tensors(&self, at: &str, tensors: &mut BTreeMap<String, Tensor>) {
        let layers = match self {
            Self::Residual(net) => return net.tensors(at, tensors),
            Self::Mlp(layers) => layers,
        };
        let (hidden, last) = (hidden(layers), layers.len() - 1);
        for (k, layer) in layers.iter().enumerate() {
            let inputs = if k == 0 { layer.inputs } else { hidden };
            let outputs = if k == last { layer.outputs } else { hidden };
            let name = match k {
                0 => format!("{at}in_layer"),
                _ if k == last => format!("{at}out_layer"),
                _ => format!("{at}layers.{}", k - 1),
            };
            let Dense { weights, bias, .. } = layer.padded(inputs, outputs);
            let shape = vec![outputs, inputs];
            tensors.insert(
                format!("{name}.weights"),
                Tensor {
                    shape,
                    values: weights,
                },
            );
            let shape = vec![outputs];
            tensors.insert(
                format!("{name}.bias"),
                Tensor {
                    shape,
                    values: bias,
                },
            );
        }
    }
}

/// Ours has one hidden width; narrower layers get units that are always zero.
fn hidden(layers: &[Dense]) -> usize {
    let inner = &layers[..layers.len().saturating_sub(1)];
    inner.iter().map(|layer| layer.outputs).max().unwrap_or(0)
}
