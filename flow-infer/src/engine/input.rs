//! From bytes to the first latent.

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

pub(super) fn read<A: Arithmetic>(
    head: &PlanHead,
    tensors: &[u8],
    elements: Elements<'_>,
    drawn: Drawn<'_>,
    latents: &mut [A::Latent],
    energy: &mut A::Energy,
) -> Result<(), InputError> {
    if elements.byte_len() != head.input.byte_len() {
        return Err(InputError::Length);
    }
    match head.input {
        PlannedInput::Image {
            table,
            margin,
            dequantization,
            ..
        } if parts::IMAGES => {
            let input = elements.image();
            let table = bytes::run(tensors, table as usize, IMAGE_TABLE_BYTES);
            let pixels = latents.iter_mut().zip(input);
            match (drawn.noise, dequantization) {
                (Noise::Given(noise), _) => {
                    return with_noise::<A>(margin, input, noise, latents, energy);
                }
                (Noise::Planned, Dequantization::Midpoint) => {
                    pixels.for_each(|(latent, &byte)| *latent = A::pixel(byte, table, energy));
                }
                (Noise::Planned, Dequantization::Drawn { seed, .. }) => {
                    let noise = dither::dither(seed, drawn.draw, input);
                    for ((latent, &byte), u) in pixels.zip(noise) {
                        *latent = A::pixel_drawn(byte, u, table, margin, energy);
                    }
                }
            }
            Ok(())
        }
        PlannedInput::Vector { records, .. } if parts::VECTORS => {
            let records = bytes::tail(tensors, records);
            measurements::<A>(records, elements, latents, energy)
        }
        PlannedInput::Whitened {
            dims,
            records,
            rows,
            ..
        } if parts::VECTORS => {
            let (latents, standardized) =
                latents.split_at_mut(usize::from(dims).min(latents.len()));
            measurements::<A>(
                bytes::tail(tensors, records),
                elements,
                standardized,
                energy,
            )?;
            whiten::<A>(bytes::tail(tensors, rows), standardized, latents, energy);
            Ok(())
        }
        // Left out of this build, and refused when loaded.
        PlannedInput::Image { .. }
        | PlannedInput::Vector { .. }
        | PlannedInput::Whitened { .. } => Ok(()),
    }
}

fn with_noise<A: Arithmetic>(
    margin: f32,
    input: &[u8],
    noise: &[f32],
    latents: &mut [A::Latent],
    energy: &mut A::Energy,
) -> Result<(), InputError> {
    if noise.len() != input.len() || !noise.iter().all(|u| (0.0..1.0).contains(u)) {
        return Err(InputError::Noise);
    }
    for ((latent, &byte), &u) in latents.iter_mut().zip(input).zip(noise) {
        *latent = A::pixel_with_noise(byte, u, margin, energy)?;
    }
    Ok(())
}

fn whiten<A: Arithmetic>(
    rows: &[u8],
    standardized: &[A::Latent],
    latents: &mut [A::Latent],
    energy: &mut A::Energy,
) {
    let row_len = A::FORMAT.sizes().whitening_row(standardized.len());
    for (index, latent) in latents.iter_mut().enumerate() {
        let row = bytes::run(rows, index * row_len, row_len);
        *latent = A::whiten(standardized, row, energy);
    }
}

/// Called in two places: twice the code would be 500 bytes of flash.
#[inline(never)]
fn measurements<A: Arithmetic>(
    records: &[u8],
    input: Elements<'_>,
    latents: &mut [A::Latent],
    energy: &mut A::Energy,
) -> Result<(), InputError> {
    let size = A::FORMAT.sizes().standardization;
    for (index, latent) in latents.iter_mut().enumerate() {
        let value = input.measurement(index);
        if !value.is_finite() {
            return Err(InputError::NotFinite);
        }
        let record = bytes::run(records, index * size, size);
        *latent = A::measurement(value, record, energy);
    }
    Ok(())
}
