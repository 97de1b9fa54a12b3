//! The transforms of nflows, by the names of their tensors.

use super::network;
use crate::convert::vector::{Affine, Chain, Coupling};
use crate::convert::{ConvertError, StateDict};
use flow_infer::spec::{AffineForm, ScaleMap};

const NAMES: &str = "transform_features, _permutation, lower_entries, log_scale or running_var";
/// Deepest nesting of composite transforms.
pub(super) const MAX_DEPTH: u8 = 4;
/// Added by nflows to batch norm's variance and gain.
const BATCH_NORM_EPSILON: f64 = 1e-5;
/// Added by nflows to LU's diagonal.
const LU_EPSILON: f64 = 1e-3;

/// Number of coordinates, from the first layer that tells it.
pub(super) fn dims(state: &mut StateDict<'_>) -> Result<usize, ConvertError> {
    let len = |key: &str| state.shape(key).and_then(|shape| shape.first()).copied();
    let dims = state.keys("_transform.").find_map(|key| {
        let (prefix, name) = key.rsplit_once('.')?;
        match name {
            "identity_features" => Some(len(key)? + len(&format!("{prefix}.transform_features"))?),
            "_permutation" | "unconstrained_upper_diag" | "unconstrained_weight" => len(key),
            _ => None,
        }
    });
    dims.ok_or_else(|| {
        let why = format!("no layer of nflows: no key under _transform. is called {NAMES}");
        ConvertError::Contradiction(why)
    })
}

/// Adds the transform under a prefix, or those of a composite one.
pub(super) fn add(
    state: &mut StateDict<'_>,
    at: &str,
    chain: &mut Chain,
    depth: u8,
) -> Result<(), ConvertError> {
    let has = |name: &str| state.has(&format!("{at}{name}"));
    if depth > 0 && has("_transforms.") {
        composite(state, &format!("{at}_transforms."), chain, depth - 1)
    } else if has("transform_net.") || has("transform_features") || has("identity_features") {
        coupling(state, at, chain)
    } else if has("_permutation") {
        match state.take_indices(&format!("{at}_permutation"))? {
            Some(permutation) => chain.permute(&permutation),
            None => Ok(()),
        }
    } else if has("unconstrained_upper_diag") || has("lower_entries") {
        lu(state, at, chain)
    } else if has("running_var") || has("unconstrained_weight") {
        batch_norm(state, at, chain)
    } else if has("log_scale") || has("shift") {
        actnorm(state, at, chain)
    } else {
        let why = format!("no known layer of nflows has the tensors under {at}*: {NAMES}");
        Err(ConvertError::Unsupported(why))
    }
}

/// Layers in order of their numbers. One without tensors could be any of the library's nonlinearities.
fn composite(
    state: &mut StateDict<'_>,
    at: &str,
    chain: &mut Chain,
    depth: u8,
) -> Result<(), ConvertError> {
    let number = |key: &str| key[at.len()..].split('.').next()?.parse::<u16>().ok();
    let mut numbers: Vec<u16> = state.keys(at).filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if let Some(k) = (0..)
        .zip(&numbers)
        .find_map(|(k, &n)| (k != n).then_some(k))
    {
        let why = format!("{at}{k} has no tensors, so that it cannot be known");
        return Err(ConvertError::Unsupported(why));
    }
    numbers
        .into_iter()
        .try_for_each(|k| add(state, &format!("{at}{k}."), chain, depth))
}

fn coupling(state: &mut StateDict<'_>, at: &str, chain: &mut Chain) -> Result<(), ConvertError> {
    let kept = state.take_indices(&format!("{at}identity_features"))?;
    let changed = state.take_indices(&format!("{at}transform_features"))?;
    let (Some(kept), Some(changed)) = (kept, changed) else {
        return Ok(());
    };
    let at = format!("{at}transform_net.");
    let Some(found) = network::take(state, &at, kept.len(), changed.len())? else {
        return Ok(());
    };
    let scale_map = if found.additive {
        ScaleMap::Exp
    } else {
        ScaleMap::Sigmoid {
            offset: 2.0,
            floor: 1e-3,
        }
    };
    let form = AffineForm::ScaleThenShift;
    let affine = Affine { scale_map, form };
    let network = found.network;
    chain.coupling(Coupling {
        kept,
        changed,
        network,
        affine,
    })
}

