//! The networks of nflows: `MLP` (`_input_layer`, `_hidden_layers.K`, `_output_layer`) and `ResidualNet`
//! (`initial_layer`, `blocks.K.linear_layers.{0,1}`, `final_layer`).

use crate::convert::vector::{
    Block, Dense, Network, Residual, Statistics, VARIANCE_OFFSET, with_relus,
};
use crate::convert::{Assumptions, ConvertError, StateDict};

/// Added by nflows to the variance of batch norm in a residual block.
const EPSILON: f64 = 1e-3;

/// A network whose outputs are raw_scale, then shift.
pub(super) struct Found {
    pub(super) network: Network,
    /// Whether it gives shifts alone; the scales are zeros then.
    pub(super) additive: bool,
}

/// Takes the network under a prefix; `None` if keys are missing.
pub(super) fn take(
    state: &mut StateDict<'_>,
    assume: &mut Assumptions,
    at: &str,
    [kept, changed]: [usize; 2],
) -> Result<Option<Found>, ConvertError> {
    let slope = match assume.word("activation")? {
        "leaky_relu" => assume.number("negative_slope"),
        _ => 0.0,
    };
    let residual = state.has(&format!("{at}initial_layer")) || state.has(&format!("{at}blocks."));
    let taken = if residual {
        take_residual(state, at, kept)?.map(|net| Network::Residual(Residual { slope, ..net }))
    } else {
        assume.word("activate_output")?;
        take_mlp(state, at, kept)?.map(|layers| Network::Mlp(with_relus(layers, slope)))
    };
    let Some(mut network) = taken else {
        return Ok(None);
    };
    let last = match &mut network {
        Network::Mlp(layers) => layers.last_mut(),
        Network::Residual(net) => Some(&mut net.last),
    };
    let Some(last) = last else {
        return Ok(None);
    };
    let additive = last.outputs == changed;
    if additive {
        *last = last.additive();
    } else if last.outputs == 2 * changed {
        let rows: Vec<(usize, f32)> = (changed..2 * changed)
            .chain(0..changed)
            .map(|row| (row, 1.0))
            .collect();
        *last = last.rows(&rows);
    } else {
        let (found, at) = (last.outputs, state.full_key(at));
        let why = format!("{at}* gives {found} values for {changed} coordinates: not affine");
        return Err(ConvertError::Unsupported(why));
    }
    Ok(Some(Found { network, additive }))
}

fn take_mlp(
    state: &mut StateDict<'_>,
    at: &str,
    kept: usize,
) -> Result<Option<Vec<Dense>>, ConvertError> {
    let mut names = vec!["_input_layer".to_owned()];
    let inner = count(state, &format!("{at}_hidden_layers."));
    names.extend((0..inner).map(|k| format!("_hidden_layers.{k}")));
    names.push("_output_layer".to_owned());
    let (mut layers, mut inputs) = (Vec::new(), Some(kept));
    for name in &names {
        let layer = Dense::take(state, &format!("{at}{name}"), inputs)?;
        inputs = layer.as_ref().map(|layer| layer.outputs);
        layers.extend(layer);
    }
    Ok((layers.len() == names.len()).then_some(layers))
}

fn take_residual(
    state: &mut StateDict<'_>,
    at: &str,
    kept: usize,
) -> Result<Option<Residual>, ConvertError> {
    let Some(first) = Dense::take(state, &format!("{at}initial_layer"), Some(kept))? else {
        return Ok(None);
    };
    let hidden = first.outputs;
    let count = count(state, &format!("{at}blocks."));
    let mut blocks = Vec::new();
    for k in 0..count {
        blocks.extend(take_block(state, &format!("{at}blocks.{k}."), hidden)?);
    }
    let last = Dense::take(state, &format!("{at}final_layer"), Some(hidden))?;
    Ok(last.filter(|_| blocks.len() == count).map(|last| Residual {
        first,
        blocks,
        last,
        slope: 0.0,
    }))
}

fn take_block(
    state: &mut StateDict<'_>,
    at: &str,
    hidden: usize,
) -> Result<Option<Block>, ConvertError> {
    let a = Dense::take(state, &format!("{at}linear_layers.0"), Some(hidden))?;
    let b = Dense::take(state, &format!("{at}linear_layers.1"), Some(hidden))?;
    let (Some(mut a), Some(b)) = (a, b) else {
        return Ok(None);
    };
    if a.outputs != hidden || b.outputs != hidden {
        let at = state.full_key(at);
        let why = format!("{at}linear_layers are not square");
        return Err(ConvertError::Unsupported(why));
    }
    let batch = format!("{at}batch_norm_layers.");
    if !state.has(&batch) {
        return Ok(Some(Block { norm: None, a, b }));
    }
    let norm = take_norm(state, &format!("{batch}0."), hidden)?;
    let Some(inner) = take_norm(state, &format!("{batch}1."), hidden)? else {
        return Ok(None);
    };
    fold(&mut a, &inner);
    Ok(norm.map(|norm| Block {
        norm: Some(norm),
        a,
        b,
    }))
}

/// Batch norm with our offset of the variance.
fn take_norm(
    state: &mut StateDict<'_>,
    at: &str,
    hidden: usize,
) -> Result<Option<Statistics>, ConvertError> {
    let parts = ["weight", "bias", "running_mean", "running_var"];
    let [gain, offset, mean, variance] =
        parts.map(|part| state.take(&format!("{at}{part}"), &[hidden]));
    state.discard(&format!("{at}num_batches_tracked"));
    let (Some(gain), Some(offset), Some(mean), Some(variance)) = (gain?, offset?, mean?, variance?)
    else {
        return Ok(None);
    };
    let ours = |theirs: &f32| (f64::from(*theirs) + EPSILON - VARIANCE_OFFSET) as f32;
    Ok(Some(Statistics {
        gain: gain.values,
        offset: offset.values,
        mean: mean.values,
        variance: variance.values.iter().map(ours).collect(),
    }))
}

/// The layer with a batch norm after it.
fn fold(layer: &mut Dense, norm: &Statistics) {
    for output in 0..layer.outputs {
        let deviation = (f64::from(norm.variance[output]) + VARIANCE_OFFSET).sqrt();
        let gain = f64::from(norm.gain[output]) / deviation;
        for weight in &mut layer.weights[output * layer.inputs..][..layer.inputs] {
            *weight = (f64::from(*weight) * gain) as f32;
        }
        let centred = f64::from(layer.bias[output]) - f64::from(norm.mean[output]);
        layer.bias[output] = (centred * gain + f64::from(norm.offset[output])) as f32;
    }
}

/// One more than the highest number after a prefix.
fn count(state: &StateDict<'_>, prefix: &str) -> usize {
    let number = |key: &str| key[prefix.len()..].split('.').next()?.parse::<u8>().ok();
    state
        .keys(prefix)
        .filter_map(number)
        .max()
        .map_or(0, |last| usize::from(last) + 1)
}
