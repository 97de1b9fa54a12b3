//! Nats and bits, converted in one place.

/// ln 2.
pub const LN_2: f64 = core::f64::consts::LN_2;
/// ln 256: what each coordinate of an 8-bit image subtracts from the density on the unit scale.
pub const LN_256: f64 = 8.0 * LN_2;
/// Half of ln(2 pi): the normal prior's constant per coordinate.
pub const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;
/// Fraction bits of an energy: a raw score, log-probability or code length is an integer in units of 2^-24 nats.
pub const ENERGY_FRACTION_BITS: u32 = 24;

/// bits_per_dim = -log_prob_nats / (D ln 2).
pub fn bits_per_dim(log_prob_nats: f64, dims: usize) -> f64 {
    -log_prob_nats / (dims as f64 * LN_2)
}

/// A raw energy in nats.
pub fn nats_from_raw(raw: i64) -> f64 {
    raw as f64 / (1i64 << ENERGY_FRACTION_BITS) as f64
}

/// The nearest raw energy; out of range values saturate, NaN becomes the lowest.
pub fn raw_from_nats(nats: f64) -> i64 {
    if nats.is_nan() {
        return i64::MIN;
    }
    libm::rint(nats * (1i64 << ENERGY_FRACTION_BITS) as f64) as i64
}
