//! Latent to data: samples of the base distribution, and what they look like.
//!
//! An affine coupling undone is an affine coupling, an actnorm undone an actnorm: so the way back
//! is a flow of the same kind, made by `inverse` from the lowered one, and the engine that computes
//! `to_latent` computes `to_data` too. No conditioner is written a second time, and everything that
//! lowers has a way back, batch norm and all.
//!
//! The engine reads bytes. A latent gets into it as the byte and the noise whose logit it is, times
//! a factor that brings the largest one into the logit's reach; measured, 2e-6 of that factor is
//! lost.

mod inverse;

use crate::evaluate::HeapScratch;
use crate::export::ExportError;
use crate::export::engine::FloatEngine;
use crate::export::lower::{LoweredFlow, LoweredInput, LoweredStep, lower};
use crate::model::Model;
use crate::parallel::try_map;
use crate::train::noise::{Noise as Random, Purpose};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{F32, InputError, Noise, evaluate};
use flow_infer::plan::Dequantization;
use flow_infer::spec::{Shape, View};
use inverse::inverse_steps;

/// Logit margin of the way in: latents up to 2.94 factors, and no slope above 21.
const MARGIN: f64 = 0.05;
/// ln(0.95 / 0.05), less a hair.
const REACH: f64 = 2.944;

/// Why latents have no data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ToDataError {
    /// The flow cannot be inverted: [`ExportError::Singular`], or it is too large for the engine.
    #[error("{0}")]
    Flow(ExportError),
    /// The flow reads whitened vectors: many inputs have the same latent.
    #[error("the flow whitens: many inputs have the same latent")]
    Whitened,
    /// A latent of another length than the flow has, or with a NaN or an infinity.
    #[error("latent {index}: {error}")]
    Latent {
        /// Which of those given.
        index: usize,
        /// What the engine says of it.
        error: InputError,
    },
}

