//! Glow of normflows: `MultiscaleFlow` of `GlowBlock`s and squeezes, with `GlowBase` bases.
//!
//! Data to latent a level is a squeeze, then its blocks from the last to the first, each actnorm, 1x1, coupling; the
//! second half of the channels then leaves. So far this is our flow. Its bases have a mean and a deviation for each
//! channel: one more actnorm at a level's end, which does nothing to the channels that go on.

use super::{output_rows, scale_map};
use crate::convert::vector::{Dense, plu, with_relus};
use crate::convert::{Assumptions, ConvertError, Hint, StateDict};
use crate::model::tensors::step_prefix;
use crate::model::{Model, Tensor};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    ScaleMap, StepSpec,
};
use std::collections::{BTreeMap, BTreeSet};

/// Levels so far, data to latent.
struct Glow<'s, 'a> {
    state: &'s mut StateDict<'a>,
    assume: &'s mut Assumptions,
    spec: FlowSpec,
    tensors: BTreeMap<String, Tensor>,
}

/// Takes a Glow; the caller finishes the state.
pub(super) fn model(
    state: &mut StateDict<'_>,
    hint: &Hint,
    assume: &mut Assumptions,
) -> Result<Model, ConvertError> {
    let levels = numbers(state, "q0.").len();
    let first = levels
        .checked_sub(1)
        .and_then(|last| block_numbers(state, last).pop().map(|k| (last, k)));
    let channels = first.and_then(|(last, k)| channels(state, &block(last, k)));
    let Some(channels) = channels.filter(|channels| channels % 4 == 0) else {
        state.miss("flows.*.*.flows.2.s");
        state.complete()?;
        return Err(unsupported("no Glow"));
    };
    let Some(image) = hint.image else {
        let channels = channels / 4;
        let why =
            format!("no tensor tells the image size: give it, as in --image {channels}x32x32");
        return Err(ConvertError::Ambiguous(why));
    };
    if usize::from(image.channels) * 4 != channels {
        let channels = channels / 4;
        let why = format!("the tensors are of a flow on {channels} channels, not {image}");
        return Err(ConvertError::Contradiction(why));
    }
    assume.word("input")?;
    let input = InputSpec::Image {
        shape: image,
        logit_margin: assume.number("logit_alpha") as f32,
    };
    let spec = FlowSpec {
        input,
        levels: Default::default(),
    };
    let mut glow = Glow {
        state,
        assume,
        spec,
        tensors: BTreeMap::new(),
    };
    let mut channels = channels;
    for index in (0..levels).rev() {
        glow.level(index, channels)?;
        channels *= 2;
    }
    glow.state.complete()?;
    Model::new(glow.spec, glow.tensors).map_err(ConvertError::Model)
}

impl Glow<'_, '_> {
    /// The library's level of this number, on this many squeezed channels.
    fn level(&mut self, index: usize, channels: usize) -> Result<(), ConvertError> {
        let full = |_| unsupported("more levels than a flow may have");
        self.spec.levels.push(LevelSpec::default()).map_err(full)?;
        self.push(StepSpec::Squeeze)?;
        for k in block_numbers(self.state, index).into_iter().rev() {
            let at = block(index, k);
            self.constant(&at, channels)?;
            self.linear(&at, channels)?;
            self.coupling(&at, channels)?;
        }
        // The last level's base is of all channels, the others' of those that leave.
        let leaves = if index == 0 { 0 } else { channels / 2 };
        if leaves > 0 {
            self.assume.word("merge")?;
        }
        self.base(&format!("q0.{index}."), leaves, channels)
    }

    fn push(&mut self, step: StepSpec) -> Result<String, ConvertError> {
        let number = self.spec.levels.len().saturating_sub(1);
        let full = || unsupported("more steps of a level than a flow may have");
        let level = self.spec.levels.last_mut().ok_or_else(full)?;
        level.steps.push(step).map_err(|_| full())?;
        Ok(step_prefix(number, level.steps.len() - 1))
    }

    fn put(&mut self, name: String, shape: &[usize], values: Vec<f32>) {
        let shape = shape.to_vec();
        self.tensors.insert(name, Tensor { shape, values });
    }

    /// Data to latent z = (x - t) exp(-s).
    fn constant(&mut self, at: &str, channels: usize) -> Result<(), ConvertError> {
        let shape = [1, channels, 1, 1];
        let t = self.state.take(&format!("{at}2.t"), &shape)?;
        let s = self.state.take(&format!("{at}2.s"), &shape)?;
        self.state.discard(&format!("{at}2.data_dep_init_done"));
        let ours = self.push(StepSpec::Actnorm)?;
        for (name, taken) in [("shift", t), ("log_scale", s)] {
            if let Some(tensor) = taken {
                let values = tensor.values.iter().map(|value| -value).collect();
                self.put(format!("{ours}{name}"), &[channels], values);
            }
        }
        Ok(())
    }

