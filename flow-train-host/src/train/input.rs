//! How data becomes the first latent, with its log_det.
//!
//! Images stay bytes until a worker needs them: dequantization and logit are a few percent of a pass, and done by the
//! workers they never make the step wait.

use super::noise::{Noise, Purpose};
use super::sensor::Sensor;
use crate::data::Images;
use flow_infer::spec::units::LN_256;
use std::borrow::Cow;

/// The dequantization noise u in [0, 1) of 8-bit images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dequantization<'a> {
    /// u = 1/2.
    Midpoint,
    /// u as given, items x D.
    Given(&'a [f32]),
    /// u uniform, a function of seed, draw and item.
    Drawn {
        /// Seed.
        seed: u64,
        /// Number of the draw.
        draw: u64,
    },
}

/// Dequantization as the trainer draws it anew in every epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DequantizationNoise<'a> {
    /// For an epoch of training, behind a sensor.
    Training {
        seed: u64,
        epoch: u64,
        sensor: Option<&'a Sensor>,
    },
    /// For an evaluation.
    Evaluation(Dequantization<'a>),
}

impl DequantizationNoise<'_> {
    /// Fills `u` for an item.
    fn fill(self, item: usize, u: &mut [f32]) {
        let drawn = |purpose, seed, number| Noise::new(seed, purpose, [number, item as u64]);
        let mut noise = match self {
            Self::Evaluation(Dequantization::Midpoint) => return u.fill(0.5),
            Self::Evaluation(Dequantization::Given(all)) => {
                return u.copy_from_slice(&all[item * u.len()..][..u.len()]);
            }
            Self::Evaluation(Dequantization::Drawn { seed, draw }) => {
                drawn(Purpose::Evaluate, seed, draw)
            }
            Self::Training { seed, epoch, .. } => drawn(Purpose::Dequantize, seed, epoch),
        };
        u.fill_with(|| noise.uniform());
    }

    /// The bytes of an image, through the sensor that it has.
    pub(crate) fn seen(self, images: &Images, item: usize) -> Cow<'_, [u8]> {
        let scene = images.get(item);
        let Self::Training {
            seed,
            epoch,
            sensor: Some(sensor),
        } = self
        else {
            return scene.into();
        };
        let shape = [images.channels(), images.height(), images.width()];
        let noise = Noise::new(seed, Purpose::Sensor, [epoch, item as u64]);
        let image = sensor.image(scene, shape, noise);
        image.map_or(scene.into(), Cow::from)
    }
}

/// First latent of an 8-bit image (documents/conventions.md, Units); returns its log_det, D ln 256 subtracted.
pub(crate) fn image(
    pixels: &[u8],
    item: usize,
    pixel_noise: DequantizationNoise<'_>,
    margin: f32,
    z: &mut [f32],
) -> f64 {
    pixel_noise.fill(item, z);
    let span = 1.0 - 2.0 * margin;
    let mut log_det = 0.0;
    for (z, &pixel) in z.iter_mut().zip(pixels) {
        let p = span * ((f32::from(pixel) + *z) * (1.0 / 256.0)) + margin;
        let (ln_p, ln_q) = (p.ln(), (1.0 - p).ln());
        *z = ln_p - ln_q;
        log_det -= f64::from(ln_p + ln_q);
    }
    log_det + z.len() as f64 * (f64::from(span).ln() - LN_256)
}

/// Mean and deviation of every coordinate of the training vectors.
pub(crate) fn standardization<'a>(
    vectors: impl Iterator<Item = &'a [f32]> + Clone,
    dims: usize,
) -> (Vec<f32>, Vec<f32>) {
    let statistics = moments(vectors, dims);
    let deviation = |m: &Moments| m.deviation.max(m.smallest()) as f32;
    (
        statistics.iter().map(|m| m.mean as f32).collect(),
        statistics.iter().map(deviation).collect(),
    )
}

/// What is known of one coordinate.
pub(super) struct Moments {
    mean: f64,
    pub(super) deviation: f64,
    largest: f64,
}

