//! Records in floats: 32-bit, or with halved weights.

use super::ExportError;
use super::numbers::{At, Numbers, Padded};
use super::pixels::Pixels;
use super::volume::ln_abs_det;
use flow_infer::plan::{Dequantization, NumberFormat};
use half::f16;

/// Float records; `half` stores convolution weights with 16 bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloatNumbers {
    /// Whether weights are halved.
    pub half: bool,
}

fn words(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn pairs(first: &[f32], second: &[f32]) -> Vec<u8> {
    words(first.iter().zip(second).flat_map(|(&a, &b)| [a, b]))
}

impl Numbers for FloatNumbers {
    fn format(&self) -> NumberFormat {
        if self.half {
            NumberFormat::F16
        } else {
            NumberFormat::F32
        }
    }

    /// Drawn noise is computed from the margin: the table is only read at the midpoint.
    fn image_table(&self, margin: f32, _: Dequantization) -> Vec<u8> {
        let pixels = Pixels {
            margin,
            dequantization: Dequantization::Midpoint,
            latent_one: 1.0,
        };
        words(
            pixels
                .entries()
                .flat_map(|(latent, log_det)| [latent as f32, log_det as f32]),
        )
    }

    fn standardization(
        &self,
        mean: &[f32],
        deviation: &[f32],
    ) -> Result<(Vec<u8>, Vec<f64>), ExportError> {
        let log_scales = deviation.iter().map(|&d| -f64::from(d).ln());
        Ok((pairs(mean, deviation), log_scales.collect()))
    }

    fn whitening_row(&self, row: &[f32]) -> Result<(Vec<u8>, Vec<f64>), ExportError> {
        let bytes = row.iter().flat_map(|w| w.to_le_bytes());
        Ok((bytes.collect(), row.iter().map(|&w| w.into()).collect()))
    }

    fn table(&self, _: &dyn Fn(f64) -> f64) -> Option<Vec<u8>> {
        None
    }

    fn actnorm(
        &self,
        _: usize,
        shift: &[f32],
        log_scale: &[f32],
    ) -> Result<(Vec<u8>, f64), ExportError> {
        let scale: Vec<f32> = log_scale
            .iter()
            .map(|&l| f64::from(l).exp() as f32)
            .collect();
        // log_det of the scale that is stored, not of the one that was meant.
        let log_det = scale.iter().map(|&s| f64::from(s).ln()).sum();
        Ok((pairs(shift, &scale), log_det))
    }

    fn linear(
        &self,
        step: usize,
        weights: &[f32],
        channels: usize,
    ) -> Result<(Vec<u8>, f64), ExportError> {
        let matrix = weights.iter().map(|&w| f64::from(w)).collect();
        let log_det = ln_abs_det(matrix, channels).ok_or(ExportError::Singular { step })?;
        Ok((words(weights.iter().copied()), log_det))
    }

    fn bounds(&self, _: usize, bound: &[f32]) -> Result<Vec<u8>, ExportError> {
        Ok(words(bound.iter().copied()))
    }

    fn nats(&self, _: usize, _: u8) -> Result<Vec<u8>, ExportError> {
        Ok(words([1.0]))
    }

    fn convolution(&self, _: At<'_>, padded: &Padded) -> Result<(Vec<u8>, Vec<u8>), ExportError> {
        let weights = if self.half {
            padded
                .weights
                .iter()
                .flat_map(|&w| f16::from_f32(w).to_le_bytes())
                .collect()
        } else {
            words(padded.weights.iter().copied())
        };
        Ok((weights, words(padded.bias.iter().copied())))
    }

    fn input(&self, at: At<'_>) -> Result<Vec<u8>, ExportError> {
        let scaling = at.layer.scaling.as_ref();
        Ok(scaling.map_or(Vec::new(), |s| pairs(&s.gain, &s.offset)))
    }

    fn map(&self, at: At<'_>) -> Result<Vec<u8>, ExportError> {
        let mut bytes = self.input(at)?;
        bytes.resize(bytes.len().next_multiple_of(8 * flow_infer::plan::LANES), 0);
        Ok(bytes)
    }

    fn gate(&self, _: At<'_>, _: u8) -> Result<Vec<u8>, ExportError> {
        Ok(Vec::new())
    }
}
