//! The table of an image input, recomputed: 256 latents with their log_dets.
//!
//! As with the constant, wrong entries would fail nowhere and shift every score.

use super::Finding;
use flow_infer::artifact::Artifact;
use flow_infer::engine::LATENT_FRACTION_BITS;
use flow_infer::plan::{NumberFormat, PlannedInput};
use flow_infer::spec::units::ENERGY_FRACTION_BITS;

/// An entry may be off by the rounding of its last place.
const UNITS: f64 = 1.0;

pub(super) fn check(artifact: &Artifact<'_>) -> Finding {
    let PlannedInput::Image { table, margin, .. } = *artifact.input() else {
        return Finding::Absent("the input is a vector");
    };
    let words = artifact.tensors().get(table as usize..).unwrap_or(&[]);
    let (words, _) = words.as_chunks::<4>();
    for byte in 0..256 {
        let same = words.get(2 * byte..2 * byte + 2).is_some_and(|entry| {
            let (latent, log_det) = expected(byte, margin);
            is(
                entry[0],
                latent,
                LATENT_FRACTION_BITS,
                artifact.number_format(),
            ) && is(
                entry[1],
                log_det,
                ENERGY_FRACTION_BITS,
                artifact.number_format(),
            )
        });
        if !same {
            return Finding::Bad(format!("the entry of byte {byte} does not fit the margin"));
        }
    }
    Finding::Good(format!("256 entries fit the logit margin {margin}"))
}

/// y = ln p - ln (1 - p) and -ln p - ln (1 - p) at the byte's midpoint.
fn expected(byte: usize, margin: f32) -> (f64, f64) {
    let margin = f64::from(margin);
    let p = (1.0 - 2.0 * margin) * (byte as f64 + 0.5) / 256.0 + margin;
    (p.ln() - (1.0 - p).ln(), -p.ln() - (1.0 - p).ln())
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
