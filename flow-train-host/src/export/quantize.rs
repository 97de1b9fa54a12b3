//! Records in integers: 8-bit weights, 16-bit activations.
//!
//! Scales are symmetric. An activation's scale spans its largest magnitude on the calibration data
//! with a quarter to spare: at 16 bits the lost third of a bit costs nothing, and inputs a little
//! beyond the data stay linear. Buffers that are added or mixed share one scale, so that the engine
//! adds integers. Weights have one scale an output channel. Every log_det is that of the stored
//! integers.

use super::ExportError;
use super::lower::{LoweredCoupling, LoweredFlow, Scaling};
use super::numbers::{At, Numbers, Padded};
use super::pack::pad;
use super::pixels::Pixels;
use super::ranges::Ranges;
use super::volume::ln_abs_det;
use flow_infer::engine::{LATENT_FRACTION_BITS, LOG_SCALE_STEPS_PER_OCTAVE};
use flow_infer::plan::{
    Dequantization, LayerKind, NumberFormat, TABLE_ENTRIES, TABLE_REACH, TABLE_STEPS_PER_UNIT,
};
use flow_infer::spec::units::{ENERGY_FRACTION_BITS, LN_2};

/// Room above the calibration data's largest activation.
const HEADROOM: f64 = 1.25;
/// Largest magnitude of an activation.
const ACTIVATION_LIMIT: f64 = 32767.0;
/// Largest magnitude of a weight; symmetric, so that a row can be negated.
const WEIGHT_LIMIT: f64 = 127.0;
/// What an accumulator may reach: 2^31 less room for the bias's rounding.
const SUM_LIMIT: f64 = 2_147_483_000.0;

const LATENT_ONE: f64 = (1u64 << LATENT_FRACTION_BITS) as f64;
/// One of a bound, in grid steps.
const BOUND_ONE: f64 = 256.0;
const ENERGY_ONE: f64 = (1u64 << ENERGY_FRACTION_BITS) as f64;

/// Weights of one output channel as integers with their scale.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedRow {
    /// Weights.
    pub weights: Vec<i8>,
    /// Value of one.
    pub scale: f64,
    /// Bias, on the scale of the sum.
    pub bias: f64,
}

/// How weights become integers: rounding to nearest, or something better.
pub trait Rounding: Sync {
    /// Rounds one output channel to multiples of `scale`; `padded` has all channels of the layer,
    /// `row` says which.
    fn round(&self, at: At<'_>, padded: &Padded, row: usize, scale: f64) -> QuantizedRow;
}

/// Each weight to its nearest integer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nearest;

impl Rounding for Nearest {
    fn round(&self, _: At<'_>, padded: &Padded, row: usize, scale: f64) -> QuantizedRow {
        let weights = padded.row(row);
        QuantizedRow {
            weights: weights
                .iter()
                .map(|&w| nearest(f64::from(w) / scale))
                .collect(),
            scale,
            bias: f64::from(padded.bias[row]),
        }
    }
}

/// The value of one for a row of weights: its largest magnitude is 127.
pub fn row_scale(weights: &[f32]) -> f64 {
    let largest = weights
        .iter()
        .fold(0.0f64, |m, &w| m.max(f64::from(w.abs())));
    if largest > 0.0 {
        largest / WEIGHT_LIMIT
    } else {
        1.0
    }
}

/// A weight as an integer.
pub fn nearest(value: f64) -> i8 {
    value.round().clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT) as i8
}

/// Integer records of a flow: needs the ranges of its activations.
#[derive(Debug)]
pub struct QuantizedNumbers<R> {
    /// Value of one for the activations of each buffer of each step.
    scales: Vec<Vec<f64>>,
    rounding: R,
}

impl<R: Rounding> QuantizedNumbers<R> {
    /// Chooses the scales of all activations.
    pub fn new(flow: &LoweredFlow, ranges: &Ranges, rounding: R) -> Self {
        let steps = flow.steps.iter().zip(&ranges.0);
        let scales = steps.map(|(step, ranges)| match step.network() {
            Some(network) => activation_scales(network, ranges),
            None => Vec::new(),
        });
        Self {
            scales: scales.collect(),
            rounding,
        }
    }

