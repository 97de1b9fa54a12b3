//! Integer arithmetic from the input bytes to the score.
//!
//! Integer addition is associative, so kernels may reorder sums and every target gives the same bits; no operation
//! here depends on the target. Formats: latents 24 fraction bits in 32, log_det as a count of grid steps, log_probs with
//! 24 fraction bits in 64. Rounding is always floor(x + 1/2).
//!
//! Latents reach 128, where the standard normal's density is e^-8192: beyond, an input is foreign whatever the rest
//! says. They were 20 bits at first; a latent's rounding moves activations over their rounding edges, and with 24 bits
//! and the finer grid of log_scale the evaluation error of trained 28 x 28 flows fell from 5.2e-4 to below 1e-4 bits
//! per dim.

use super::Evaluation;
use super::arithmetic::{Arithmetic, ScaleAt};
use super::dither;
use super::table::{MANTISSAS, interpolate, power_of_two};
use crate::bytes::int;
use crate::kernels::{
    self, Affine, Coordinates, GRID_LIMIT, Kept, OUTPUT_SHIFT, PackedWeights, Reading, Row, Tile,
};
use crate::plan::{
    ACTIVATION_LIMIT, Activation, LANES, MANTISSA_BITS, MEASUREMENT_LIMIT, NumberFormat,
    PlannedScale,
};
use crate::spec::AffineForm;
use crate::wide::product;

/// Fraction bits of a latent.
pub const LATENT_FRACTION_BITS: u32 = 24;
/// Grid steps of log_scale in a factor of two.
pub const LOG_SCALE_STEPS_PER_OCTAVE: i32 = 1 << 16;

/// Bits that a multiplier of an ordinary layer shifts by: the high word of a 64-bit product.
const REQUANTIZE_SHIFT: u32 = 32;
/// Bits that a gate's multiplier shifts by.
const GATE_SHIFT: u32 = 12;
/// Fraction bits of a weight of `invertible_linear`.
const LINEAR_SHIFT: u32 = 24;
/// ln 2 / 2^16 with 44 fraction bits: nats of one grid step.
const STEP_NATS_Q44: i64 = 186065279;

/// The integer number system of `NumberFormat::Q8`.
#[derive(Clone, Copy, Debug)]
pub enum Fixed {}

/// Running log_det of an evaluation in integers.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedLogDet {
    /// Sum of log_scale in grid steps.
    steps: i64,
    /// Sum of the input's log_det, 24 fraction bits.
    input: i64,
    /// Whether a latent left its range.
    saturated: bool,
}

impl FixedLogDet {
    /// What couplings added: two words of the count of grid steps, and whether a latent left its range.
    pub(super) fn coupled(&self) -> [i32; 3] {
        let saturated = i32::from(self.saturated);
        [self.steps as i32, (self.steps >> 32) as i32, saturated]
    }

    /// The log_det of which these are the words.
    pub(super) fn of_coupled([low, high, saturated]: [i32; 3]) -> Self {
        Self {
            steps: i64::from(high) << 32 | i64::from(low as u32),
            input: 0,
            saturated: saturated != 0,
        }
    }

    /// Adds what other rows of the same couplings added.
    pub(super) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.input += other.input;
        self.saturated |= other.saturated;
    }

    /// A value as a latent; out of range it is held and remembered.
    #[inline]
    fn latent(&mut self, value: i64) -> i32 {
        let held = value.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        self.saturated |= held != value;
        held as i32
    }

    /// value times mantissa, shifted right with rounding.
    #[inline]
    fn scaled(&mut self, value: i64, mantissa: i32, shift: i32) -> i32 {
        let value = self.latent(value);
        self.latent(round_shift(product(value, mantissa), shift as u32))
    }
}

/// floor(value / 2^shift + 1/2) for a shift of at least 1.
#[inline(always)]
fn round_shift(value: i64, shift: u32) -> i64 {
    let half = 1i64.wrapping_shl(shift.wrapping_sub(1));
    value.wrapping_add(half).wrapping_shr(shift)
}

#[inline(always)]
fn activate(value: i32, activation: Activation) -> i32 {
    match activation {
        Activation::Identity => value,
        Activation::Relu => value.max(0),
        // 0.01 with 20 fraction bits; values have at most 17 bits here. It is below a positive value and above a
        // negative one.
        Activation::LeakyRelu => value.max((value * 10486 + (1 << 19)) >> 20),
    }
}

#[inline(always)]
fn saturate_i16(value: i32) -> i16 {
    value.clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT) as i16
}

/// A 64-bit product's rounded high part, held to 17 bits so that what follows fits 32.
#[inline(always)]
fn saturate_i17(value: i64) -> i32 {
    value.clamp(-65536, 65535) as i32
}

