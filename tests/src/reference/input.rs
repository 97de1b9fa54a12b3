//! What a flow reads, and the first latent.
//!
//! Data are real numbers here: of an 8-bit image v = x + u, the bytes with their dequantization noise, on the scale
//! [0, 256); of a vector the raw measurements. The density of v on that scale is what `log_prob_nats` means.

use super::Parameters;
use flow_infer::spec::InputSpec;
use flow_train_host::model::Model;

/// v = x + u.
///
/// # Panics
/// If there are not as many noises as bytes.
pub fn dequantize(bytes: &[u8], noise: &[f64]) -> Vec<f64> {
    assert_eq!(bytes.len(), noise.len());
    bytes
        .iter()
        .zip(noise)
        .map(|(&x, u)| f64::from(x) + u)
        .collect()
}

/// v = x + 1/2.
pub fn midpoint(bytes: &[u8]) -> Vec<f64> {
    dequantize(bytes, &vec![0.5; bytes.len()])
}

/// The first latent and its log_det.
///
/// Image: z₀ = v / 256, p = (1 - 2 m) z₀ + m, y = ln p - ln (1 - p);
/// log_det = Σ [ln (1 - 2 m) - ln p - ln (1 - p)] - D ln 256.
/// Vector: y = (v - mean) / deviation; log_det = -Σ ln deviation.
pub(super) fn to_latent(model: &Model, data: &[f64]) -> (Vec<f64>, f64) {
    match model.spec().input {
        InputSpec::Image { logit_margin, .. } => {
            let m = f64::from(logit_margin);
            let mut log_det = 0.0;
            let latent = data.iter().map(|v| {
                let p = (1.0 - 2.0 * m) * (v / 256.0) + m;
                log_det += (1.0 - 2.0 * m).ln() - p.ln() - (1.0 - p).ln() - 256f64.ln();
                p.ln() - (1.0 - p).ln()
            });
            (latent.collect(), log_det)
        }
        InputSpec::Vector { .. } => {
            let (mean, deviation) = statistics(model);
            let latent = (0..data.len()).map(|i| (data[i] - mean[i]) / deviation[i]);
            let log_det = -deviation.iter().map(|d| d.ln()).sum::<f64>();
            (latent.collect(), log_det)
        }
    }
}

/// The data of a first latent.
pub(super) fn to_data(model: &Model, latent: &[f64]) -> Vec<f64> {
    match model.spec().input {
        InputSpec::Image { logit_margin, .. } => {
            let m = f64::from(logit_margin);
            let data = latent.iter().map(|y| {
                let p = 1.0 / (1.0 + (-y).exp());
                256.0 * (p - m) / (1.0 - 2.0 * m)
            });
            data.collect()
        }
        InputSpec::Vector { .. } => {
            let (mean, deviation) = statistics(model);
            (0..latent.len())
                .map(|i| latent[i] * deviation[i] + mean[i])
                .collect()
        }
    }
}

fn statistics(model: &Model) -> (Vec<f64>, Vec<f64>) {
    let input = Parameters::of(model).under("input");
    (input.values("mean"), input.values("deviation"))
}
