//! Glow of normflows: `MultiscaleFlow` of `GlowBlock`s and squeezes, with `GlowBase` bases.
//!
//! Data to latent a level is a squeeze, then its blocks from the last to the first, each actnorm, 1x1, coupling; the
//! second half of the channels then leaves. So far this is our flow. Its bases have a mean and a deviation for each
//! channel: one more actnorm at a level's end, which does nothing to the channels that go on.

use super::{CouplingMap, Hint};
use crate::convert::vector::Dense;
use crate::convert::{ConvertError, StateDict};
use crate::model::tensors::step_prefix;
use crate::model::{Model, Tensor};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    ScaleMap, StepSpec,
};
use std::collections::{BTreeMap, BTreeSet};

/// The library's default factor of the logarithms of mean and deviation.
const LOGS_FACTOR: f64 = 3.0;

/// Levels so far, data to latent.
struct Glow<'s, 'a> {
    state: &'s mut StateDict<'a>,
    map: CouplingMap,
    spec: FlowSpec,
    tensors: BTreeMap<String, Tensor>,
}

/// Takes a Glow; the caller finishes the state.
pub(super) fn model(state: &mut StateDict<'_>, hint: &Hint) -> Result<Model, ConvertError> {
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
        let why = format!("no tensor tells the image size: give it, as in {channels}x32x32");
        return Err(ConvertError::Ambiguous(why));
    };
    if usize::from(image.channels) * 4 != channels {
        let channels = channels / 4;
        let why = format!("the tensors are of a flow on {channels} channels, not {image}");
        return Err(ConvertError::Contradiction(why));
    }
    let input = InputSpec::Image {
        shape: image,
        logit_margin: hint.logit_margin,
    };
    let spec = FlowSpec {
        input,
        levels: Default::default(),
    };
    let mut glow = Glow {
        state,
        map: hint.map,
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
        let at = format!("{at}1.");
        let weights = if self.state.has(&format!("{at}W")) {
            self.state
                .take(&format!("{at}W"), &[c, c])?
                .map(|tensor| tensor.values)
        } else {
            self.assembled(&at, c)?
        };
        if let Some(values) = weights {
            self.put(format!("{ours}weights"), &[c, c], values);
        }
        Ok(())
    }

    fn assembled(&mut self, at: &str, c: usize) -> Result<Option<Vec<f32>>, ConvertError> {
        let [p, l, u] =
            ["P", "L", "U"].map(|name| self.state.take(&format!("{at}{name}"), &[c, c]));
        let [sign, log] =
            ["sign_S", "log_S"].map(|name| self.state.take(&format!("{at}{name}"), &[c]));
        self.state.discard(&format!("{at}eye"));
        let (Some(p), Some(l), Some(u), Some(sign), Some(log)) = (p?, l?, u?, sign?, log?) else {
            return Ok(None);
        };
        let entry = |of: &Tensor, i: usize, j: usize| f64::from(of.values[i * c + j]);
        let lower = |i: usize, j: usize| if i == j { 1.0 } else { entry(&l, i, j) };
        let diagonal = |i: usize| f64::from(sign.values[i]) * f64::from(log.values[i]).exp();
        let upper = |i: usize, j: usize| if i == j { diagonal(i) } else { entry(&u, i, j) };
        let mut product = vec![0.0; c * c];
        for i in 0..c {
            for j in 0..c {
                product[i * c + j] = (0..=i.min(j)).map(|k| lower(i, k) * upper(k, j)).sum();
            }
        }
        let mut weights = vec![0.0f32; c * c];
        for i in 0..c {
            for j in 0..c {
                let sum: f64 = (0..c).map(|k| entry(&p, i, k) * product[k * c + j]).sum();
                weights[i * c + j] = sum as f32;
            }
        }
        Ok(Some(weights))
    }

    fn coupling(&mut self, at: &str, c: usize) -> Result<(), ConvertError> {
        let (kept, changed) = (c / 2, c / 2);
        let net = format!("{at}0.flows.1.param_map.net.");
        let hidden = self
            .state
            .shape(&format!("{net}0.weight"))
            .and_then(|shape| shape.first())
            .copied();
        let Some(hidden) = hidden else {
            self.state.miss(&format!("{net}0.weight"));
            return Ok(());
        };
        let too_wide = |_| unsupported("a conditioner of more than 65535 channels");
        let channels = u16::try_from(hidden).map_err(too_wide)?;
        let (scale_map, sign) = self.map.ours();
        let ours = self.push(StepSpec::Coupling(CouplingSpec {
            mask: CouplingMask::Channel { kept: Half::First },
            conditioner: ConditionerSpec::GlowConvnet { channels },
            scale_map,
            affine: AffineForm::ShiftThenScale,
        }))?;
        let layers = [
            ("0", "in_conv", [hidden, kept, 3]),
            ("2", "mid_conv", [hidden, hidden, 1]),
            ("4", "out_conv", [2 * changed, hidden, 3]),
        ];
        for (name, our_name, [output, input, side]) in layers {
            let shape = [output, input, side, side];
            let weights = self.state.take(&format!("{net}{name}.weight"), &shape)?;
            let bias = self.state.take(&format!("{net}{name}.bias"), &[output])?;
            let (Some(weights), Some(bias)) = (weights, bias) else {
                continue;
            };
            let inputs = input * side * side;
            let mut layer = Dense {
                inputs,
                outputs: output,
                weights: weights.values,
                bias: bias.values,
            };
            if name == "4" {
                layer = layer.rows(&super::layers::output_rows(changed, sign));
            }
            let ours = format!("{ours}conditioner.{our_name}.");
            self.put(format!("{ours}weights"), &shape, layer.weights);
            self.put(format!("{ours}bias"), &[output], layer.bias);
        }
        Ok(())
    }

    /// (z - loc) exp(-log_scale) of the channels from `first` on.
    fn base(&mut self, at: &str, first: usize, c: usize) -> Result<(), ConvertError> {
        let shape = [1, c - first, 1, 1];
        let mut parts = Vec::new();
        for name in ["loc", "log_scale"] {
            let value = self.state.take(&format!("{at}{name}"), &shape)?;
            let logs = self.state.take(&format!("{at}{name}_logs"), &shape)?;
            let (Some(value), Some(logs)) = (value, logs) else {
                return Ok(());
            };
            let pairs = value.values.iter().zip(&logs.values);
            let values =
                pairs.map(|(&v, &l)| (-f64::from(v) * (f64::from(l) * LOGS_FACTOR).exp()) as f32);
            parts.push([vec![0.0; first], values.collect()].concat());
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

impl CouplingMap {
    /// Our map, and the sign of its raw_scale.
    pub(super) const fn ours(self) -> (ScaleMap, f32) {
        match self {
            Self::Exp => (ScaleMap::Exp, -1.0),
            Self::Sigmoid => (
                ScaleMap::Sigmoid {
                    offset: 2.0,
                    floor: 0.0,
                },
                1.0,
            ),
        }
    }
}
