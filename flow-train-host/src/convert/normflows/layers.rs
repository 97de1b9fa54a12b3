//! The flows of normflows, by the names of their tensors.

use super::{CouplingMap, Hint};
use crate::convert::vector::{Affine, Chain, Coupling, Dense, Network};
use crate::convert::{ConvertError, StateDict};
use flow_infer::spec::{AffineForm, ScaleMap};
use std::collections::BTreeSet;

/// Number of coordinates, from the base distribution.
pub(super) fn dims(state: &mut StateDict<'_>) -> Result<usize, ConvertError> {
    match state.shape("q0.loc") {
        Some(&[1, dims]) => Ok(dims),
        Some(shape) => {
            let why = format!("q0.loc has shape {shape:?}: only flows of vectors are read");
            Err(ConvertError::Unsupported(why))
        }
        None => {
            let why = "no flow of normflows on a diagonal Gaussian: no key q0.loc";
            Err(ConvertError::Contradiction(why.to_owned()))
        }
    }
}

/// Most flows that are read; the library has no limit, a file may count as far as it likes.
const MAX_FLOWS: usize = 1000;

/// Adds all flows, data to latent: from the last to the first. Gives the number of swaps.
pub(super) fn add_all(
    state: &mut StateDict<'_>,
    hint: &Hint,
    chain: &mut Chain,
) -> Result<usize, ConvertError> {
    let number = |key: &str| key["flows.".len()..].split('.').next()?.parse().ok();
    let numbers: BTreeSet<usize> = state.keys("flows.").filter_map(number).collect();
    let seen = numbers.last().map_or(0, |&last| last + 1);
    let count = hint.flows.unwrap_or(seen);
    if count < seen || count > MAX_FLOWS {
        let why = format!("{seen} flows are seen, at most {MAX_FLOWS} read, {count} told");
        return Err(ConvertError::Contradiction(why));
    }
    let swaps = count - numbers.len();
    if swaps > 0 && hint.flows.is_none() {
        let why = format!(
            "{swaps} of {seen} flows have no tensors, so they swap halves; whether one does after the last must be \
             told by the number of flows"
        );
        return Err(ConvertError::Ambiguous(why));
    }
    for k in (0..count).rev() {
        if numbers.contains(&k) {
            add(state, &format!("flows.{k}."), hint.map, chain)?;
        } else {
            swap(chain)?;
        }
    }
    Ok(swaps)
}

/// Latent to data the library moves the first ⌊D/2⌋ coordinates behind the others; here the way back.
fn swap(chain: &mut Chain) -> Result<(), ConvertError> {
    let dims = chain.dims();
    let upper = dims.div_ceil(2);
    let permutation: Vec<usize> = (upper..dims).chain(0..upper).collect();
    chain.permute(&permutation)
}

fn add(
    state: &mut StateDict<'_>,
    at: &str,
    map: CouplingMap,
    chain: &mut Chain,
) -> Result<(), ConvertError> {
    let has = |name: &str| state.has(&format!("{at}{name}"));
    if has("flows.1.param_map.") {
        block(state, &format!("{at}flows.1.param_map."), map, chain)
    } else if has("b") {
        masked(state, at, chain)
    } else if has("perm") || has("inv_perm") {
        // Latent to data y_j = x_perm(j); data to latent the inverse, which is stored as well.
        state.discard(&format!("{at}perm"));
        match state.take_indices(&format!("{at}inv_perm"))? {
            Some(permutation) => chain.permute(&permutation),
            None => Ok(()),
        }
    } else if has("s") || has("t") {
        constant(state, at, chain)
    } else {
        let why = format!("no known flow of vectors in normflows has the tensors under {at}*");
        Err(ConvertError::Unsupported(why))
    }
}

/// z = (x - t) exp(-s), constant.
fn constant(state: &mut StateDict<'_>, at: &str, chain: &mut Chain) -> Result<(), ConvertError> {
    let shape = [1, chain.dims()];
    let s = state.take(&format!("{at}s"), &shape)?;
    let t = state.take(&format!("{at}t"), &shape)?;
    state.discard(&format!("{at}data_dep_init_done"));
    let (Some(s), Some(t)) = (s, t) else {
        return Ok(());
    };
    let negative = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| -f64::from(v)).collect() };
    chain.elementwise(&negative(&t.values), &negative(&s.values))
}

/// The diagonal Gaussian as a last constant flow before a standard one; nothing, if it is one.
pub(super) fn base(state: &mut StateDict<'_>, chain: &mut Chain) -> Result<(), ConvertError> {
    let shape = [1, chain.dims()];
    let loc = state.take("q0.loc", &shape)?;
    let log_scale = state.take("q0.log_scale", &shape)?;
    let (Some(loc), Some(log_scale)) = (loc, log_scale) else {
        return Ok(());
    };
    if loc
        .values
        .iter()
        .chain(&log_scale.values)
        .all(|&value| value == 0.0)
    {
        return Ok(());
    }
    let negative = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| -f64::from(v)).collect() };
    chain.elementwise(&negative(&loc.values), &negative(&log_scale.values))
}

