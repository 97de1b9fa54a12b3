//! The constant of log_prob, recomputed from the stored integers.
//!
//! A determinant that is not that of the stored numbers is the one way in which a file can pass every other check and
//! still not be a normalized density: nothing in its arithmetic would fail, the scores would merely all be off. So
//! every term is computed again, from the bytes of the tensors, as `documents/format.md` describes them.

use super::Finding;
use flow_infer::artifact::Artifact;
use flow_infer::engine::LATENT_FRACTION_BITS;
use flow_infer::plan::{NumberFormat, PlannedInput, Step};
use flow_infer::spec::units::{HALF_LN_2PI, LN_2, LN_256, nats_from_raw};
use flow_train_host::export::volume::{ln_abs_det, ln_volume};

/// Nats that the constant may be off: it is stored in units of 6e-8, and sums of f64 are exact far beyond.
const TOLERANCE_NATS: f64 = 1e-6;

pub(super) fn check(artifact: &Artifact<'_>) -> Finding {
    let stored = nats_from_raw(artifact.plan_head().constant_raw);
    match recomputed(artifact) {
        None => Finding::Bad("a determinant is zero, or its tensor is not there".to_owned()),
        Some(constant) if (constant - stored).abs() <= TOLERANCE_NATS => Finding::Good(format!(
            "{stored:.6} nats: prior and determinants of the stored numbers"
        )),
        Some(constant) => Finding::Bad(format!(
            "{stored:.6} nats stored, but the stored numbers give {constant:.6}"
        )),
    }
}

fn recomputed(artifact: &Artifact<'_>) -> Option<f64> {
    let tensors = Words {
        bytes: artifact.tensors(),
        format: artifact.number_format(),
    };
    let mut constant = input_constant(artifact.input(), tensors)?;
    for step in artifact.steps() {
        constant += match step.ok()? {
            Step::Coupling(_) | Step::Ratio(_) => 0.0,
            Step::Actnorm { view, records } => {
                let log_scale = |c| tensors.actnorm_log_scale(records, c);
                let sum = (0..view.channels()).map(log_scale).sum::<Option<f64>>()?;
                sum * view.shape().pixels() as f64
            }
            Step::InvertibleLinear { view, weights } => {
                let size = view.channels();
                let entries = (0..size * size).map(|i| tensors.linear_weight(weights, i));
                ln_abs_det(entries.collect::<Option<_>>()?, size)? * view.shape().pixels() as f64
            }
        };
    }
    Some(constant)
}

/// The prior's constant and what the map of the input adds for every input.
fn input_constant(input: &PlannedInput, tensors: Words<'_>) -> Option<f64> {
    match *input {
        PlannedInput::Image { shape, margin, .. } => {
            let pixel = (1.0 - 2.0 * f64::from(margin)).ln() - LN_256 - HALF_LN_2PI;
            Some(pixel * shape.len() as f64)
        }
        PlannedInput::Vector { dims, records } => {
            let log_det = |d| tensors.standardization_log_det(records, d);
            let sum = (0..usize::from(dims)).map(log_det).sum::<Option<f64>>()?;
            Some(sum - HALF_LN_2PI * f64::from(dims))
        }
        PlannedInput::Whitened {
            measured,
            dims,
            records,
            rows,
        } => {
            let scales = (0..usize::from(measured))
                .map(|d| tensors.standardization_log_det(records, d).map(f64::exp));
            let scales = scales.collect::<Option<Vec<_>>>()?;
            let row = |row| tensors.whitening_row(rows, row, &scales);
            let map = (0..usize::from(dims)).map(row);
            let volume = ln_volume(map.collect::<Option<_>>()?)?;
            Some(volume - HALF_LN_2PI * f64::from(dims))
        }
    }
}

/// Words of the tensors, as the number format reads them.
#[derive(Clone, Copy)]
struct Words<'t> {
    bytes: &'t [u8],
    format: NumberFormat,
}

impl Words<'_> {
    fn word(&self, offset: u32, index: usize) -> Option<[u8; 4]> {
        let bytes = self.bytes.get(offset as usize..)?.get(4 * index..)?;
        bytes.first_chunk().copied()
    }

    fn int(&self, offset: u32, index: usize) -> Option<f64> {
        self.word(offset, index)
            .map(|w| f64::from(i32::from_le_bytes(w)))
    }

    fn float(&self, offset: u32, index: usize) -> Option<f64> {
        self.word(offset, index)
            .map(|w| f64::from(f32::from_le_bytes(w)))
    }

    /// q8: shift, mantissa, exponent; floats: shift, scale.
    fn actnorm_log_scale(&self, records: u32, channel: usize) -> Option<f64> {
        match self.format {
            NumberFormat::Q8 => {
                let mantissa = self.int(records, 3 * channel + 1)?;
                let exponent = self.int(records, 3 * channel + 2)?;
                Some(mantissa.ln() + (exponent - 30.0) * LN_2)
            }
            _ => self.float(records, 2 * channel + 1).map(f64::ln),
        }
    }

    /// q8: one word with 24 fraction bits; floats: one float.
    fn linear_weight(&self, weights: u32, index: usize) -> Option<f64> {
        match self.format {
            NumberFormat::Q8 => self.int(weights, index).map(|w| w / f64::from(1 << 24)),
            _ => self.float(weights, index),
        }
    }

    /// A row's weights times the scales. q8: shift, weights of 16 bits to whole words; floats: one float each.
    fn whitening_row(&self, rows: u32, row: usize, scales: &[f64]) -> Option<Vec<f64>> {
        let count = scales.len();
        let weights: Option<Vec<f64>> = match self.format {
            NumberFormat::Q8 => {
                let start = row * (1 + count.div_ceil(2));
                let unit = self.int(rows, start)?.exp2();
                let weight = |i: usize| {
                    let word = self.word(rows, start + 1 + i / 2)?;
                    let [low, high] = [[word[0], word[1]], [word[2], word[3]]];
                    let half = if i.is_multiple_of(2) { low } else { high };
                    Some(f64::from(i16::from_le_bytes(half)) / unit)
                };
                (0..count).map(weight).collect()
            }
            _ => (0..count)
                .map(|i| self.float(rows, row * count + i))
                .collect(),
        };
        let scaled = weights?.into_iter().zip(scales);
        Some(scaled.map(|(weight, scale)| weight * scale).collect())
    }

    /// q8: exponent, mean, mantissa, shift; floats: mean, deviation.
    fn standardization_log_det(&self, records: u32, coordinate: usize) -> Option<f64> {
        match self.format {
            NumberFormat::Q8 => {
                let exponent = self.int(records, 4 * coordinate)?;
                let mantissa = self.int(records, 4 * coordinate + 2)?;
                let shift = self.int(records, 4 * coordinate + 3)?;
                let power = exponent - shift - f64::from(LATENT_FRACTION_BITS);
                Some(mantissa.ln() + power * LN_2)
            }
            _ => self.float(records, 2 * coordinate + 1).map(|d| -d.ln()),
        }
    }
}
