//! Which conditioner a coupling has, from the names and shapes under its `st_net.`.
//!
//! | st_type | tells itself by | becomes |
//! |---|---|---|
//! | resnet, resnet_ae | weight-normed `in_conv`; `in_skip`, `in_norm`, `bottleneck` | `Resnet` |
//! | highway | `layers.K.conv_h` | `Highway` |
//! | convnet | weight-normed `layers.K.conv`, the last of them 1x1 | `Convnet` |
//! | glow_convnet | `0.conv`, `2.conv`, `4.conv` | `GlowConvnet` |
//! | autoencoder | four layers `encoder.K.0` | `Autoencoder` |
//! | Linear layers | `0`, `3`, `5`, ... | `Mlp` |

use crate::convert::{ConvertError, StateDict};
use flow_infer::spec::{ConditionerSpec, Norm};

/// The conditioner under a prefix that ends in `st_net.`; `None`, and keys noted as missing, if sizes are not there.
///
/// # Errors
/// [`ConvertError::Unsupported`] for networks that no [`ConditionerSpec`] describes.
pub(super) fn find(
    state: &mut StateDict<'_>,
    at: &str,
    tabular: bool,
) -> Result<Option<ConditionerSpec>, ConvertError> {
    let has = |name: &str| state.has(&format!("{at}{name}"));
    if !has("") {
        state.miss(&format!("{at}*"));
        return Ok(None);
    }
    let found = if tabular {
        mlp(state, at)
    } else if has("encoder.") || has("decoder.") {
        autoencoder(state, at)?
    } else if has("layers.0.conv_h.") || has("layers.0.conv_t.") || has("in_conv.conv.weight.") {
        highway(state, at)
    } else if has("in_conv.") || has("blocks.") {
        resnet(state, at)
    } else if has("layers.") {
        convnet(state, at)
    } else if has("0.conv.") {
        size(state, at, &["0.conv.weight", "0.conv.bias"], 0)
            .map(|channels| ConditionerSpec::GlowConvnet { channels })
    } else {
        let at = state.full_key(at);
        let why = format!("no known conditioner has the tensors under {at}*");
        return Err(ConvertError::Unsupported(why));
    };
    if found.is_none() && state.complete().is_ok() {
        state.miss(&format!("{at}*"));
    }
    Ok(found)
}

fn resnet(state: &mut StateDict<'_>, at: &str) -> Option<ConditionerSpec> {
    let has = |name: &str| state.has(&format!("{at}{name}"));
    let skip = has("in_skip.") || has("skips.");
    let batch = has("in_norm.") || has("out_norm.");
    let bottleneck = has("bottleneck.");
    let blocks = count(state, &format!("{at}blocks.")).unwrap_or(0);
    let channels = size(
        state,
        at,
        &["in_conv.conv.weight_v", "in_conv.conv.bias"],
        0,
    )?;
    // With a single block the reference code never reaches its bottleneck.
    let bottleneck = if bottleneck && blocks > 1 {
        size(state, at, &["bottleneck.0.weight", "bottleneck.0.bias"], 0)?
    } else {
        0
    };
    Some(ConditionerSpec::Resnet {
        channels,
        blocks,
        skip,
        norm: if batch { Norm::Batch } else { Norm::None },
        bottleneck,
    })
}

fn highway(state: &mut StateDict<'_>, at: &str) -> Option<ConditionerSpec> {
    let layers = count(state, &format!("{at}layers.")).unwrap_or(0);
    let channels = size(state, at, &["in_conv.conv.weight", "in_conv.conv.bias"], 0)?;
    Some(ConditionerSpec::Highway { channels, layers })
}

fn convnet(state: &mut StateDict<'_>, at: &str) -> Option<ConditionerSpec> {
    let layers = count(state, &format!("{at}layers."))?.checked_sub(1)?;
    let channels = size(
        state,
        at,
        &["layers.0.conv.weight_v", "layers.0.conv.bias"],
        0,
    )?;
    Some(ConditionerSpec::Convnet { channels, layers })
}

fn autoencoder(
    state: &mut StateDict<'_>,
    at: &str,
) -> Result<Option<ConditionerSpec>, ConvertError> {
    if count(state, &format!("{at}encoder.")) == Some(3) {
        let at = state.full_key(at);
        let why = format!("{at}* is an autoencoder_old, whose padded convolutions are not known");
        return Err(ConvertError::Unsupported(why));
    }
    let mut channels = [0; 4];
    for (k, channels) in channels.iter_mut().enumerate() {
        let [weight, bias] = ["weight", "bias"].map(|part| format!("encoder.{k}.0.{part}"));
        match size(state, at, &[&weight, &bias], 0) {
            Some(found) => *channels = found,
            None => return Ok(None),
        }
    }
    let latent = size(state, at, &["fc_z.weight", "fc_z.bias"], 0);
    Ok(latent.map(|latent| ConditionerSpec::Autoencoder { channels, latent }))
}

/// Linear layers at 0, 3, 5, ...: input, as many inner ones as there are, output.
fn mlp(state: &mut StateDict<'_>, at: &str) -> Option<ConditionerSpec> {
    let hidden = size(state, at, &["0.weight", "0.bias"], 0)?;
    let last = usize::from(count(state, at)?).checked_sub(1)?;
    let layers = u8::try_from(last.checked_sub(3)? / 2).ok()?;
    Some(ConditionerSpec::Mlp { hidden, layers })
}

/// One more than the highest number that follows a prefix; `None` if none does, or too high a one.
fn count(state: &StateDict<'_>, prefix: &str) -> Option<u8> {
    let number = |key: &str| key[prefix.len()..].split('.').next()?.parse::<u8>().ok();
    state.keys(prefix).filter_map(number).max()?.checked_add(1)
}

/// Size of the first of these tensors that is there; otherwise the first is noted as missing.
fn size(state: &mut StateDict<'_>, at: &str, keys: &[&str], axis: usize) -> Option<u16> {
    let shapes = keys
        .iter()
        .filter_map(|key| state.shape(&format!("{at}{key}")));
    let found = shapes.filter_map(|shape| shape.get(axis)).next().copied();
    match found.map(u16::try_from) {
        Some(Ok(size)) => Some(size),
        _ => {
            state.miss(&format!("{at}{}", keys.first()?));
            None
        }
    }
}