    /// Value of one for the activations of a buffer.
    pub fn scale(&self, step: usize, buffer: u8) -> f64 {
        self.scales[step][usize::from(buffer)]
    }

    fn target_scale(&self, at: At<'_>) -> Option<f64> {
        at.layer.target.map(|target| self.scale(at.step, target))
    }

    fn scaling_of<'l>(&self, at: At<'l>) -> Result<&'l Scaling, ExportError> {
        at.layer.scaling.as_ref().ok_or(ExportError::Range {
            step: at.step,
            what: "a layer without gains",
        })
    }
}

/// Buffers that are added, mixed or merely activated share a scale: the largest that one of them
/// needs.
fn activation_scales(coupling: &LoweredCoupling, ranges: &[f32]) -> Vec<f64> {
    let mut group: Vec<usize> = (0..coupling.buffers.len()).collect();
    let mut join = |a: u8, b: u8| {
        let (from, to) = (group[usize::from(a)], group[usize::from(b)]);
        group
            .iter_mut()
            .filter(|g| **g == from)
            .for_each(|g| *g = to);
    };
    for layer in &coupling.layers {
        let Some(target) = layer.target else { continue };
        if let Some(residual) = layer.residual {
            join(residual, target);
        }
        match layer.kind {
            LayerKind::Map if layer.scaling.is_none() => join(layer.source, target),
            LayerKind::Gate { carry, .. } => {
                join(layer.source, target);
                join(carry, target);
            }
            _ => {}
        }
    }
    let mut scales: Vec<f64> = (0..group.len())
        .map(|g| {
            let members = group.iter().zip(ranges).filter(|(m, _)| **m == g);
            let largest = members.fold(0.0f64, |m, (_, &r)| m.max(f64::from(r)));
            (largest * HEADROOM).max(1e-6) / ACTIVATION_LIMIT
        })
        .collect();
    widen_for_multipliers(coupling, &group, &mut scales);
    group.iter().map(|&g| scales[g]).collect()
}

/// Multipliers and gains have 31 bits: where a layer's output is too fine beside its source, the
/// output gets coarser.
fn widen_for_multipliers(coupling: &LoweredCoupling, group: &[usize], scales: &mut [f64]) {
    const MOST: f64 = 2_140_000_000.0;
    let largest = |values: &[f32]| {
        values
            .iter()
            .fold(0.0, |m: f64, v| m.max(f64::from(v.abs())))
    };
    for layer in &coupling.layers {
        let Some(target) = layer.target else { continue };
        let source = scales
            .get(group[usize::from(layer.source)])
            .copied()
            .unwrap_or(0.0);
        let gain = layer.scaling.as_ref().map_or(0.0, |s| largest(&s.gain));
        let finest = match layer.kind {
            LayerKind::Conv(_) | LayerKind::ConvTransposed(_) => {
                let padded = pad(layer, coupling.buffers[usize::from(layer.source)]);
                let rows = padded
                    .weights
                    .chunks_exact(padded.fan_in)
                    .map(row_scale_of_used);
                rows.fold(0.0, f64::max) * source * 2f64.powi(32) / MOST
            }
            LayerKind::Input { .. } => gain / LATENT_ONE * 2f64.powi(32) / MOST,
            LayerKind::Map => gain * source * 65536.0 / MOST,
            LayerKind::Gate { .. } => 0.0,
        };
        let scale = &mut scales[group[usize::from(target)]];
        *scale = scale.max(finest);
    }
}

/// Zero for a row without weights, which no multiplier concerns.
fn row_scale_of_used(row: &[f32]) -> f64 {
    if row.iter().all(|&w| w == 0.0) {
        0.0
    } else {
        row_scale(row)
    }
}

fn ints(values: impl IntoIterator<Item = i32>) -> Vec<u8> {
    values.into_iter().flat_map(i32::to_le_bytes).collect()
}

