//! Floating-point arithmetic: imported checkpoints, comparison, and boards with an FPU.
//!
//! Transcendental functions come from `libm` on every target and sums run in a fixed order, so host and board agree
//! bit for bit here too (no fused multiply-add, no reordering). log_det and the prior are summed in f64: 7,840 terms
//! of an f32 sum would lose four digits.

use super::Evaluation;
use super::arithmetic::{Arithmetic, ScaleAt};
use super::dither;
use crate::bytes::{float, run_mut};
use crate::kernels::{self, PackedFloats, Row, Tile, portable};
use crate::plan::{Activation, LANES, NumberFormat, PlannedScale};
use crate::spec::AffineForm;
use crate::spec::units::{nats_from_raw, raw_from_nats};
use half::f16;

/// The number system of `NumberFormat::F32`.
pub type F32 = Float<false>;
/// The number system of `NumberFormat::F16`: only the weights are halved.
pub type F16 = Float<true>;

/// Floats whose weights are stored with 32 or 16 bits.
#[derive(Clone, Copy, Debug)]
pub enum Float<const HALF: bool> {}

/// Running log_det of an evaluation in floats.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloatLogDet {
    nats: f64,
    out_of_range: bool,
}

impl FloatLogDet {
    /// A latent; beyond what a density can mean it is held and remembered, as in integers.
    fn latent(&mut self, value: f32) -> f32 {
        const LIMIT: f32 = 1e15;
        self.out_of_range |= value.is_nan() || value.abs() >= LIMIT;
        if value.is_nan() {
            0.0
        } else {
            value.clamp(-LIMIT, LIMIT)
        }
    }
}

fn activate(value: f32, activation: Activation) -> f32 {
    match activation {
        Activation::Identity => value,
        Activation::Relu => value.max(0.0),
        Activation::LeakyRelu if value < 0.0 => 0.01 * value,
        Activation::LeakyRelu => value,
    }
}

fn logit(byte: u8, noise: f32, margin: f32, log_det: &mut FloatLogDet) -> f32 {
    let unit = (f32::from(byte) + noise) / 256.0;
    let p = (1.0 - 2.0 * margin) * unit + margin;
    let (ln_p, ln_q) = (libm::logf(p), libm::log1pf(-p));
    log_det.nats -= f64::from(ln_p) + f64::from(ln_q);
    ln_p - ln_q
}

fn softplus(r: f32) -> f32 {
    r.max(0.0) + libm::log1pf(libm::expf(-r.abs()))
}

fn sigmoid(r: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-r))
}

fn add<const HALF: bool, const PIXELS: usize>(
    tile: &Tile<'_, f32>,
    distances: [usize; PIXELS],
    sums: [[f32; LANES]; PIXELS],
) -> [[f32; LANES]; PIXELS] {
    if HALF {
        let half = |sum, a, &weight: &[u8; 2]| sum + a * f16::from_le_bytes(weight).to_f32();
        portable::add(tile, distances, sums, |k| k, half)
    } else {
        let single = |sum, a, &weight: &[u8; 4]| sum + a * f32::from_le_bytes(weight);
        portable::add(tile, distances, sums, |k| k, single)
    }
}

fn row_of<const HALF: bool>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    emit: impl FnMut(usize, &[f32]),
) -> bool {
    if HALF {
        let half: fn([u8; 2]) -> f32 = |weight| f16::from_le_bytes(weight).to_f32();
        kernels::float_row(row, packed, half, emit)
    } else {
        kernels::float_row(row, packed, f32::from_le_bytes, emit)
    }
}

impl<const HALF: bool> Arithmetic for Float<HALF> {
    const FORMAT: NumberFormat = if HALF {
        NumberFormat::F16
    } else {
        NumberFormat::F32
    };
    type Latent = f32;
    type Activation = f32;
    type Accumulator = f32;
    type LogDet = FloatLogDet;
    type PackedWeights = PackedFloats;
    const ZERO_LATENT: f32 = 0.0;
    const ZERO_ACTIVATION: f32 = 0.0;

    fn single(tile: &Tile<'_, f32>, sums: &mut [f32; LANES]) {
        [*sums] = add::<HALF, 1>(tile, [0], [*sums]);
    }

    fn pair(tile: &Tile<'_, f32>, sums: &mut [[f32; LANES]; 2]) {
        *sums = add::<HALF, 2>(tile, [0, tile.distance()], *sums);
    }

    const WHOLE_ROWS: bool = kernels::WHOLE_FLOAT_ROWS;

    #[inline(always)]
    fn row(row: &mut Row<'_, f32>, packed: &mut PackedFloats) -> bool {
        let (activation, residual) = (row.activation, row.residual);
        let target = core::mem::take(&mut row.target);
        row_of::<HALF>(row, packed, |place, sums| {
            let residual = residual.get(place..).unwrap_or(&[]);
            let residual = residual.iter().copied().chain(core::iter::repeat(0.0));
            let target = run_mut(target, place, sums.len());
            for ((target, &sum), a) in target.iter_mut().zip(sums).zip(residual) {
                *target = activate(sum, activation) + a;
            }
        })
    }

    #[inline(always)]
    fn sums(row: &mut Row<'_, f32>, packed: &mut PackedFloats, all: &mut [f32]) -> bool {
        let room = row.columns.saturating_mul(row.pixel_len());
        room <= all.len()
            && row_of::<HALF>(row, packed, |place, sums| {
                for (to, &sum) in run_mut(all, place, sums.len()).iter_mut().zip(sums) {
                    *to = sum;
                }
            })
    }

