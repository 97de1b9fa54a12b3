//! The layers of conditioners: sums written out.

use super::{Array, Layer, Parameters};

/// Epsilon inside batch norm's square root.
const BATCH_NORM_EPSILON: f64 = 1e-5;
/// Slope of the leaky relu below zero.
const LEAKY_SLOPE: f64 = 0.01;

/// `out[o](y, x) = bias_o + Σ_i Σ_dy Σ_dx W[o, i, dy, dx] in[i](stride y + dy, stride x + dx)`, without padding.
///
/// Weights are out x in x height x width; an axis of n becomes (n - kernel) / stride + 1, rounded down.
pub fn conv2d(input: &Array, layer: &Layer, stride: usize) -> Array {
    let [out, channels, kernel_height, kernel_width] = layer.axes();
    assert_eq!(channels, input.channels);
    let size = (
        out,
        (input.height - kernel_height) / stride + 1,
        (input.width - kernel_width) / stride + 1,
    );
    // The sums run over whole output rows at a time: one weight, one row of the input, one row of the output.
    let (_, height, width) = size;
    let mut output = Array::from_fn(size, |o, _, _| layer.bias[o]);
    for (k, weight) in layer.weights.iter().enumerate() {
        let (o, i) = (
            k / (channels * kernel_height * kernel_width),
            k / (kernel_height * kernel_width) % channels,
        );
        let (dy, dx) = (k / kernel_width % kernel_height, k % kernel_width);
        for y in 0..height {
            let row = &input.row(i, stride * y + dy)[dx..];
            let sums = &mut output.values[(o * height + y) * width..][..width];
            for (sum, value) in sums.iter_mut().zip(row.iter().step_by(stride)) {
                *sum += weight * value;
            }
        }
    }
    output
}

/// A convolution of stride 1 that keeps the size: its input is first padded with zeros, half a kernel on each side.
pub fn conv2d_same(input: &Array, layer: &Layer) -> Array {
    let [_, _, kernel_height, kernel_width] = layer.axes();
    conv2d(&pad(input, kernel_height / 2, kernel_width / 2), layer, 1)
}

/// The input with rows of zeros above and below, columns of zeros left and right.
pub fn pad(input: &Array, rows: usize, columns: usize) -> Array {
    let (channels, height, width) = input.size();
    let size = (channels, height + 2 * rows, width + 2 * columns);
    Array::from_fn(size, |c, y, x| {
        let inside = (rows..rows + height).contains(&y) && (columns..columns + width).contains(&x);
        if inside {
            input.at(c, y - rows, x - columns)
        } else {
            0.0
        }
    })
}

/// `out[o](stride y + dy, stride x + dx) = bias_o + Σ W[i, o, dy, dx] in[i](y, x)`, summed over all that land there.
///
/// Weights are in x out x height x width. `height` and `width` are those of the output: at least what the input
/// reaches; rows and columns beyond (the output padding, bottom and right) hold the bias alone.
pub fn conv_transposed(
    input: &Array,
    layer: &Layer,
    stride: usize,
    (height, width): (usize, usize),
) -> Array {
    let [channels, out, kernel_height, kernel_width] = layer.axes();
    assert_eq!(channels, input.channels);
    let mut output = Array::from_fn((out, height, width), |o, _, _| layer.bias[o]);
    for i in 0..channels {
        for o in 0..out {
            for dy in 0..kernel_height {
                for dx in 0..kernel_width {
                    let weight =
                        layer.weights[((i * out + o) * kernel_height + dy) * kernel_width + dx];
                    for y in 0..input.height {
                        for x in 0..input.width {
                            let (to_y, to_x) = (stride * y + dy, stride * x + dx);
                            output.values[(o * height + to_y) * width + to_x] +=
                                weight * input.at(i, y, x);
                        }
                    }
                }
            }
        }
    }
    output
}

/// out_o = bias_o + Σ_i W[o, i] in_i over all values of the input; weights are out x (all other axes).
pub fn dense(input: &[f64], layer: &Layer) -> Vec<f64> {
    let n = input.len();
    assert_eq!(layer.weights.len(), layer.bias.len() * n);
    (0..layer.bias.len())
        .map(|o| {
            layer.bias[o]
                + (0..n)
                    .map(|i| layer.weights[o * n + i] * input[i])
                    .sum::<f64>()
        })
        .collect()
}

/// out_o = bias_o + Σ_i W[i, o] in_i: a dense layer stored with its input axis first, as bottlenecks store `up`.
pub fn dense_input_first(input: &[f64], layer: &Layer) -> Vec<f64> {
    let n = layer.bias.len();
    assert_eq!(layer.weights.len(), input.len() * n);
    (0..n)
        .map(|o| {
            let terms = (0..input.len()).map(|i| layer.weights[i * n + o] * input[i]);
            layer.bias[o] + terms.sum::<f64>()
        })
        .collect()
}

/// Dense down from all values to `down`'s outputs and dense back up to the same size, nothing between.
pub fn bottleneck(input: &Array, at: &Parameters<'_>) -> Array {
    let latent = dense(&input.values, &at.layer("down"));
    let values = dense_input_first(&latent, &at.layer("up"));
    assert_eq!(values.len(), input.values.len());
    Array {
        values,
        ..input.clone()
    }
}

/// gain_c (x - mean_c) / sqrt(variance_c + 1e-5) + offset_c, with stored statistics.
pub fn batch_norm(input: &Array, at: &Parameters<'_>) -> Array {
    let [gain, offset, mean, variance] =
        ["gain", "offset", "mean", "variance"].map(|name| at.values(name));
    Array::from_fn(input.size(), |c, y, x| {
        let deviation = (variance[c] + BATCH_NORM_EPSILON).sqrt();
        gain[c] * (input.at(c, y, x) - mean[c]) / deviation + offset[c]
    })
}

/// max(x, 0).
pub fn relu(input: &Array) -> Array {
    input.map(|x| x.max(0.0))
}

/// x above zero, 0.01 x below.
pub fn leaky_relu(input: &Array) -> Array {
    input.map(|x| if x > 0.0 { x } else { LEAKY_SLOPE * x })
}

/// 1 / (1 + exp(-x)).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