fn fits(value: f64, step: usize, what: &'static str) -> Result<i32, ExportError> {
    let rounded = value.round();
    if rounded.abs() <= f64::from(i32::MAX) {
        Ok(rounded as i32)
    } else {
        Err(ExportError::Range { step, what })
    }
}

/// A positive factor as a mantissa of 30 fraction bits in [1, 2) and a power of two.
fn normalized(factor: f64) -> (i32, i32) {
    let exponent = factor.log2().floor() as i32;
    let mantissa = (factor * 2f64.powi(30 - exponent)).round();
    if mantissa >= 2f64.powi(31) {
        (1 << 30, exponent + 1)
    } else {
        (mantissa as i32, exponent)
    }
}

impl<R: Rounding> Numbers for QuantizedNumbers<R> {
    fn format(&self) -> NumberFormat {
        NumberFormat::Q8
    }

    fn image_table(&self, margin: f32, dequantization: Dequantization) -> Vec<u8> {
        let latents = Pixels {
            margin,
            dequantization,
            latent_one: LATENT_ONE,
        };
        ints(latents.entries().flat_map(|(latent, log_det)| {
            [
                (latent * LATENT_ONE).round() as i32,
                (log_det * ENERGY_ONE).round() as i32,
            ]
        }))
    }

    fn standardization(
        &self,
        mean: &[f32],
        deviation: &[f32],
    ) -> Result<(Vec<u8>, Vec<f64>), ExportError> {
        let mut records = Vec::new();
        let mut log_scales = Vec::new();
        for (&mean, &deviation) in mean.iter().zip(deviation) {
            let (mean, deviation) = (f64::from(mean), f64::from(deviation));
            // 32 deviations around the mean lie within the measurement's 2^30.
            let reach = mean.abs() + 32.0 * deviation;
            let exponent = (29.0 - reach.log2()).floor() as i32;
            let factor = LATENT_ONE / (deviation * 2f64.powi(exponent));
            let (mantissa, power) = normalized(factor);
            let shift = 30 - power;
            if !(1..=62).contains(&shift) || !(-160..=160).contains(&exponent) {
                return Err(ExportError::Range {
                    step: 0,
                    what: "a deviation that is too small beside its mean",
                });
            }
            let centre = fits(mean * 2f64.powi(exponent), 0, "a mean")?;
            records.extend([exponent, centre, mantissa, shift]);
            log_scales.push(
                f64::from(mantissa).ln()
                    + f64::from(exponent - shift - LATENT_FRACTION_BITS as i32) * LN_2,
            );
        }
        Ok((ints(records), log_scales))
    }

    /// 16 bits: a row has as many weights as there are measurements, and flash is short.
    fn whitening_row(&self, row: &[f32]) -> Result<(Vec<u8>, Vec<f64>), ExportError> {
        let out_of_range = ExportError::Range {
            step: 0,
            what: "a row of the whitening",
        };
        let largest = row.iter().fold(0.0f64, |m, &w| m.max(f64::from(w.abs())));
        // The largest power of two that keeps every weight within 2^15 - 1.
        let shift = (f64::from(i16::MAX) / largest).log2().floor();
        if !(1.0..=62.0).contains(&shift) {
            return Err(out_of_range);
        }
        let unit = shift.exp2();
        let weights = row.iter().map(|&w| (f64::from(w) * unit).round() as i16);
        let mut bytes = (shift as i32).to_le_bytes().to_vec();
        bytes.extend(weights.clone().flat_map(i16::to_le_bytes));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        Ok((bytes, weights.map(|w| f64::from(w) / unit).collect()))
    }

    fn table(&self, function: &dyn Fn(f64) -> f64) -> Option<Vec<u8>> {
        let entry = |i: usize| {
            let at = (i as f64 - 1.0) / f64::from(TABLE_STEPS_PER_UNIT) - f64::from(TABLE_REACH);
            (function(at) * ENERGY_ONE).round() as i32
        };
        Some(ints((0..TABLE_ENTRIES).map(entry)))
    }

