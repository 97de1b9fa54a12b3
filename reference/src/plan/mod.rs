//! The quantized model in f64: what the integers of a q8 artifact mean, by `documents/format.md`.
//!
//! Part of the model, and so computed here as the format says: 8-bit weights, everything that a conditioner rounds
//! (activations, gates, raw_scale and shift), log_scale on its grid, tables that are constant beyond ±8. Errors of the
//! engine, and so absent here: the rounding of latents, multipliers, determinants and constants, and the interpolation
//! of tables. What lies between the two numbers is the evaluation error.

mod layers;
mod noise;
mod tensors;

use super::{Array, log_prior};
use crate::numeric::Lu;
use flow_infer::artifact::Artifact;
use flow_infer::plan::{Coupling, Dequantization, PlannedInput, PlannedScale, Step};
use flow_infer::spec::{AffineForm, View};
use tensors::Tensors;

/// Fraction bits of a latent.
const LATENT: i32 = 24;
/// Fraction bits of a weight of `invertible_linear`.
const LINEAR: i32 = 24;
/// Fraction bits of a bound, in grid steps.
const BOUND: i32 = 8;
/// Fraction bits of a mantissa.
const MANTISSA: i32 = 30;
/// Grid steps of log_scale in ln 2.
const STEPS_PER_OCTAVE: f64 = 65536.0;
/// Grid steps at which log_scale is held.
const LOWEST_STEP: f64 = -1_048_576.0;
const HIGHEST_STEP: f64 = 1_048_575.0;
/// Beyond this raw_scale a table's end value holds.
const TABLE_REACH: f64 = 8.0;

/// What a quantized flow says about one input.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanEvaluated {
    /// The latent, image-shaped.
    pub z: Vec<f64>,
    /// ln |det dz/dv|, in nats.
    pub log_det: f64,
    /// ln of the density at v, in nats.
    pub log_prob_nats: f64,
    /// What the ratio net says, in nats; zero without one.
    pub ratio_nats: f64,
}

/// The log-probability of an input's bytes (one a coordinate of an image, an f32 each of a vector), averaged over the
/// draws of its noise; latent and log_det are the last draw's.
///
/// # Panics
/// If the artifact is not of the format q8, or the input has another length.
pub fn evaluate_plan(artifact: &Artifact<'_>, input: &[u8]) -> PlanEvaluated {
    let format = artifact.number_format();
    assert_eq!(format, flow_infer::plan::NumberFormat::Q8);
    let tensors = Tensors(artifact.tensors());
    let draws = artifact.input().draws();
    let drawn: Vec<_> = (0..draws)
        .map(|draw| evaluate_draw(artifact, &tensors, input, draw))
        .collect();
    let mean = |of: fn(&PlanEvaluated) -> f64| drawn.iter().map(of).sum::<f64>() / f64::from(draws);
    PlanEvaluated {
        log_prob_nats: mean(|e| e.log_prob_nats),
        ratio_nats: mean(|e| e.ratio_nats),
        ..drawn.last().expect("at least one draw").clone()
    }
}

fn evaluate_draw(
    artifact: &Artifact<'_>,
    tensors: &Tensors<'_>,
    input: &[u8],
    draw: u8,
) -> PlanEvaluated {
    let (mut z, mut log_det) = first_latent(artifact.input(), tensors, input, draw);
    let mut ratio_nats = 0.0;
    for step in artifact.steps() {
        log_det += match step.expect("a loaded artifact's steps decode") {
            Step::Actnorm { view, records } => actnorm(tensors, view, records, &mut z),
            Step::InvertibleLinear { view, weights } => linear(tensors, view, weights, &mut z),
            Step::Coupling(coupling) => couple(tensors, &coupling, &mut z),
            Step::Ratio(network) => {
                let last = layers::run(tensors, &network, &latent(network.view, &z));
                let [nats] = tensors.words(network.bounds, 0);
                ratio_nats += last.at(0, 0, 0) * nats * 2f64.powi(-LATENT);
                0.0
            }
        };
    }
    PlanEvaluated {
        log_prob_nats: log_prior(&z) + log_det,
        ratio_nats,
        z,
        log_det,
    }
}

fn first_latent(
    input: &PlannedInput,
    tensors: &Tensors<'_>,
    bytes: &[u8],
    draw: u8,
) -> (Vec<f64>, f64) {
    assert_eq!(bytes.len(), input.byte_len());
    match *input {
        PlannedInput::Image {
            margin,
            dequantization: Dequantization::Midpoint,
            ..
        } => {
            let m = f64::from(margin);
            let mut log_det = 0.0;
            let latent = bytes.iter().map(|&x| {
                let p = (1.0 - 2.0 * m) * (f64::from(x) + 0.5) / 256.0 + m;
                log_det += (1.0 - 2.0 * m).ln() - p.ln() - (1.0 - p).ln() - 256f64.ln();
                (p / (1.0 - p)).ln()
            });
            (latent.collect(), log_det)
        }
        PlannedInput::Image {
            margin,
            dequantization: Dequantization::Drawn { seed, .. },
            ..
        } => {
            let edge = |x: f64| {
                let p = (1.0 - 2.0 * f64::from(margin)) * x / 256.0 + f64::from(margin);
                (p / (1.0 - p)).ln()
            };
            let mut log_det = 0.0;
            let noise = noise::noise(seed, draw, bytes);
            let latent = bytes.iter().zip(noise).map(|(&x, u)| {
                let (from, to) = (edge(f64::from(x)), edge(f64::from(x) + 1.0));
                log_det += (to - from).ln();
                from + u * (to - from)
            });
            (latent.collect(), log_det)
        }
        PlannedInput::Vector { records, .. } => {
            let (latent, scales) = standardized(tensors, records, bytes);
            (latent, scales.iter().map(|s| s.ln()).sum())
        }
        PlannedInput::Whitened {
            measured,
            dims,
            records,
            rows,
        } => {
            let (inputs, scales) = standardized(tensors, records, bytes);
            let row = |d| tensors.whitening_row(rows, d, measured.into());
            let rows: Vec<Vec<f64>> = (0..usize::from(dims)).map(row).collect();
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let latent = rows.iter().map(|row| dot(row, &inputs)).collect();
            let scaled = rows
                .iter()
                .map(|row| row.iter().zip(&scales).map(|(w, s)| w * s).collect());
            let scaled: Vec<Vec<f64>> = scaled.collect();
            let gram = scaled
                .iter()
                .flat_map(|a| scaled.iter().map(move |b| dot(a, b)));
            let gram = Lu::new(gram.collect(), scaled.len());
            (latent, gram.ln_abs_det() / 2.0)
        }
    }
}

