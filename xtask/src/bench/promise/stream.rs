//! Normal scores, and gates calibrated on them.

use crate::random::Random;
use anyhow::Result;
use flow_infer::Scores;
use flow_infer::gate::Calibration;
use flow_infer::score::ScoreKind;
use flow_train_host::calibrate::{self, Calibrated};

/// Raw units of a nat.
const NAT: f64 = (1 << 24) as f64;

/// A generator for one kind of simulation.
pub(super) fn random(seed: u64, kind: u64) -> Random {
    Random(seed.wrapping_mul(0x5EED_0000) ^ kind)
}

pub(super) fn raw(nats: f64) -> i64 {
    (nats * NAT) as i64
}

pub(super) fn nats(raw: i64) -> f64 {
    raw as f64 / NAT
}

/// The scores of inputs whose log-likelihood has these nats.
pub(super) fn scores(nats: f64) -> Scores {
    Scores {
        log_prob_raw: raw(nats),
        ..Scores::default()
    }
}

/// A gate calibrated on normal scores.
pub(super) fn calibrated(
    random: &mut Random,
    samples: usize,
    alpha_ppm: u32,
) -> Result<Calibrated> {
    let drawn: Vec<Scores> = (0..samples).map(|_| scores(random.normal())).collect();
    Ok(calibrate::gate(ScoreKind::Likelihood, alpha_ppm, &drawn)?)
}

/// The probability that a score which is lower by a shift is below the gate's threshold.
pub(super) fn rejected(gate: &Calibration, shift: f64) -> f64 {
    below(nats(gate.threshold_raw) + shift)
}

/// The normal distribution function.
pub(super) fn below(x: f64) -> f64 {
    libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2) / 2.0
}