    fn actnorm(
        &self,
        step: usize,
        shift: &[f32],
        log_scale: &[f32],
    ) -> Result<(Vec<u8>, f64), ExportError> {
        let mut records = Vec::new();
        let mut log_det = 0.0;
        for (&shift, &log_scale) in shift.iter().zip(log_scale) {
            let (mantissa, exponent) = normalized(f64::from(log_scale).exp());
            if !(-16..=15).contains(&exponent) {
                return Err(ExportError::Range {
                    step,
                    what: "an actnorm scale",
                });
            }
            let shift = fits(f64::from(shift) * LATENT_ONE, step, "an actnorm shift")?;
            records.extend([shift, mantissa, exponent]);
            log_det += f64::from(mantissa).ln() + f64::from(exponent - 30) * LN_2;
        }
        Ok((ints(records), log_det))
    }

    fn linear(
        &self,
        step: usize,
        weights: &[f32],
        channels: usize,
    ) -> Result<(Vec<u8>, f64), ExportError> {
        const ONE: f64 = (1u64 << 24) as f64;
        let what = "a weight of an invertible_linear";
        let stored: Vec<i32> = weights
            .iter()
            .map(|&w| fits(f64::from(w) * ONE, step, what))
            .collect::<Result<_, _>>()?;
        let sum = |row: &[i32]| row.iter().map(|w| i64::from(w.unsigned_abs())).sum::<i64>();
        if stored
            .chunks_exact(channels)
            .any(|row| sum(row) > i64::from(i32::MAX))
        {
            return Err(ExportError::Range { step, what });
        }
        let matrix = stored.iter().map(|&w| f64::from(w) / ONE).collect();
        let log_det = ln_abs_det(matrix, channels).ok_or(ExportError::Singular { step })?;
        Ok((ints(stored), log_det))
    }

    fn bounds(&self, step: usize, bound: &[f32]) -> Result<Vec<u8>, ExportError> {
        let unit = f64::from(LOG_SCALE_STEPS_PER_OCTAVE) / LN_2 * BOUND_ONE;
        let stored = bound
            .iter()
            .map(|&b| fits(f64::from(b) * unit, step, "a bound of log_scale"));
        Ok(ints(stored.collect::<Result<Vec<_>, _>>()?))
    }

    fn nats(&self, step: usize, last: u8) -> Result<Vec<u8>, ExportError> {
        let one = fits(
            self.scale(step, last) * ENERGY_ONE,
            step,
            "a ratio net's output",
        )?;
        Ok(ints([one]))
    }

    fn convolution(&self, at: At<'_>, padded: &Padded) -> Result<(Vec<u8>, Vec<u8>), ExportError> {
        let source = self.scale(at.step, at.layer.source);
        let mut weights = Vec::with_capacity(padded.weights.len());
        let mut records = Vec::new();
        for row in 0..padded.bias.len() {
            let quantized = self.fitting_row(at, padded, row, source);
            let sum_scale = quantized.scale * source;
            let bias = fits(quantized.bias / sum_scale, at.step, "a bias")?;
            let (target, shift) = match self.target_scale(at) {
                Some(scale) => (scale, 32),
                None => (1.0 / LATENT_ONE, 20),
            };
            let multiplier = fits(
                sum_scale / target * 2f64.powi(shift),
                at.step,
                "a multiplier",
            )?;
            weights.extend(quantized.weights.iter().map(|&w| w as u8));
            records.extend([bias, multiplier]);
        }
        Ok((weights, ints(records)))
    }

    fn input(&self, at: At<'_>) -> Result<Vec<u8>, ExportError> {
        let target = self.target_scale(at).unwrap_or(1.0);
        let scaling = self.scaling_of(at)?;
        let mut records = Vec::new();
        for (&gain, &offset) in scaling.gain.iter().zip(&scaling.offset) {
            let factor = f64::from(gain) / LATENT_ONE / target * 2f64.powi(32);
            records.push(fits(factor, at.step, "an input gain")?);
            records.push(fits(
                f64::from(offset) / target,
                at.step,
                "an input offset",
            )?);
        }
        Ok(ints(records))
    }