/// The data of every latent (image-shaped), in order, on all cores, in f32: of images x + u on the
/// scale [0, 256), not held to it; of vectors the raw measurements. `finished` is called after
/// each, from any thread.
///
/// # Errors
/// [`ToDataError`], of the first latent in order that is none.
pub fn to_data(
    model: &Model,
    latents: &[Vec<f32>],
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Vec<f32>>, ToDataError> {
    let largest = latents.iter().flatten().fold(0.0f32, |m, z| m.max(z.abs()));
    let way = Way::back(model, largest)?;
    let artifact = way.engine.artifact().map_err(ToDataError::Flow)?;
    let memory = || HeapScratch::<F32>::new(&artifact);
    let one = |scratch: &mut HeapScratch<F32>, index: usize| {
        let data = way.data(&artifact, scratch, &latents[index]);
        finished();
        data.map_err(|error| ToDataError::Latent { index, error })
    };
    try_map(latents.len(), memory, one)
}

/// A flow in the direction latent to data.
struct Way {
    engine: FloatEngine,
    data: Scale,
    /// Latents are divided by it on the way in.
    factor: f64,
}

/// What first latents are of data.
enum Scale {
    /// Logits of pixels.
    Pixels { margin: f64 },
    /// Standardized measurements.
    Measurements { mean: Vec<f32>, deviation: Vec<f32> },
}

impl Way {
    /// The way back of a model, for latents whose coordinates are at most `largest` in magnitude.
    fn back(model: &Model, largest: f32) -> Result<Self, ToDataError> {
        let flow = lower(model);
        let mut steps = inverse_steps(&flow.steps).map_err(ToDataError::Flow)?;
        let (data, input, factor) = match flow.input {
            LoweredInput::Image { shape, margin, .. } => {
                let data = Scale::Pixels {
                    margin: margin.into(),
                };
                let ln_factor = (f64::from(largest) / REACH).max(1.0).ln() as f32;
                steps.insert(0, widen(shape, ln_factor));
                let margin = MARGIN as f32;
                // As the engine's records hold it.
                let factor = f64::from(f64::from(ln_factor).exp() as f32);
                let input = LoweredInput::Image {
                    shape,
                    margin,
                    dequantization: Dequantization::Midpoint, // never used: the noise is given
                };
                (data, input, factor)
            }
            LoweredInput::Vector { mean, deviation } => {
                let input = LoweredInput::Vector {
                    mean: vec![0.0; mean.len()],
                    deviation: vec![1.0; mean.len()],
                };
                (Scale::Measurements { mean, deviation }, input, 1.0)
            }
            LoweredInput::Whitened { .. } => return Err(ToDataError::Whitened),
        };
        let engine = FloatEngine::new(&LoweredFlow { input, steps });
        Ok(Self {
            engine: engine.map_err(ToDataError::Flow)?,
            data,
            factor,
        })
    }

    fn data(
        &self,
        artifact: &Artifact<'_>,
        scratch: &mut HeapScratch<F32>,
        z: &[f32],
    ) -> Result<Vec<f32>, InputError> {
        if z.iter().any(|z| !z.is_finite()) {
            return Err(InputError::NotFinite);
        }
        let (input, noise) = self.encoded(z);
        let noise = noise.as_deref().map_or(Noise::default(), Noise::Given);
        evaluate(artifact, &input, noise, scratch.borrow(), &mut ())?;
        Ok(self.measured(&scratch.latents()[..artifact.dims()]))
    }

    /// A latent as the engine's input.
    fn encoded(&self, z: &[f32]) -> (Vec<u8>, Option<Vec<f32>>) {
        match self.data {
            Scale::Pixels { .. } => {
                let pixel = |&z: &f32| to_pixel(f64::from(z) / self.factor, MARGIN);
                let (bytes, noise) = z.iter().map(pixel).map(byte_and_noise).unzip();
                (bytes, Some(noise))
            }
            Scale::Measurements { .. } => (z.iter().flat_map(|z| z.to_le_bytes()).collect(), None),
        }
    }

    /// First latents as data.
    fn measured(&self, first: &[f32]) -> Vec<f32> {
        match &self.data {
            &Scale::Pixels { margin } => {
                let pixel = |&y: &f32| to_pixel(f64::from(y), margin) as f32;
                first.iter().map(pixel).collect()
            }
            Scale::Measurements { mean, deviation } => {
                let statistics = mean.iter().zip(deviation);
                let both = first.iter().zip(statistics);
                both.map(|(&y, (mean, deviation))| y * deviation + mean)
                    .collect()
            }
        }
    }
}

/// A coordinate's v = x + u on the scale [0, 256) by its first latent: the logit undone.
pub fn to_pixel(latent: f64, margin: f64) -> f64 {
    let p = 1.0 / (1.0 + (-latent).exp());
    256.0 * (p - margin) / (1.0 - 2.0 * margin)
}

/// The nearest below of the 256 bytes.
pub fn to_byte(pixel: f32) -> u8 {
    pixel as u8 // saturates
}

/// A latent of the base distribution N(0, 1): a function of seed and draw.
pub fn base_latent(seed: u64, draw: u64, dims: usize) -> Vec<f32> {
    let mut random = Random::new(seed, Purpose::Sample, [draw, 0]);
    (0..dims).map(|_| random.normal()).collect()
}

fn widen(shape: Shape, ln_factor: f32) -> LoweredStep {
    let channels = usize::from(shape.channels);
    LoweredStep::Actnorm {
        view: View::whole(shape),
        shift: vec![0.0; channels],
        log_scale: vec![ln_factor; channels],
    }
}

/// The byte below a pixel, and what is left as noise in [0, 1).
fn byte_and_noise(pixel: f64) -> (u8, f32) {
    let byte = pixel.floor().clamp(0.0, 255.0);
    let left = (pixel - byte).clamp(0.0, 1.0) as f32;
    (byte as u8, left.min(1.0 - f32::EPSILON))
}
