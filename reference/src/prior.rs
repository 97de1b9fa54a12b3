//! The prior: a standard normal over all D coordinates.

/// ln N(z; 0, 1) = -Σ (z_i² + ln 2π) / 2, in nats.
pub fn log_prior(z: &[f64]) -> f64 {
    let ln_2_pi = std::f64::consts::TAU.ln();
    -z.iter().map(|z| (z * z + ln_2_pi) / 2.0).sum::<f64>()
}
