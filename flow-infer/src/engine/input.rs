//! From bytes to the first latent.

use super::span::Span;
use super::{Arithmetic, Elements, InputError, dither};
use crate::bytes;
use crate::plan::{Dequantization, IMAGE_TABLE_BYTES, PlanHead, PlannedInput, parts};

/// Dequantization noise u of an 8-bit image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Noise<'n> {
    /// As the model's plan says: the midpoint, or draws.
    #[default]
    Planned,
    /// One u in [0, 1) a coordinate.
    Given(&'n [f32]),
}

/// Which noise of a plan with several draws.
#[derive(Clone, Copy)]
pub(super) struct Drawn<'n> {
    pub(super) noise: Noise<'n>,
    pub(super) draw: u8,
}

/// What reading a coordinate costs, in products.
const READ_PRODUCTS: usize = 64;

/// Whether an input of these elements can be evaluated with this noise.
pub(super) fn check<A: Arithmetic>(
    input: &PlannedInput,
    elements: Elements<'_>,
    noise: Noise<'_>,
) -> Result<(), InputError> {
    if elements.byte_len() != input.byte_len() {
        return Err(InputError::Length);
    }
    match (input, noise) {
        (PlannedInput::Image { .. }, noise) if parts::IMAGES => {
            let image = elements.image();
            match noise {
                // Measurements of as many bytes as the image has.
                _ if image.len() != input.byte_len() => Err(InputError::Length),
                Noise::Planned => Ok(()),
                Noise::Given(noise) if !noise_fits(noise, image) => Err(InputError::Noise),
                Noise::Given(_) if !A::TAKES_NOISE => Err(InputError::NoiseUnsupported),
                Noise::Given(_) => Ok(()),
            }
        }
        _ if elements.are_finite() => Ok(()),
        _ => Err(InputError::NotFinite),
    }
}

fn noise_fits(noise: &[f32], image: &[u8]) -> bool {
    noise.len() == image.len() && noise.iter().all(|u| (0.0..1.0).contains(u))
}

/// Reads some coordinates of an input that was checked, or measurements that are whitened then.
pub(super) fn read<A: Arithmetic>(
    head: &PlanHead,
    tensors: &[u8],
    elements: Elements<'_>,
    drawn: Drawn<'_>,
    target: &mut [A::Latent],
    log_det: &mut A::LogDet,
    span: &mut Span,
) {
    let units = span.take(target.len(), READ_PRODUCTS + elements.products());
    let target = target.get_mut(units.clone()).unwrap_or_default();
    match head.input {
        PlannedInput::Image {
            table,
            margin,
            dequantization,
            ..
        } if parts::IMAGES => {
            let image = elements.image();
            let table = bytes::run(tensors, table as usize, IMAGE_TABLE_BYTES);
            let pixels = image.get(units.start..).unwrap_or(&[]);
            let pixels = target.iter_mut().zip(pixels);
            match (drawn.noise, dequantization) {
                (Noise::Given(noise), _) if A::TAKES_NOISE => {
                    let noise = noise.get(units.start..).unwrap_or(&[]);
                    for ((latent, &byte), &u) in pixels.zip(noise) {
                        *latent = A::pixel_with_noise(byte, u, margin, log_det);
                    }
                }
                (_, Dequantization::Midpoint) => {
                    pixels.for_each(|(latent, &byte)| *latent = A::pixel(byte, table, log_det));
                }
                (_, Dequantization::Drawn { seed, .. }) => {
                    let noise = dither::dither_from(units.start, seed, drawn.draw, image);
                    for ((latent, &byte), u) in pixels.zip(noise) {
                        *latent = A::pixel_drawn(byte, u, table, margin, log_det);
                    }
                }
            }
        }
        PlannedInput::Vector { records, .. } | PlannedInput::Whitened { records, .. }
            if parts::VECTORS =>
        {
            let size = A::FORMAT.sizes().standardization;
            let records = bytes::tail(tensors, records);
            for (index, latent) in units.zip(target) {
                let record = bytes::run(records, index * size, size);
                *latent = A::measurement(elements.measurement(index), record, log_det);
            }
        }
        // Left out of this build, and refused when loaded.
        _ => {}
    }
}

/// Computes some coordinates from all standardized measurements.
pub(super) fn whiten<A: Arithmetic>(
    head: &PlanHead,
    tensors: &[u8],
    standardized: &[A::Latent],
    latents: &mut [A::Latent],
    log_det: &mut A::LogDet,
    span: &mut Span,
) {
    let PlannedInput::Whitened { rows, .. } = head.input else {
        return;
    };
    let rows = bytes::tail(tensors, rows);
    let row_len = A::FORMAT.sizes().whitening_row(standardized.len());
    // A product of 32 bits by 16 takes some three times as long as one of a layer.
    let units = span.take(latents.len(), 4 * standardized.len());
    for index in units {
        let row = bytes::run(rows, index * row_len, row_len);
        if let Some(latent) = latents.get_mut(index) {
            *latent = A::whiten(standardized, row, log_det);
        }
    }
}