/// f of each element, written out: compilers for small cores leave a loop over an array in memory.
#[inline(always)]
fn map_lanes<T: Copy, U>([a, b, c, d]: [T; LANES], f: impl Fn(T) -> U) -> [U; LANES] {
    [f(a), f(b), f(c), f(d)]
}

impl Arithmetic for Fixed {
    const FORMAT: NumberFormat = NumberFormat::Q8;
    type Latent = i32;
    type Activation = i16;
    type Accumulator = i32;
    type LogDet = FixedLogDet;
    type PackedWeights = PackedWeights;
    const ZERO_LATENT: i32 = 0;
    const ZERO_ACTIVATION: i16 = 0;

    #[inline(always)]
    fn place_of(channel: usize) -> usize {
        kernels::place_of(channel)
    }

    #[inline(always)]
    fn placed([a, b, c, d]: [i16; LANES]) -> [i16; LANES] {
        match kernels::SWAPS_MIDDLE {
            true => [a, c, b, d],
            false => [a, b, c, d],
        }
    }

    #[inline(always)]
    fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
        kernels::single(tile, sums);
    }

    #[inline(always)]
    fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
        kernels::pair(tile, sums);
    }

    #[inline(always)]
    fn row(row: &mut Row<'_, i16>, packed: &mut PackedWeights) -> bool {
        kernels::row(row, packed)
    }

    const WHOLE_ROWS: bool = kernels::WHOLE_ROWS;

    #[inline(always)]
    fn sums(row: &mut Row<'_, i16>, packed: &mut PackedWeights, sums: &mut [i32]) -> bool {
        kernels::sums(row, packed, sums)
    }

    #[inline(always)]
    fn biases(records: &[u8]) -> [i32; LANES] {
        let Some(records) = records.first_chunk::<{ 8 * LANES }>() else {
            return [0; LANES];
        };
        let bias = |i: usize| int(records, 2 * i);
        [bias(0), bias(1), bias(2), bias(3)]
    }

    #[inline(always)]
    fn activations(
        sums: &[i32; LANES],
        records: &[u8],
        activation: Activation,
        residual: Option<&[i16; LANES]>,
    ) -> [i16; LANES] {
        let Some(records) = records.first_chunk::<{ 8 * LANES }>() else {
            return [0; LANES];
        };
        let scaled = |i: usize| {
            let scaled = product(sums[i], int(records, 2 * i + 1));
            // The high half of a product fits 32 bits, rounded too.
            (round_shift(scaled, REQUANTIZE_SHIFT) as i32).clamp(-65536, 65535)
        };
        let values = [scaled(0), scaled(1), scaled(2), scaled(3)];
        let Some(&[a, b, c, d]) = residual else {
            // Each with the bounds that it can reach: a relu's are one instruction of most processors.
            return match activation {
                Activation::Identity => map_lanes(values, saturate_i16),
                Activation::Relu => map_lanes(values, |v| v.clamp(0, ACTIVATION_LIMIT) as i16),
                leaky => map_lanes(values, |v| activate(v, leaky).min(ACTIVATION_LIMIT) as i16),
            };
        };
        let [v, w, x, y] = map_lanes(values, |value| activate(value, activation));
        let sums = [
            v + i32::from(a),
            w + i32::from(b),
            x + i32::from(c),
            y + i32::from(d),
        ];
        map_lanes(sums, saturate_i16)
    }

    #[inline(always)]
    fn nats(activation: i16, unit: &[u8]) -> i64 {
        product(activation.into(), int(unit, 0))
    }

    #[inline]
    fn output(sum: i32, record: &[u8]) -> i32 {
        let scaled = product(sum, int(record, 1));
        let value = round_shift(scaled, OUTPUT_SHIFT);
        value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }

    #[inline(always)]
    fn couple_row(
        row: &mut Coordinates<'_, i32, i32>,
        records: [&[u8]; 2],
        map: &ScaleAt<'_>,
        log_det: &mut FixedLogDet,
    ) -> usize {
        let table = map.table.first_chunk();
        let is_linear = map.scale == PlannedScale::Linear;
        if table.is_none() && !is_linear {
            return 0;
        }
        let affine = Affine {
            multipliers: records.map(|record| int(record, 1)),
            table: table.filter(|_| !is_linear),
            bound: int(map.bound, 0),
            mantissas: MANTISSAS,
            form: map.affine,
        };
        let done = kernels::rewrite(&affine, row);
        log_det.steps += done.steps;
        done.count
    }

    #[inline]
    fn input(latent: i32, record: &[u8], activation: Activation) -> (i16, i16) {
        let gained = round_shift(product(latent, int(record, 0)), REQUANTIZE_SHIFT);
        let value = saturate_i17(gained + i64::from(int(record, 1)));
        (
            saturate_i16(activate(value, activation)),
            saturate_i16(activate(-value, activation)),
        )
    }

    #[inline(always)]
    fn input_row(row: &mut Kept<'_, i32, i16>, record: &[u8], activation: Activation) -> bool {
        let reading = Reading {
            gain: int(record, 0),
            offset: int(record, 1),
            activation,
        };
        kernels::read(&reading, row)
    }

    #[inline]
    fn map(a: i16, record: Option<&[u8]>, activation: Activation) -> i16 {
        let value = match record {
            Some(record) => {
                let gained = round_shift(product(a.into(), int(record, 0)), 16);
                saturate_i17(gained + i64::from(int(record, 1)))
            }
            None => i32::from(a),
        };
        saturate_i16(activate(value, activation))
    }

    #[inline(always)]
    fn relu(source: &[i16], target: &mut [i16]) {
        kernels::relu(source, target);
    }

    #[inline]
    fn gate(hidden: i16, gate: i16, carry: i16, record: &[u8], sigmoid_table: &[u8]) -> i16 {
        let raw = round_shift(product(gate.into(), int(record, 0)), GATE_SHIFT);
        let raw = raw.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let open = (interpolate(sigmoid_table, raw) + (1 << 8)) >> 9; // 24 to 15 fraction bits
        let (hidden, carry) = (i32::from(hidden), i32::from(carry));
        let mixed = product(hidden - carry, open);
        saturate_i16(carry + saturate_i17(round_shift(mixed, 15)))
    }

    #[inline]
    fn pixel(byte: u8, table: &[u8], log_det: &mut FixedLogDet) -> i32 {
        let entry = 2 * usize::from(byte);
        log_det.input += i64::from(int(table, entry + 1));
        int(table, entry)
    }

    /// Straight between the latents of the byte's edges, whose slope is the table's log_det: as exactly normalized as
    /// the logit itself, from which it stays within 7e-4.
    #[inline]
    fn pixel_drawn(byte: u8, draw: u16, table: &[u8], _: f32, log_det: &mut FixedLogDet) -> i32 {
        let entry = 2 * usize::from(byte);
        let (edge, next) = (int(table, entry), int(table, entry + 2));
        log_det.input += i64::from(int(table, entry + 1));
        let width = i64::from(next.wrapping_sub(edge));
        let part = round_shift(width * (2 * i64::from(draw) + 1), dither::FRACTION_BITS + 1);
        edge.wrapping_add(part as i32)
    }

    const TAKES_NOISE: bool = false;

    fn pixel_with_noise(byte: u8, _: f32, _: f32, _: &mut FixedLogDet) -> i32 {
        debug_assert!(false, "given noise for byte {byte} was refused");
        0
    }

    fn measurement(value: f32, record: &[u8], log_det: &mut FixedLogDet) -> i32 {
        let (exponent, mean) = (int(record, 0), i64::from(int(record, 1)));
        let (mantissa, shift) = (i64::from(int(record, 2)), int(record, 3) as u32);
        let scaled = integer_of(value, exponent);
        let kept = scaled.clamp(-MEASUREMENT_LIMIT, MEASUREMENT_LIMIT);
        log_det.saturated |= kept != scaled;
        log_det.latent(round_shift((kept - mean) * mantissa, shift))
    }

    /// A sum of 65535 products of 16 and 32 bits fits 62.
    fn whiten(inputs: &[i32], row: &[u8], log_det: &mut FixedLogDet) -> i32 {
        let weights = row.get(4..).unwrap_or(&[]).chunks_exact(2);
        let products = inputs.iter().zip(weights).map(|(&x, weight)| {
            let weight = weight.first_chunk().copied().unwrap_or_default();
            product(x, i16::from_le_bytes(weight).into())
        });
        let sum = products.fold(0, i64::wrapping_add);
        log_det.latent(round_shift(sum, int(row, 0) as u32))
    }

    #[inline]
    fn actnorm(x: i32, record: &[u8], log_det: &mut FixedLogDet) -> i32 {
        let shifted = i64::from(x) + i64::from(int(record, 0));
        log_det.scaled(shifted, int(record, 1), MANTISSA_BITS - int(record, 2))
    }

    fn linear(inputs: &[i32], row: &[u8], log_det: &mut FixedLogDet) -> i32 {
        let products = inputs
            .iter()
            .zip(row.chunks_exact(4))
            .map(|(&x, weight)| product(x, int(weight, 0)));
        log_det.latent(round_shift(
            products.fold(0, i64::wrapping_add),
            LINEAR_SHIFT,
        ))
    }

    #[inline(always)]
    fn couple(
        x: i32,
        raw_scale: i32,
        shift: i32,
        map: &ScaleAt<'_>,
        log_det: &mut FixedLogDet,
    ) -> i32 {
        let mapped = match map.scale {
            PlannedScale::Linear => raw_scale,
            PlannedScale::Tanh
            | PlannedScale::Sigmoid { .. }
            | PlannedScale::Atan
            | PlannedScale::Softsign
            | PlannedScale::SigmoidInverse
            | PlannedScale::Softplus { .. } => interpolate(map.table, raw_scale),
        };
        // 24 fraction bits times 8: grid steps.
        let steps = round_shift(product(mapped, int(map.bound, 0)), 32);
        let limit = i64::from(GRID_LIMIT);
        let steps = steps.clamp(-limit - 1, limit);
        log_det.steps += steps;
        let (mantissa, octaves) = power_of_two(steps as i32);
        let right = MANTISSA_BITS - octaves;
        match map.affine {
            AffineForm::ShiftThenScale => {
                log_det.scaled(i64::from(x) + i64::from(shift), mantissa, right)
            }
            AffineForm::ScaleThenShift => {
                let scaled = log_det.scaled(i64::from(x), mantissa, right);
                log_det.latent(i64::from(scaled) + i64::from(shift))
            }
        }
    }

    fn finish(log_det: &FixedLogDet, latents: &[i32], constant_raw: i64) -> Evaluation {
        // z^2 has 48 fraction bits; half of it with 24 is a shift by 25.
        let squares = latents.iter().map(|&z| round_shift(product(z, z), 25));
        let prior = squares.fold(0i64, i64::saturating_add);
        let of_couplings = round_shift(log_det.steps.saturating_mul(STEP_NATS_Q44), 20);
        let sum = constant_raw
            .saturating_add(log_det.input)
            .saturating_add(of_couplings);
        Evaluation {
            log_prob_raw: sum.saturating_sub(prior),
            squares_raw: prior,
            saturated: log_det.saturated,
            ..Evaluation::default()
        }
    }

    fn marginals(latents: &[i32]) -> u32 {
        let octaves = latents.iter().map(|&z| octaves_of(z));
        octaves.fold(0, u32::saturating_add)
    }

    fn latent_value(latent: i32) -> f64 {
        f64::from(latent) / f64::from(1u32 << LATENT_FRACTION_BITS)
    }

    fn activation_value(activation: i16) -> f64 {
        f64::from(activation)
    }
}

