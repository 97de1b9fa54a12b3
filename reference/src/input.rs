//! What a flow reads, and the first latent.
//!
//! Data are real numbers here: of an 8-bit image v = x + u, the bytes with their dequantization noise, on the scale
//! [0, 256); of a vector the raw measurements. The density of v on that scale is what `log_prob_nats` means.

use super::Parameters;
use crate::numeric::Lu;
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
/// Whitened: y = W (v - mean) / deviation; log_det = ln det(A Aᵀ) / 2 with A = W diag(1 / deviation).
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
        InputSpec::Whitened { .. } => {
            let (mean, deviation) = statistics(model);
            let rows: Vec<Vec<f64>> = rows(model)
                .into_iter()
                .map(|row| row.iter().zip(&deviation).map(|(w, d)| w / d).collect())
                .collect();
            let centered: Vec<f64> = data.iter().zip(&mean).map(|(v, m)| v - m).collect();
            let latent = rows.iter().map(|row| dot(row, &centered)).collect();
            (latent, gram(&rows).ln_abs_det() / 2.0)
        }
    }
}

/// The data of a first latent; where it is whitened, those of the shortest standardized vector.
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
        InputSpec::Whitened { .. } => {
            let (mean, deviation) = statistics(model);
            let rows = rows(model);
            let weights = gram(&rows).solve(latent);
            let standardized = |i: usize| -> f64 {
                let both = rows.iter().zip(&weights);
                both.map(|(row, weight)| row[i] * weight).sum()
            };
            (0..mean.len())
                .map(|i| standardized(i) * deviation[i] + mean[i])
                .collect()
        }
    }
}

fn rows(model: &Model) -> Vec<Vec<f64>> {
    let whitening = Parameters::of(model).under("input").values("whitening");
    let rows = whitening.chunks_exact(model.spec().input.measured());
    rows.map(<[f64]>::to_vec).collect()
}

/// R Rᵀ.
fn gram(rows: &[Vec<f64>]) -> Lu {
    let products = rows
        .iter()
        .flat_map(|a| rows.iter().map(move |b| dot(a, b)));
    Lu::new(products.collect(), rows.len())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn statistics(model: &Model) -> (Vec<f64>, Vec<f64>) {
    let input = Parameters::of(model).under("input");
    (input.values("mean"), input.values("deviation"))
}
