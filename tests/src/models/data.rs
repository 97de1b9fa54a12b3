//! Inputs for any model.

use crate::random::SplitMix64;
use flow_infer::spec::{InputSpec, Shape};
use flow_train_host::model::Model;

/// An image: a ramp in a random direction with noise on it, saturating at black and white here and there.
///
/// Neighbouring pixels are alike, as in pictures; every byte from 0 to 255 occurs.
pub fn random_bytes(shape: Shape, random: &mut SplitMix64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(shape.len());
    let noise = [0.0, 8.0, 80.0][random.below(3) as usize];
    for _ in 0..shape.channels {
        let (middle, slope_y, slope_x) = (
            random.between(40.0, 215.0),
            200.0 * random.normal() / f64::from(shape.height),
            200.0 * random.normal() / f64::from(shape.width),
        );
        for y in 0..shape.height {
            for x in 0..shape.width {
                let (y, x) = (
                    f64::from(y) - f64::from(shape.height) / 2.0,
                    f64::from(x) - f64::from(shape.width) / 2.0,
                );
                let value = middle + slope_y * y + slope_x * x + noise * random.normal();
                bytes.push(value.clamp(0.0, 255.0) as u8);
            }
        }
    }
    bytes
}

/// Data v that a model reads: dequantized bytes of an image, or a vector near its mean, each coordinate an f32.
pub fn random_data(model: &Model, random: &mut SplitMix64) -> Vec<f64> {
    match model.spec().input {
        InputSpec::Image { shape, .. } => {
            let bytes = random_bytes(shape, random);
            bytes
                .iter()
                .map(|&x| f64::from(x) + random.uniform())
                .collect()
        }
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => {
            let (mean, deviation) = (model.values("input.mean"), model.values("input.deviation"));
            (0..mean.len())
                .map(|i| {
                    let value = f64::from(mean[i]) + f64::from(deviation[i]) * random.normal();
                    f64::from(value as f32)
                })
                .collect()
        }
    }
}