    fn biases(records: &[u8]) -> [f32; LANES] {
        [0, 1, 2, 3].map(|index| float(records, index))
    }

    fn activations(
        sums: &[f32; LANES],
        _: &[u8],
        activation: Activation,
        residual: Option<&[f32; LANES]>,
    ) -> [f32; LANES] {
        let mut values = sums.map(|sum| activate(sum, activation));
        let zero = [0.0; LANES];
        for (value, &a) in values.iter_mut().zip(residual.unwrap_or(&zero)) {
            *value += a;
        }
        values
    }

    fn nats(activation: f32, unit: &[u8]) -> i64 {
        raw_from_nats(f64::from(activation) * f64::from(float(unit, 0)))
    }

    fn output(sum: f32, _: &[u8]) -> f32 {
        sum
    }

    fn input(latent: f32, record: &[u8], activation: Activation) -> (f32, f32) {
        let value = latent * float(record, 0) + float(record, 1);
        (activate(value, activation), activate(-value, activation))
    }

    fn map(a: f32, record: Option<&[u8]>, activation: Activation) -> f32 {
        let value = record.map_or(a, |r| a * float(r, 0) + float(r, 1));
        activate(value, activation)
    }

    fn gate(hidden: f32, gate: f32, carry: f32, _: &[u8], _: &[u8]) -> f32 {
        let open = sigmoid(gate);
        hidden * open + carry * (1.0 - open)
    }

    fn pixel(byte: u8, table: &[u8], log_det: &mut FloatLogDet) -> f32 {
        let entry = 2 * usize::from(byte);
        log_det.nats += f64::from(float(table, entry + 1));
        float(table, entry)
    }

    fn pixel_drawn(byte: u8, draw: u16, _: &[u8], margin: f32, log_det: &mut FloatLogDet) -> f32 {
        let noise = (f32::from(draw) + 0.5) / (1u32 << dither::FRACTION_BITS) as f32;
        logit(byte, noise, margin, log_det)
    }

    const TAKES_NOISE: bool = true;

    fn pixel_with_noise(byte: u8, noise: f32, margin: f32, log_det: &mut FloatLogDet) -> f32 {
        logit(byte, noise, margin, log_det)
    }

    fn measurement(value: f32, record: &[u8], log_det: &mut FloatLogDet) -> f32 {
        log_det.latent((value - float(record, 0)) / float(record, 1))
    }

    fn whiten(inputs: &[f32], row: &[u8], log_det: &mut FloatLogDet) -> f32 {
        Self::linear(inputs, row, log_det)
    }

    fn actnorm(x: f32, record: &[u8], log_det: &mut FloatLogDet) -> f32 {
        log_det.latent((x + float(record, 0)) * float(record, 1))
    }

    fn linear(inputs: &[f32], row: &[u8], log_det: &mut FloatLogDet) -> f32 {
        let products = inputs
            .iter()
            .zip(row.chunks_exact(4))
            .map(|(&x, w)| x * float(w, 0));
        log_det.latent(products.fold(0.0, |sum, product| sum + product))
    }

    fn couple(
        x: f32,
        raw_scale: f32,
        shift: f32,
        map: &ScaleAt<'_>,
        log_det: &mut FloatLogDet,
    ) -> f32 {
        let mapped = match map.scale {
            PlannedScale::Tanh => libm::tanhf(raw_scale),
            PlannedScale::Linear => raw_scale,
            PlannedScale::Sigmoid { floor } => libm::logf(sigmoid(raw_scale) + floor),
            PlannedScale::Atan => libm::atanf(raw_scale),
            PlannedScale::Softsign => raw_scale / (1.0 + raw_scale.abs()),
            PlannedScale::SigmoidInverse => softplus(-raw_scale),
            PlannedScale::Softplus { floor, most } => {
                libm::logf((softplus(raw_scale) + floor).min(most))
            }
        };
        let log_scale = mapped * float(map.bound, 0);
        log_det.nats += f64::from(log_scale);
        let scale = libm::expf(log_scale);
        log_det.latent(match map.affine {
            AffineForm::ShiftThenScale => (x + shift) * scale,
            AffineForm::ScaleThenShift => x * scale + shift,
        })
    }

    fn finish(log_det: &FloatLogDet, latents: &[f32], constant_raw: i64) -> Evaluation {
        let squares = latents
            .iter()
            .fold(0.0, |sum, &z| sum + f64::from(z) * f64::from(z));
        let log_prob = log_det.nats + nats_from_raw(constant_raw) - 0.5 * squares;
        Evaluation {
            log_prob_raw: raw_from_nats(log_prob),
            squares_raw: raw_from_nats(0.5 * squares),
            saturated: log_det.out_of_range || !log_prob.is_finite(),
            ..Evaluation::default()
        }
    }

    fn marginals(latents: &[f32]) -> u32 {
        let far = |&z: &f32| libm::log1p(f64::from(z) * f64::from(z));
        let octaves = latents.iter().map(far).sum::<f64>() / core::f64::consts::LN_2;
        // A conversion from float holds what does not fit.
        (octaves * f64::from(1 << 16)) as u32
    }

    fn latent_value(latent: f32) -> f64 {
        f64::from(latent)
    }

    fn activation_value(activation: f32) -> f64 {
        f64::from(activation)
    }
}