/// One value of each coordinate; `None` if missing.
fn vector(
    state: &mut StateDict<'_>,
    key: &str,
    len: usize,
) -> Result<Option<Vec<f64>>, ConvertError> {
    let taken = state.take(key, &[len])?;
    Ok(taken.map(|tensor| tensor.values.iter().map(|&value| value.into()).collect()))
}

/// y = L (U x) + b, with ones on L's diagonal and softplus(d) + eps on U's.
fn lu(state: &mut StateDict<'_>, at: &str, chain: &mut Chain) -> Result<(), ConvertError> {
    let dims = chain.dims();
    let entries = dims * dims.saturating_sub(1) / 2;
    let lower = vector(state, &format!("{at}lower_entries"), entries)?;
    let upper = vector(state, &format!("{at}upper_entries"), entries)?;
    let diagonal = vector(state, &format!("{at}unconstrained_upper_diag"), dims)?;
    let bias = vector(state, &format!("{at}bias"), dims)?;
    let (Some(lower), Some(upper), Some(diagonal), Some(bias)) = (lower, upper, diagonal, bias)
    else {
        return Ok(());
    };
    let (mut l, mut u) = (vec![0.0; dims * dims], vec![0.0; dims * dims]);
    let (mut lower, mut upper) = (lower.into_iter(), upper.into_iter());
    // Entries are stored row by row.
    for i in 0..dims {
        for j in 0..dims {
            let at = i * dims + j;
            match i.cmp(&j) {
                std::cmp::Ordering::Greater => l[at] = lower.next().unwrap_or(0.0),
                std::cmp::Ordering::Less => u[at] = upper.next().unwrap_or(0.0),
                std::cmp::Ordering::Equal => {
                    (l[at], u[at]) = (1.0, softplus(diagonal[i]) + LU_EPSILON);
                }
            }
        }
    }
    chain.linear(&product(&l, &u, dims))?;
    chain.elementwise(&bias, &vec![0.0; dims])
}

fn product(a: &[f64], b: &[f64], dims: usize) -> Vec<f64> {
    let entry = |i: usize, j: usize| (0..dims).map(|k| a[i * dims + k] * b[k * dims + j]).sum();
    (0..dims * dims)
        .map(|at| entry(at / dims, at % dims))
        .collect()
}

/// y = w (x - mean) / sqrt(var + eps) + b with w = softplus(u) + eps.
fn batch_norm(state: &mut StateDict<'_>, at: &str, chain: &mut Chain) -> Result<(), ConvertError> {
    let dims = chain.dims();
    let weight = vector(state, &format!("{at}unconstrained_weight"), dims)?;
    let bias = vector(state, &format!("{at}bias"), dims)?;
    let mean = vector(state, &format!("{at}running_mean"), dims)?;
    let variance = vector(state, &format!("{at}running_var"), dims)?;
    let (Some(weight), Some(bias), Some(mean), Some(variance)) = (weight, bias, mean, variance)
    else {
        return Ok(());
    };
    let scale: Vec<f64> = weight
        .iter()
        .zip(&variance)
        .map(|(&u, var)| (softplus(u) + BATCH_NORM_EPSILON) / (var + BATCH_NORM_EPSILON).sqrt())
        .collect();
    let shift: Vec<f64> = (0..dims).map(|j| bias[j] / scale[j] - mean[j]).collect();
    let log_scale: Vec<f64> = scale.iter().map(|scale| scale.ln()).collect();
    chain.elementwise(&shift, &log_scale)
}

/// y = x exp(log_scale) + shift.
fn actnorm(state: &mut StateDict<'_>, at: &str, chain: &mut Chain) -> Result<(), ConvertError> {
    let dims = chain.dims();
    let log_scale = vector(state, &format!("{at}log_scale"), dims)?;
    let shift = vector(state, &format!("{at}shift"), dims)?;
    state.discard(&format!("{at}initialized"));
    let (Some(log_scale), Some(shift)) = (log_scale, shift) else {
        return Ok(());
    };
    let before: Vec<f64> = (0..dims).map(|j| shift[j] / log_scale[j].exp()).collect();
    chain.elementwise(&before, &log_scale)
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
