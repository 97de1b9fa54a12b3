//! `coupling`: the changed part goes through an affine map that the kept part decides. log_det = Σ log_scale.

use super::{Array, Parameters, conditioner::conditioner, ops};
use flow_infer::spec::{AffineForm, CouplingSpec, ScaleMap};

/// What the conditioner says, for every changed channel at every pixel; it counts only where a pixel is changed.
#[derive(Clone, Debug)]
pub struct ShiftAndScale {
    /// Added.
    pub shift: Array,
    /// Logarithm of the multiplier.
    pub log_scale: Array,
}

/// The affine map that a coupling applies to x, or to a y with the same kept part.
pub fn shift_and_scale(
    coupling: &CouplingSpec,
    parameters: &Parameters<'_>,
    x: &Array,
) -> ShiftAndScale {
    let kept = kept_part(coupling, x);
    let out = conditioner(
        &coupling.conditioner,
        &parameters.under("conditioner"),
        &kept,
    );
    let (_, changed) = coupling.mask.changed_channels(x.channels);
    assert_eq!(out.size(), (2 * changed, x.height, x.width));
    let raw_scale = out.channels_from(0, changed);
    let bounds = match coupling.scale_map.has_bound() {
        true => parameters.values("log_scale_bound"),
        false => vec![1.0; changed],
    };
    ShiftAndScale {
        shift: out.channels_from(changed, changed),
        log_scale: Array::from_fn(raw_scale.size(), |c, row, column| {
            log_scale(coupling.scale_map, raw_scale.at(c, row, column), bounds[c])
        }),
    }
}

/// Data to latent, with log_det.
pub(super) fn to_latent(
    coupling: &CouplingSpec,
    parameters: &Parameters<'_>,
    x: &Array,
) -> (Array, f64) {
    let affine = shift_and_scale(coupling, parameters, x);
    let mut log_det = 0.0;
    let y = change(coupling, x, &affine, |x, shift, log_scale| {
        log_det += log_scale;
        match coupling.affine {
            AffineForm::ShiftThenScale => (x + shift) * log_scale.exp(),
            AffineForm::ScaleThenShift => x * log_scale.exp() + shift,
        }
    });
    (y, log_det)
}

/// Latent to data.
pub(super) fn to_data(coupling: &CouplingSpec, parameters: &Parameters<'_>, y: &Array) -> Array {
    let affine = shift_and_scale(coupling, parameters, y);
    change(coupling, y, &affine, |y, shift, log_scale| {
        match coupling.affine {
            AffineForm::ShiftThenScale => y * (-log_scale).exp() - shift,
            AffineForm::ScaleThenShift => (y - shift) * (-log_scale).exp(),
        }
    })
}

/// All channels with every pixel that is not kept set to zero; of a channel mask, the kept channels alone.
fn kept_part(coupling: &CouplingSpec, x: &Array) -> Array {
    let shape = x.shape();
    let (first, count) = coupling.mask.kept_channels(x.channels);
    Array::from_fn((count, x.height, x.width), |c, row, column| {
        if coupling.mask.is_kept(first + c, row, column, shape) {
            x.at(first + c, row, column)
        } else {
            0.0
        }
    })
}

/// f(value, shift, log_scale) at every changed coordinate, the value itself at the others.
fn change(
    coupling: &CouplingSpec,
    values: &Array,
    affine: &ShiftAndScale,
    mut f: impl FnMut(f64, f64, f64) -> f64,
) -> Array {
    let shape = values.shape();
    let (first, _) = coupling.mask.changed_channels(values.channels);
    Array::from_fn(values.size(), |c, row, column| {
        let value = values.at(c, row, column);
        if coupling.mask.is_changed(c, row, column, shape) {
            let shift = affine.shift.at(c - first, row, column);
            f(value, shift, affine.log_scale.at(c - first, row, column))
        } else {
            value
        }
    })
}

fn log_scale(map: ScaleMap, raw_scale: f64, bound: f64) -> f64 {
    match map {
        ScaleMap::TanhBound => bound * raw_scale.tanh(),
        ScaleMap::AtanBound => bound * raw_scale.atan(),
        ScaleMap::SoftsignBound => bound * raw_scale / (1.0 + raw_scale.abs()),
        ScaleMap::SigmoidInverse { offset } => -ops::sigmoid(raw_scale + f64::from(offset)).ln(),
        ScaleMap::Softplus { floor, most } => {
            let softplus = raw_scale.max(0.0) + (-raw_scale.abs()).exp().ln_1p();
            (softplus + f64::from(floor)).min(f64::from(most)).ln()
        }
        ScaleMap::Exp => raw_scale,
        ScaleMap::Sigmoid { offset, floor } => {
            (ops::sigmoid(raw_scale + f64::from(offset)) + f64::from(floor)).ln()
        }
    }
}