/// A coupling block: its network alternates between t and s.
fn block(
    state: &mut StateDict<'_>,
    at: &str,
    map: CouplingMap,
    chain: &mut Chain,
) -> Result<(), ConvertError> {
    let (dims, upper) = (chain.dims(), chain.dims().div_ceil(2));
    let (kept, changed): (Vec<usize>, Vec<usize>) = ((0..upper).collect(), (upper..dims).collect());
    let Some(mut layers) = take_mlp(state, at, upper)? else {
        return Ok(());
    };
    let (scale_map, sign) = map.ours();
    let last = layers
        .last_mut()
        .filter(|last| last.outputs == 2 * changed.len());
    let Some(last) = last else {
        let why = format!(
            "{at}* does not give two values for each of {} coordinates",
            changed.len()
        );
        return Err(ConvertError::Unsupported(why));
    };
    *last = last.rows(&output_rows(changed.len(), sign));
    let network = Network::Mlp(layers);
    let affine = Affine {
        scale_map,
        form: AffineForm::ShiftThenScale,
    };
    chain.coupling(Coupling {
        kept,
        changed,
        network,
        affine,
    })
}

/// Rows of raw_scale, then of shift, of a network that alternates between t and s; z = (x - t) exp(-s).
pub(super) fn output_rows(changed: usize, sign: f32) -> Vec<(usize, f32)> {
    let scales = (0..changed).map(|k| (2 * k + 1, sign));
    let shifts = (0..changed).map(|k| (2 * k, -1.0));
    scales.chain(shifts).collect()
}

/// A masked flow: two networks of all coordinates, side by side in ours.
fn masked(state: &mut StateDict<'_>, at: &str, chain: &mut Chain) -> Result<(), ConvertError> {
    let dims = chain.dims();
    let Some(mask) = state.take(&format!("{at}b"), &[1, dims])? else {
        return Ok(());
    };
    let part = |keep: bool| {
        (0..dims)
            .filter(|&j| (mask.values[j] == 1.0) == keep)
            .collect()
    };
    let (kept, changed): (Vec<usize>, Vec<usize>) = (part(true), part(false));
    if changed.iter().any(|&j| mask.values[j] != 0.0) {
        let key = state.full_key(at);
        return Err(ConvertError::Unsupported(format!(
            "{key}b holds other values than 0 and 1"
        )));
    }
    let mut sides = Vec::new();
    for name in ["s", "t"] {
        let prefix = format!("{at}{name}.");
        sides.push(if state.has(&prefix) {
            take_mlp(state, &prefix, dims)?
        } else {
            None
        });
    }
    let (Some(t), Some(s)) = (sides.pop().flatten(), sides.pop().flatten()) else {
        return match state.complete() {
            Ok(()) => Err(ConvertError::Unsupported(format!(
                "{at}* lacks one of its two networks"
            ))),
            missing => missing,
        };
    };
    let rows: Vec<(usize, f32)> = changed.iter().map(|&j| (j, -1.0)).collect();
    let network = Network::Mlp(side_by_side(s, t, &kept, &rows, at)?);
    let affine = Affine {
        scale_map: ScaleMap::Exp,
        form: AffineForm::ShiftThenScale,
    };
    chain.coupling(Coupling {
        kept,
        changed,
        network,
        affine,
    })
}

fn side_by_side(
    s: Vec<Dense>,
    t: Vec<Dense>,
    columns: &[usize],
    rows: &[(usize, f32)],
    at: &str,
) -> Result<Vec<Dense>, ConvertError> {
    let fits = |layers: &[Dense]| {
        layers
            .last()
            .is_some_and(|last| rows.iter().all(|&(row, _)| row < last.outputs))
    };
    if s.len() != t.len() || !fits(&s) || !fits(&t) {
        let why = format!("the two networks under {at}* are not of the same form");
        return Err(ConvertError::Unsupported(why));
    }
    let last = s.len() - 1;
    let layers = s.iter().zip(&t).enumerate().map(|(k, (s, t))| match k {
        0 => s.columns(columns).over(&t.columns(columns)),
        _ if k == last => s.rows(rows).beside(&t.rows(rows)),
        _ => s.beside(t),
    });
    Ok(layers.collect())
}

/// The linear layers of an `MLP`: `net.0`, `net.2`, ...; relu between.
fn take_mlp(
    state: &mut StateDict<'_>,
    at: &str,
    inputs: usize,
) -> Result<Option<Vec<Dense>>, ConvertError> {
    let prefix = format!("{at}net.");
    let number = |key: &str| key[prefix.len()..].split('.').next()?.parse::<u16>().ok();
    let mut numbers: Vec<u16> = state.keys(&prefix).filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < 2 {
        let why = format!("{prefix}* are not two linear layers or more");
        return Err(ConvertError::Unsupported(why));
    }
    let (mut layers, mut inputs) = (Vec::new(), Some(inputs));
    for k in &numbers {
        let layer = Dense::take(state, &format!("{prefix}{k}"), inputs)?;
        inputs = layer.as_ref().map(|layer| layer.outputs);
        layers.extend(layer);
    }
    Ok((layers.len() == numbers.len()).then_some(layers))
}