    /// W itself, or P L (U + diag(sign exp(log_S))).
    fn linear(&mut self, at: &str, c: usize) -> Result<(), ConvertError> {
        let ours = self.push(StepSpec::InvertibleLinear)?;
        if let Some(weights) = plu(self.state, &format!("{at}1."), c)? {
            let values = weights.iter().map(|&weight| weight as f32).collect();
            self.put(format!("{ours}weights"), &[c, c], values);
        }
        Ok(())
    }

    fn coupling(&mut self, at: &str, c: usize) -> Result<(), ConvertError> {
        let (kept, changed) = (c / 2, c / 2);
        let half = match self.assume.word("split_mode")? {
            "channel_inv" => Half::Second,
            _ => Half::First,
        };
        let net = format!("{at}0.flows.1.param_map.net.");
        let sizes = Sizes { kept, changed };
        let Some((layers, additive)) = convnet(self.state, &net, sizes)? else {
            return Ok(());
        };
        let mut layers = with_relus(layers, self.assume.number("leaky"));
        let (scale_map, sign) = match additive {
            true => (ScaleMap::Exp, 0.0),
            false => scale_map(self.assume)?,
        };
        if let Some(last) = layers.last_mut() {
            let shifts: Vec<(usize, f32)> = (0..changed).map(|row| (row, -1.0)).collect();
            *last = match additive {
                true => last.rows(&shifts).additive(),
                false => last.rows(&output_rows(changed, sign)),
            };
        }
        let too_wide = |_| unsupported("a conditioner of more than 65535 channels");
        let hidden = layers.first().map_or(0, |layer| layer.outputs);
        let channels = u16::try_from(hidden).map_err(too_wide)?;
        let ours = self.push(StepSpec::Coupling(CouplingSpec {
            mask: CouplingMask::Channel { kept: half },
            conditioner: ConditionerSpec::GlowConvnet { channels },
            scale_map,
            affine: AffineForm::ShiftThenScale,
        }))?;
        let names = [("in_conv", 3), ("mid_conv", 1), ("out_conv", 3)];
        for ((name, side), layer) in names.into_iter().zip(layers) {
            let shape = [layer.outputs, layer.inputs / (side * side), side, side];
            let ours = format!("{ours}conditioner.{name}.");
            self.put(format!("{ours}weights"), &shape, layer.weights);
            self.put(format!("{ours}bias"), &[layer.outputs], layer.bias);
        }
        Ok(())
    }

    /// A channel's means or logarithms of deviations, theirs in two factors each.
    fn parameter(
        &mut self,
        at: &str,
        name: &str,
        channels: usize,
    ) -> Result<Option<Vec<f64>>, ConvertError> {
        let key = format!("{at}{name}");
        let shape = [1, channels, 1, 1];
        let value = self.state.values(&key, &shape)?;
        let logs = self.state.values(&format!("{key}_logs"), &shape)?;
        let factor = self.assume.number("logscale_factor");
        let values = value.zip(logs).map(|(value, logs)| {
            let pairs = value.iter().zip(&logs);
            pairs.map(|(v, l)| v * (l * factor).exp()).collect()
        });
        Ok(values)
    }

    /// Those of a diagonal Gaussian, if they are the same in all pixels.
    fn constant_map(
        &mut self,
        key: &str,
        channels: usize,
    ) -> Result<Option<Vec<f64>>, ConvertError> {
        let shape = self.state.shape(key).unwrap_or_default().to_vec();
        let pixels: usize = shape.iter().skip(2).product();
        let Some(values) = self.state.values(key, &shape)? else {
            return Ok(None);
        };
        let each: Vec<&[f64]> = values.chunks_exact(pixels.max(1)).collect();
        let same = each
            .iter()
            .all(|pixels| pixels.iter().all(|value| *value == pixels[0]));
        if each.len() != channels || !same {
            let key = self.state.full_key(key);
            let why =
                format!("{key} has a value for each pixel: flowgate has one for each channel");
            return Err(ConvertError::Unsupported(why));
        }
        Ok(Some(each.iter().map(|pixels| pixels[0]).collect()))
    }