    fn map(&self, at: At<'_>) -> Result<Vec<u8>, ExportError> {
        let target = self.target_scale(at).unwrap_or(1.0);
        let source = self.scale(at.step, at.layer.source);
        let scaling = self.scaling_of(at)?;
        let mut records = Vec::new();
        for (&gain, &offset) in scaling.gain.iter().zip(&scaling.offset) {
            let factor = f64::from(gain) * source / target * 65536.0;
            records.push(fits(factor, at.step, "a gain")?);
            records.push(fits(f64::from(offset) / target, at.step, "an offset")?);
        }
        records.resize(
            records.len().next_multiple_of(2 * flow_infer::plan::LANES),
            0,
        );
        Ok(ints(records))
    }

    fn gate(&self, at: At<'_>, gate: u8) -> Result<Vec<u8>, ExportError> {
        let factor = self.scale(at.step, gate) * LATENT_ONE * 4096.0;
        Ok(ints([fits(factor, at.step, "a gate's multiplier")?]))
    }
}

impl<R: Rounding> QuantizedNumbers<R> {
    /// A row of which no sum can leave 32 bits: on a coarser scale where the finest would, for its
    /// bias or for its weights.
    fn fitting_row(&self, at: At<'_>, padded: &Padded, row: usize, source: f64) -> QuantizedRow {
        let for_bias = f64::from(padded.bias[row]).abs() / (source * SUM_LIMIT / 2.0);
        let mut scale = row_scale(padded.row(row)).max(for_bias);
        loop {
            let mut quantized = self.rounding.round(at, padded, row, scale);
            if quantized.weights.iter().all(|&w| w == 0) {
                // Only the bias counts: give it 20 bits.
                quantized.scale = (quantized.bias.abs() / source).max(1e-9) * 2f64.powi(-20);
            }
            let sum = largest_sum(&quantized, source);
            if sum <= SUM_LIMIT {
                return quantized;
            }
            scale *= (sum / SUM_LIMIT).max(1.01);
        }
    }
}

fn largest_sum(row: &QuantizedRow, source: f64) -> f64 {
    let magnitudes = row.weights.iter().map(|&w| f64::from(w.unsigned_abs()));
    magnitudes.sum::<f64>() * ACTIVATION_LIMIT + (row.bias / (row.scale * source)).abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::lower::LoweredLayer;
    use flow_infer::plan::{Activation, Window};

    /// A row of more weights than fit even as ones: halving what was already rounded would never
    /// end.
    #[test]
    fn the_longest_rows_fit_their_sums() {
        const WEIGHTS: usize = 70_000;
        let window = Window {
            height: 1,
            width: 1,
            stride: 1,
            pad: 0,
        };
        let layer = LoweredLayer {
            kind: LayerKind::Conv(window),
            source: 0,
            target: None,
            residual: None,
            activation: Activation::Identity,
            weights: Vec::new(),
            bias: Vec::new(),
            scaling: None,
        };
        let numbers = QuantizedNumbers {
            scales: Vec::new(),
            rounding: Nearest,
        };
        let at = At {
            step: 0,
            index: 0,
            layer: &layer,
        };
        let tilted = |i: usize| 1.0 - i as f32 / WEIGHTS as f32;
        for (weights, bias) in [
            (vec![1.0; WEIGHTS], 0.02),
            ((0..WEIGHTS).map(tilted).collect(), 0.0),
            (vec![1e-6; WEIGHTS], 1e6),
            (vec![0.0; WEIGHTS], 3.0),
        ] {
            let padded = Padded {
                weights,
                bias: vec![bias],
                fan_in: WEIGHTS,
            };
            let row = numbers.fitting_row(at, &padded, 0, 1e-4);
            assert!(largest_sum(&row, 1e-4) <= SUM_LIMIT);
            assert!(row.scale.is_finite() && row.scale > 0.0);
        }
    }
}