impl Moments {
    /// Smallest deviation that is taken for one: the step between neighbouring f32 of the
    /// column's magnitude. Below, a column is constant, and a rounding error must not be blown up
    /// to infinity. Nothing above is touched: a 24-bit counter that trembles by three around
    /// eight millions is data.
    pub(super) fn smallest(&self) -> f64 {
        if self.largest == 0.0 {
            // Always zero: nothing tells a scale.
            return 1.0;
        }
        let step = self.largest - f64::from((self.largest as f32).next_down());
        step.max(f64::from(f32::MIN_POSITIVE))
    }

    /// Whether the column counts as constant.
    pub(super) fn is_constant(&self) -> bool {
        self.deviation < self.smallest()
    }
}

/// Sums in f64 of differences from the first vector, which are exact where a large offset would
/// take the bits.
pub(super) fn moments<'a>(
    vectors: impl Iterator<Item = &'a [f32]> + Clone,
    dims: usize,
) -> Vec<Moments> {
    let count = vectors.clone().count().max(1) as f64;
    let first: Vec<f64> = match vectors.clone().next() {
        Some(first) => first.iter().map(|&x| x.into()).collect(),
        None => vec![0.0; dims],
    };
    let mut offset = vec![0.0f64; dims];
    let mut largest = vec![0.0f64; dims];
    for x in vectors.clone() {
        for (i, &x) in x.iter().enumerate() {
            offset[i] += (f64::from(x) - first[i]) / count;
            largest[i] = largest[i].max(f64::from(x.abs()));
        }
    }
    let mean: Vec<f64> = first.iter().zip(&offset).map(|(f, o)| f + o).collect();
    let mut variance = vec![0.0f64; dims];
    for x in vectors {
        for (i, &x) in x.iter().enumerate() {
            variance[i] += (f64::from(x) - mean[i]).powi(2) / count;
        }
    }
    let all = mean.into_iter().zip(variance).zip(largest);
    let of_column = |((mean, variance), largest): ((f64, f64), f64)| Moments {
        mean,
        deviation: variance.sqrt(),
        largest,
    };
    all.map(of_column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logit_layer_is_the_one_of_the_conventions() {
        let (margin, u) = (0.05f64, 0.25f64);
        let mut z = [0.0f32; 2];
        let pixel_noise = DequantizationNoise::Evaluation(Dequantization::Given(&[0.25, 0.25]));
        let log_det = image(&[0, 200], 0, pixel_noise, 0.05, &mut z);
        let mut wanted = 0.0;
        for (z, byte) in z.iter().zip([0.0, 200.0]) {
            let p = 0.9 * (byte + u) / 256.0 + margin;
            assert!((f64::from(*z) - (p / (1.0 - p)).ln()).abs() < 1e-6);
            wanted += (0.9f64).ln() - p.ln() - (1.0 - p).ln() - 256f64.ln();
        }
        assert!((log_det - wanted).abs() < 1e-5, "{log_det} {wanted}");
    }

    #[test]
    fn a_constant_column_keeps_a_finite_deviation() {
        let rows: [&[f32]; 3] = [&[1.0, 5.0, 0.0], &[3.0, 5.0, 0.0], &[5.0, 5.0, 0.0]];
        let (mean, deviation) = standardization(rows.into_iter(), 3);
        assert_eq!(mean, [3.0, 5.0, 0.0]);
        assert!((deviation[0] - (8.0f32 / 3.0).sqrt()).abs() < 1e-6);
        // The step of f32 below 5.
        assert_eq!(deviation[1], 4.0 * f32::EPSILON);
        assert_eq!(deviation[2], 1.0);
        let constant = moments(rows.into_iter(), 3);
        let constant: Vec<bool> = constant.iter().map(Moments::is_constant).collect();
        assert_eq!(constant, [false, true, true]);
    }

    /// 24-bit counters: the offset takes 23 bits of f32, and the deviation is a few steps.
    #[test]
    fn an_offset_does_not_hide_the_deviation() {
        let rows: Vec<[f32; 2]> = (0..1000)
            .map(|i| {
                [
                    8_388_000.0 + [-3.0, 3.0][i % 2],
                    16_777_000.0 - (i % 5) as f32,
                ]
            })
            .collect();
        let rows = rows.iter().map(|row| row.as_slice());
        let (mean, deviation) = standardization(rows.clone(), 2);
        assert_eq!(mean, [8_388_000.0, 16_776_998.0]);
        assert_eq!(deviation, [3.0, 2f32.sqrt()]);
        assert!(!moments(rows, 2).iter().any(Moments::is_constant));
    }
}