    /// (z - loc) exp(-log_scale) of the channels from `first` on.
    fn base(&mut self, at: &str, first: usize, c: usize) -> Result<(), ConvertError> {
        let mut parts = Vec::new();
        let names = ["loc", "log_scale"];
        let in_factors = names
            .iter()
            .any(|name| self.state.has(&format!("{at}{name}_logs")));
        for name in names {
            let values = match in_factors {
                true => self.parameter(at, name, c - first)?,
                false => self.constant_map(&format!("{at}{name}"), c - first)?,
            };
            let Some(values) = values else {
                return Ok(());
            };
            let negative = values.iter().map(|&value| -value as f32);
            parts.push([vec![0.0; first], negative.collect()].concat());
        }
        if parts.iter().flatten().all(|&value| value == 0.0) {
            return Ok(());
        }
        let ours = self.push(StepSpec::Actnorm)?;
        for (name, values) in ["shift", "log_scale"].into_iter().zip(parts) {
            self.put(format!("{ours}{name}"), &[c], values);
        }
        Ok(())
    }
}

/// Channels of a coupling.
#[derive(Clone, Copy)]
struct Sizes {
    kept: usize,
    changed: usize,
}

/// The three convolutions of a block's network, and whether it gives shifts alone; `None`, and keys noted as missing,
/// if they are not there. An actnorm behind a convolution becomes part of it.
fn convnet(
    state: &mut StateDict<'_>,
    net: &str,
    Sizes { kept, changed }: Sizes,
) -> Result<Option<(Vec<Dense>, bool)>, ConvertError> {
    let normed = state.has(&format!("{net}1."));
    let names = if normed {
        ["0", "3", "6"]
    } else {
        ["0", "2", "4"]
    };
    let outputs = |state: &StateDict<'_>, name: &str| {
        let shape = state.shape(&format!("{net}{name}.weight"));
        shape.and_then(|shape| shape.first()).copied()
    };
    let (hidden, given) = (outputs(state, names[0]), outputs(state, names[2]));
    let Some(hidden) = hidden else {
        state.miss(&format!("{net}{}.weight", names[0]));
        return Ok(None);
    };
    let additive = given == Some(changed);
    let last = if additive { changed } else { 2 * changed };
    let sizes = [[hidden, kept, 3], [hidden, hidden, 1], [last, hidden, 3]];
    let mut layers = Vec::new();
    for (k, (name, [output, input, side])) in names.into_iter().zip(sizes).enumerate() {
        let weights = state.take(&format!("{net}{name}.weight"), &[output, input, side, side])?;
        let bias = match normed && k < 2 {
            true => actnorm(state, &format!("{net}{}.actNorm.", 3 * k + 1), output)?,
            false => {
                let bias = state.take(&format!("{net}{name}.bias"), &[output])?;
                bias.map(|bias| (vec![1.0; output], bias.values))
            }
        };
        let (Some(weights), Some((scales, bias))) = (weights, bias) else {
            continue;
        };
        let inputs = input * side * side;
        let rows = weights.values.chunks_exact(inputs.max(1)).zip(&scales);
        layers.push(Dense {
            inputs,
            outputs: output,
            weights: rows
                .flat_map(|(row, scale)| row.iter().map(move |w| w * scale))
                .collect(),
            bias,
        });
    }
    Ok((layers.len() == 3).then_some((layers, additive)))
}

type ScalesAndShifts = (Vec<f32>, Vec<f32>);

/// y = x exp(s) + t of a network's actnorm.
fn actnorm(
    state: &mut StateDict<'_>,
    at: &str,
    channels: usize,
) -> Result<Option<ScalesAndShifts>, ConvertError> {
    let shape = [1, channels, 1, 1];
    let s = state.take(&format!("{at}s"), &shape)?;
    let t = state.take(&format!("{at}t"), &shape)?;
    state.discard(&format!("{at}data_dep_init_done"));
    Ok(s.zip(t)
        .map(|(s, t)| (s.values.iter().map(|s| s.exp()).collect(), t.values)))
}

/// What the keys of a block start with.
fn block(level: usize, k: usize) -> String {
    format!("flows.{level}.{k}.flows.")
}

fn channels(state: &StateDict<'_>, block: &str) -> Option<usize> {
    let shape = ["s", "t"]
        .iter()
        .find_map(|name| state.shape(&format!("{block}2.{name}")))?;
    shape.get(1).copied()
}

fn block_numbers(state: &StateDict<'_>, level: usize) -> Vec<usize> {
    numbers(state, &format!("flows.{level}."))
        .into_iter()
        .collect()
}

/// Numbers that follow a prefix; nothing counts past a thousand.
fn numbers(state: &StateDict<'_>, prefix: &str) -> BTreeSet<usize> {
    let number = |key: &str| key[prefix.len()..].split('.').next()?.parse().ok();
    state
        .keys(prefix)
        .filter_map(number)
        .filter(|&k: &usize| k < 1000)
        .collect()
}

fn unsupported(why: &str) -> ConvertError {
    ConvertError::Unsupported(why.to_owned())
}

/// Whether these are the tensors of a multi-scale flow.
pub(super) fn is_glow(state: &StateDict<'_>) -> bool {
    state.has("q0.0.")
}
