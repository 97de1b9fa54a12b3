//! Dense layers on their way from one library to the other.

use crate::convert::{ConvertError, StateDict};

/// y = W x + b, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::convert) struct Dense {
    pub(in crate::convert) inputs: usize,
    pub(in crate::convert) outputs: usize,
    pub(in crate::convert) weights: Vec<f32>,
    pub(in crate::convert) bias: Vec<f32>,
}

impl Dense {
    /// Takes a PyTorch linear layer of this many inputs, or of any number behind a missing one; `None`, and keys noted
    /// as missing, if it is not there.
    pub(in crate::convert) fn take(
        state: &mut StateDict<'_>,
        key: &str,
        inputs: Option<usize>,
    ) -> Result<Option<Self>, ConvertError> {
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{key}.{part}"));
        let shape = state.shape(&weight).or_else(|| state.shape(&bias));
        let outputs = shape.and_then(|shape| shape.first()).copied().unwrap_or(0);
        let own = state.shape(&weight).and_then(|shape| shape.get(1)).copied();
        let inputs = inputs.or(own).unwrap_or(0);
        let weights = state.take(&weight, &[outputs, inputs])?;
        let bias = state.take(&bias, &[outputs])?;
        Ok(weights.zip(bias).map(|(weights, bias)| Self {
            inputs,
            outputs,
            weights: weights.values,
            bias: bias.values,
        }))
    }

    /// Takes a linear layer without a bias.
    pub(in crate::convert) fn take_unbiased(
        state: &mut StateDict<'_>,
        key: &str,
        inputs: Option<usize>,
    ) -> Result<Option<Self>, ConvertError> {
        let key = format!("{key}.weight");
        let shape = state.shape(&key).unwrap_or_default().to_vec();
        let outputs = shape.first().copied().unwrap_or(0);
        let inputs = inputs.or(shape.get(1).copied()).unwrap_or(0);
        let weights = state.take(&key, &[outputs, inputs])?;
        Ok(weights.map(|weights| Self {
            inputs,
            outputs,
            weights: weights.values,
            bias: vec![0.0; outputs],
        }))
    }

    /// The layer that ignores its input and gives zeros.
    pub(in crate::convert) fn zeros(inputs: usize, outputs: usize) -> Self {
        let (weights, bias) = (vec![0.0; inputs * outputs], vec![0.0; outputs]);
        Self {
            inputs,
            outputs,
            weights,
            bias,
        }
    }

    /// Numbers of inputs and outputs.
    pub(in crate::convert) const fn sizes(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    fn row(&self, output: usize) -> &[f32] {
        &self.weights[output * self.inputs..(output + 1) * self.inputs]
    }

    /// Only these inputs, in this order.
    pub(in crate::convert) fn columns(&self, columns: &[usize]) -> Self {
        let rows = (0..self.outputs).map(|output| self.row(output));
        Self {
            inputs: columns.len(),
            weights: rows
                .flat_map(|row| columns.iter().map(|&column| row[column]))
                .collect(),
            ..self.clone()
        }
    }

    /// Only these outputs, in this order, each times a factor.
    pub(in crate::convert) fn rows(&self, rows: &[(usize, f32)]) -> Self {
        let weights = rows
            .iter()
            .flat_map(|&(row, factor)| self.row(row).iter().map(move |w| w * factor));
        Self {
            outputs: rows.len(),
            weights: weights.collect(),
            bias: rows
                .iter()
                .map(|&(row, factor)| self.bias[row] * factor)
                .collect(),
            ..self.clone()
        }
    }

    /// One layer after the other on the diagonal: [a(x_1), b(x_2)].
    pub(in crate::convert) fn beside(&self, other: &Self) -> Self {
        let mut joined = Self::zeros(self.inputs + other.inputs, self.outputs + other.outputs);
        joined.place(self, 0, 0, 1.0);
        joined.place(other, self.outputs, self.inputs, 1.0);
        joined.bias = [self.bias.as_slice(), &other.bias].concat();
        joined
    }

    /// Both layers of the same input: [a(x), b(x)].
    pub(in crate::convert) fn over(&self, other: &Self) -> Self {
        Self {
            inputs: self.inputs,
            outputs: self.outputs + other.outputs,
            weights: [self.weights.as_slice(), &other.weights].concat(),
            bias: [self.bias.as_slice(), &other.bias].concat(),
        }
    }

    /// The same layer among more inputs and outputs, which have zeros.
    pub(in crate::convert) fn padded(&self, inputs: usize, outputs: usize) -> Self {
        let mut padded = Self::zeros(inputs, outputs);
        padded.place(self, 0, 0, 1.0);
        padded.bias[..self.outputs].copy_from_slice(&self.bias);
        padded
    }

    /// Copies weights, times a factor, to a place.
    pub(in crate::convert) fn place(
        &mut self,
        part: &Self,
        row: usize,
        column: usize,
        factor: f32,
    ) {
        for output in 0..part.outputs {
            let start = (row + output) * self.inputs + column;
            for (to, from) in self.weights[start..].iter_mut().zip(part.row(output)) {
                *to = from * factor;
            }
        }
    }

    /// A layer behind leaky ReLUs as one behind ReLUs of twice the units: leaky(h) = relu(h) - slope relu(-h).
    pub(super) fn behind_leaky(&self, slope: f64) -> Self {
        let rows = (0..self.outputs).map(|output| self.row(output));
        let negative = |&weight: &f32| (-slope * f64::from(weight)) as f32;
        let weights = rows.flat_map(|row| row.iter().copied().chain(row.iter().map(negative)));
        Self {
            inputs: 2 * self.inputs,
            outputs: self.outputs,
            weights: weights.collect(),
            bias: self.bias.clone(),
        }
    }

    /// [y, -y], which a relu follows.
    pub(super) fn crelu(&self) -> Self {
        let rows: Vec<(usize, f32)> = (0..self.outputs).map(|row| (row, -1.0)).collect();
        self.over(&self.rows(&rows))
    }

    /// Outputs raw_scale, then shift, of one that gives shifts alone.
    pub(in crate::convert) fn additive(&self) -> Self {
        Self::zeros(self.inputs, self.outputs).over(self)
    }
}

/// Layers with leaky ReLUs between, as layers with ReLUs; the same ones for a slope of 0.
pub(in crate::convert) fn with_relus(layers: Vec<Dense>, slope: f64) -> Vec<Dense> {
    if slope == 0.0 {
        return layers;
    }
    let last = layers.len().saturating_sub(1);
    let layers = layers.into_iter().enumerate().map(|(k, layer)| {
        let layer = if k > 0 {
            layer.behind_leaky(slope)
        } else {
            layer
        };
        if k < last { layer.crelu() } else { layer }
    });
    layers.collect()
}