/// Standardized measurements, and the slope of each.
fn standardized(tensors: &Tensors<'_>, records: u32, bytes: &[u8]) -> (Vec<f64>, Vec<f64>) {
    let one = |(i, four): (usize, &[u8])| {
        let x = f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let [exponent, mean, mantissa, shift] = tensors.words(records, i);
        let scale = mantissa * 2f64.powf(-shift - f64::from(LATENT));
        let value = (f64::from(x) * 2f64.powf(exponent) - mean) * scale;
        (value, scale * 2f64.powf(exponent))
    };
    bytes.chunks_exact(4).enumerate().map(one).unzip()
}

/// y = (x + shift) mantissa 2^(exponent - 30), per channel.
fn actnorm(tensors: &Tensors<'_>, view: View, records: u32, z: &mut [f64]) -> f64 {
    let mut log_det = 0.0;
    for (c, positions) in positions(view).into_iter().enumerate() {
        let [shift, mantissa, exponent] = tensors.words(records, c);
        let scale = mantissa * 2f64.powf(exponent - f64::from(MANTISSA));
        for at in positions {
            z[at] = (z[at] + shift * 2f64.powi(-LATENT)) * scale;
            log_det += scale.ln();
        }
    }
    log_det
}

/// y_i = Σ_j W_ij x_j 2^-24, per pixel.
fn linear(tensors: &Tensors<'_>, view: View, weights: u32, z: &mut [f64]) -> f64 {
    let n = view.channels();
    let weights: Vec<f64> = (0..n * n)
        .map(|k| tensors.words::<1>(weights, k)[0] * 2f64.powi(-LINEAR))
        .collect();
    let positions = positions(view);
    let pixels = view.shape().pixels();
    for pixel in 0..pixels {
        let x: Vec<f64> = positions.iter().map(|channel| z[channel[pixel]]).collect();
        for i in 0..n {
            z[positions[i][pixel]] = (0..n).map(|j| weights[i * n + j] * x[j]).sum();
        }
    }
    pixels as f64 * Lu::new(weights, n).ln_abs_det()
}

fn couple(tensors: &Tensors<'_>, coupling: &Coupling, z: &mut [f64]) -> f64 {
    let view = coupling.view;
    let shape = view.shape();
    let positions = positions(view);
    let width = usize::from(shape.width);
    let outputs = layers::run(tensors, coupling, &latent(view, z));
    let (first, count) = coupling.mask.changed_channels(view.channels());
    let mut steps = 0.0;
    for i in 0..count {
        let [bound] = tensors.words(coupling.bounds, i);
        for (pixel, &at) in positions[first + i].iter().enumerate() {
            let (y, x) = (pixel / width, pixel % width);
            if !coupling.mask.is_changed(first + i, y, x, shape) {
                continue;
            }
            let (raw_scale, shift) = (outputs.at(2 * i, y, x), outputs.at(2 * i + 1, y, x));
            let mapped = scale_map(coupling.scale, raw_scale) * bound * 2f64.powi(-BOUND);
            let step = (mapped + 0.5).floor().clamp(LOWEST_STEP, HIGHEST_STEP);
            let multiplier = (step / STEPS_PER_OCTAVE).exp2();
            z[at] = match coupling.affine {
                AffineForm::ShiftThenScale => (z[at] + shift) * multiplier,
                AffineForm::ScaleThenShift => z[at] * multiplier + shift,
            };
            steps += step;
        }
    }
    steps * std::f64::consts::LN_2 / STEPS_PER_OCTAVE
}

fn scale_map(scale: PlannedScale, raw_scale: f64) -> f64 {
    let held = raw_scale.clamp(-TABLE_REACH, TABLE_REACH);
    match scale {
        PlannedScale::Tanh => held.tanh(),
        PlannedScale::Linear => raw_scale,
        PlannedScale::Atan => held.atan(),
        PlannedScale::Softsign => held / (1.0 + held.abs()),
        PlannedScale::SigmoidInverse => -super::ops::sigmoid(held).ln(),
        PlannedScale::Softplus { floor, most } => (held.exp().ln_1p() + f64::from(floor))
            .min(f64::from(most))
            .ln(),
        PlannedScale::Sigmoid { floor } => (super::ops::sigmoid(held) + f64::from(floor)).ln(),
    }
}

/// Where every channel's pixels lie in the latent, row by row.
fn positions(view: View) -> Vec<Vec<usize>> {
    let shape = view.shape();
    let pixels = |c| {
        (0..usize::from(shape.height))
            .flat_map(move |y| (0..usize::from(shape.width)).map(move |x| view.offset(c, y, x)))
    };
    (0..view.channels()).map(|c| pixels(c).collect()).collect()
}

fn latent(view: View, z: &[f64]) -> Array {
    let values = positions(view).into_iter().flatten().map(|at| z[at]);
    Array::new(view.shape(), values.collect())
}
