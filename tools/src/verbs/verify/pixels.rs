//! The table of an image input, recomputed: latents with their log_dets.
//!
//! As with the constant, wrong entries would fail nowhere and shift every score.

use super::Finding;
use flow_infer::artifact::Artifact;
use flow_infer::engine::LATENT_FRACTION_BITS;
use flow_infer::plan::{Dequantization, NumberFormat, PlannedInput};
use flow_infer::spec::units::ENERGY_FRACTION_BITS;
use flow_train_host::export::pixels::Pixels;

/// An entry may be off by the rounding of its last place.
const UNITS: f64 = 1.0;

pub(super) fn check(artifact: &Artifact<'_>) -> Finding {
    let PlannedInput::Image {
        table,
        margin,
        dequantization,
        ..
    } = *artifact.input()
    else {
        return Finding::Absent("the input is a vector");
    };
    let format = artifact.number_format();
    let pixels = Pixels {
        margin,
        dequantization: stored(dequantization, format),
        latent_one: 2f64.powi(LATENT_FRACTION_BITS as i32),
    };
    let words = artifact.tensors().get(table as usize..).unwrap_or(&[]);
    let (words, _) = words.as_chunks::<4>();
    for (byte, (latent, log_det)) in pixels.entries().enumerate() {
        let same = words.get(2 * byte..2 * byte + 2).is_some_and(|entry| {
            is(entry[0], latent, LATENT_FRACTION_BITS, format)
                && is(entry[1], log_det, ENERGY_FRACTION_BITS, format)
        });
        if !same {
            return Finding::Bad(format!("the entry of byte {byte} does not fit the margin"));
        }
    }
    Finding::Good(format!("the entries fit the logit margin {margin}"))
}

/// Float formats compute drawn noise and store midpoints only.
fn stored(dequantization: Dequantization, format: NumberFormat) -> Dequantization {
    match format {
        NumberFormat::Q8 => dequantization,
        _ => Dequantization::Midpoint,
    }
}

fn is(word: [u8; 4], value: f64, fraction_bits: u32, format: NumberFormat) -> bool {
    match format {
        NumberFormat::Q8 => {
            let stored = f64::from(i32::from_le_bytes(word));
            (stored - value * 2f64.powi(fraction_bits as i32)).abs() <= UNITS
        }
        _ => {
            let stored = f64::from(f32::from_le_bytes(word));
            (stored - value).abs() <= UNITS * f64::from(f32::EPSILON) * value.abs().max(1.0)
        }
    }
}