/// log2(1 + z^2) with 16 fraction bits, within a seventieth: z counts with 8, and between powers of two a parabola is near
/// enough, without a table.
fn octaves_of(z: i32) -> u32 {
    /// The parabola above the line from one power of two to the next, 16 fraction bits.
    const BEND: u32 = 22_544;
    let z = z.unsigned_abs() >> (LATENT_FRACTION_BITS - 8);
    let value = (1 << 16) + z * z;
    let zeros = value.leading_zeros();
    let way = ((value << zeros) << 1) >> 16;
    let above = (((way * ((1 << 16) - way)) >> 16) * BEND) >> 16;
    ((15 - zeros) << 16) + way + above
}

/// floor(value 2^exponent + 1/2) from the bits of a finite f32, in integers: no FPU, no soft float, the same anywhere.
fn integer_of(value: f32, exponent: i32) -> i64 {
    let bits = value.to_bits();
    let stored = (bits >> 23 & 0xFF) as i32;
    let fraction = i64::from(bits & 0x7F_FFFF);
    let (mantissa, scale) = match stored {
        0 => (fraction, -149),
        _ => (fraction | 0x80_0000, stored - 150),
    };
    let mantissa = if bits >> 31 == 1 { -mantissa } else { mantissa };
    match scale + exponent {
        // 24 bits shifted by more than 32 are out of the measurement's range in any case.
        left @ 0.. => mantissa << left.min(32),
        right => round_shift(mantissa, (-right).min(62) as u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::println;

    #[test]
    fn octaves_are_the_logarithm() {
        let mut worst = 0f64;
        for z in (i32::MIN..=i32::MAX).step_by(9973).chain([0, i32::MAX]) {
            let value = f64::from(z) / f64::from(1u32 << LATENT_FRACTION_BITS);
            let exact = (value * value).ln_1p() / std::f64::consts::LN_2;
            let found = f64::from(octaves_of(z)) / 65536.0;
            worst = worst.max((found - exact).abs());
        }
        println!("at most {worst:.4} octaves off");
        assert!(worst < 0.014);
        assert_eq!(
            [0, 1 << 24, i32::MIN].map(octaves_of),
            [0, 1 << 16, 917_509]
        );
        assert_eq!(Fixed::marginals(&[1 << 24, -1 << 24]), 2 << 16);
    }
}
