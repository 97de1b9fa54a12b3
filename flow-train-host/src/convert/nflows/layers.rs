//! The transforms of nflows, by the names of their tensors.

use super::network;
use crate::convert::vector::{self, Affine, Chain, Coupling, numbers, softplus};
use crate::convert::{Assumptions, ConvertError, StateDict};
use flow_infer::spec::{AffineForm, ScaleMap};

const NAMES: &str = "transform_features, _permutation, lower_entries, log_scale or running_var";
/// Deepest nesting of composite transforms.
pub(super) const MAX_DEPTH: u8 = 4;
/// Most transforms of a list.
const MAX_TRANSFORMS: usize = 1000;

/// Tensors that tell a transform which flowgate does not have.
const UNSUPPORTED: [(&str, &str); 9] = [
    ("autoregressive_net.", "a masked autoregressive transform"),
    ("_transform.", "an InverseTransform"),
    ("q_vectors", "a HouseholderSequence"),
    ("orthogonal.", "a QRLinear"),
    ("orthogonal_1.", "an SVDLinear"),
    ("unnormalized_widths", "a piecewise CDF"),
    ("unnormalized_pdf", "a piecewise CDF"),
    ("temperature", "a Sigmoid or a Logit"),
    ("_embedding_net.", "a flow with a context"),
];

/// Number of coordinates, from the first layer that tells it.
pub(super) fn dims(state: &mut StateDict<'_>, at: &str) -> Result<usize, ConvertError> {
    let len = |key: &str| state.shape(key).and_then(|shape| shape.first()).copied();
    let dims = state.keys(at).find_map(|key| {
        let (prefix, name) = key.rsplit_once('.')?;
        match name {
            "identity_features" => Some(len(key)? + len(&format!("{prefix}.transform_features"))?),
            "_permutation"
            | "unconstrained_upper_diag"
            | "unconstrained_weight"
            | "_weight"
            | "log_scale" => len(key),
            _ => None,
        }
    });
    dims.ok_or_else(|| {
        if let Some(what) = unsupported(state, at) {
            return ConvertError::Unsupported(format!("{what}, which flowgate does not have"));
        }
        let why = format!("no layer of nflows: no key under _transform. is called {NAMES}");
        ConvertError::Contradiction(why)
    })
}

/// The first transform that is known and cannot be expressed.
fn unsupported(state: &StateDict<'_>, at: &str) -> Option<String> {
    UNSUPPORTED.iter().find_map(|(name, what)| {
        let inner = format!(".{name}");
        let key = state
            .keys(at)
            .find(|key| key[at.len()..].starts_with(name) || key.contains(&inner))?;
        Some(format!(
            "{} is of {what}",
            crate::convert::text::one_line(&state.full_key(key))
        ))
    })
}

/// Reads transforms into a chain.
pub(super) struct Reader<'r, 'a> {
    pub(super) state: &'r mut StateDict<'a>,
    pub(super) assume: &'r mut Assumptions,
    pub(super) chain: Chain,
}

impl Reader<'_, '_> {
    /// Adds the transform under a prefix, or those of a composite one.
    pub(super) fn add(&mut self, at: &str, depth: u8) -> Result<(), ConvertError> {
        let has = |name: &str| self.state.has(&format!("{at}{name}"));
        if depth > 0 && has("_transforms.") {
            self.composite(&format!("{at}_transforms."), depth)
        } else if has("transform_net.") || has("transform_features") || has("identity_features") {
            self.coupling(at)
        } else if has("_permutation") {
            match self.state.take_indices(&format!("{at}_permutation"))? {
                Some(permutation) => self.chain.permute(&permutation),
                None => Ok(()),
            }
        } else if has("unconstrained_upper_diag") || has("lower_entries") {
            let epsilon = self.assume.number("lu_epsilon");
            vector::lu(self.state, at, &mut self.chain, epsilon)
        } else if has("_weight") {
            self.naive_linear(at)
        } else if has("running_var") || has("unconstrained_weight") {
            self.batch_norm(at)
        } else if has("_scale") || has("_shift") {
            self.pointwise(at)
        } else if has("log_scale") || has("shift") {
            self.actnorm(at)
        } else if let Some(what) = unsupported(self.state, at) {
            let why = format!("{what}, which flowgate does not have");
            Err(ConvertError::Unsupported(why))
        } else {
            let at = self.state.full_key(at);
            let why = format!("no known layer of nflows has the tensors under {at}*: {NAMES}");
            Err(ConvertError::Unsupported(why))
        }
    }

    /// Layers in order of their numbers. One without tensors could be any of the library's nonlinearities, and so could
    /// some behind the last one that has any: the outermost list's length can be told.
    fn composite(&mut self, at: &str, depth: u8) -> Result<(), ConvertError> {
        let with_tensors = numbers(self.state, at);
        let seen = with_tensors.last().map_or(0, |&last| last + 1);
        let mut count = seen;
        if depth == MAX_DEPTH {
            count = self.assume.count("transforms").unwrap_or(seen);
            self.assume.counted("transforms", count);
        }
        if count < seen || count > MAX_TRANSFORMS {
            let why =
                format!("{seen} transforms are seen, at most {MAX_TRANSFORMS} read, {count} told");
            return Err(ConvertError::Contradiction(why));
        }
        for k in 0..count {
            if with_tensors.contains(&k) {
                self.add(&format!("{at}{k}."), depth - 1)?;
                continue;
            }
            self.assume.word("tensorless").map_err(|error| {
                let key = self.state.full_key(at);
                match error {
                    ConvertError::Ambiguous(why) => {
                        ConvertError::Ambiguous(format!("{key}{k} has no tensors: {why}"))
                    }
                    error => error,
                }
            })?;
        }
        Ok(())
    }

    fn coupling(&mut self, at: &str) -> Result<(), ConvertError> {
        let kept = self.state.take_indices(&format!("{at}identity_features"))?;
        let changed = self
            .state
            .take_indices(&format!("{at}transform_features"))?;
        let (Some(kept), Some(changed)) = (kept, changed) else {
            return Ok(());
        };
        let at = format!("{at}transform_net.");
        let sizes = [kept.len(), changed.len()];
        let Some(found) = network::take(self.state, self.assume, &at, sizes)? else {
            return Ok(());
        };
        let scale_map = if found.additive {
            ScaleMap::Exp
        } else {
            self.assume.word("coupling")?;
            match self.assume.word("scale_activation")? {
                "exp" => ScaleMap::Exp,
                "general" => ScaleMap::Softplus {
                    floor: 1e-3,
                    most: 3.0,
                },
                _ => ScaleMap::Sigmoid {
                    offset: 2.0,
                    floor: 1e-3,
                },
            }
        };
        let affine = Affine {
            scale_map,
            form: AffineForm::ScaleThenShift,
            bound: 1.0,
        };
        let network = found.network;
        self.chain.coupling(Coupling {
            kept,
            changed,
            network,
            affine,
        })
    }

    fn vector(&mut self, key: &str) -> Result<Option<Vec<f64>>, ConvertError> {
        let dims = self.chain.dims();
        self.state.values(key, &[dims])
    }

    /// y = W x + b.
    fn naive_linear(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let weights = self.state.values(&format!("{at}_weight"), &[dims, dims])?;
        let bias = self.vector(&format!("{at}bias"))?;
        let (Some(weights), Some(bias)) = (weights, bias) else {
            return Ok(());
        };
        self.chain.linear(&weights)?;
        self.chain.elementwise(&bias, &vec![0.0; dims])
    }

    /// y = x scale + shift, of one value for all coordinates or one for each.
    fn pointwise(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let [scale, shift] = ["_scale", "_shift"].map(|name| {
            let key = format!("{at}{name}");
            let shape = self.state.shape(&key).map_or(Vec::new(), <[usize]>::to_vec);
            let values = self.state.values(&key, &shape);
            values.map(|values| values.filter(|values| [1, dims].contains(&values.len())))
        });
        let (Some(scale), Some(shift)) = (scale?, shift?) else {
            let at = self.state.full_key(at);
            let why =
                format!("{at}_scale and {at}_shift are not one value, or one for each coordinate");
            return Err(ConvertError::Unsupported(why));
        };
        let each =
            |values: &[f64], j: usize| values.get(j).or(values.first()).copied().unwrap_or(0.0);
        let log_scale: Vec<f64> = (0..dims).map(|j| each(&scale, j).ln()).collect();
        let before: Vec<f64> = (0..dims)
            .map(|j| each(&shift, j) / each(&scale, j))
            .collect();
        self.chain.elementwise(&before, &log_scale)
    }

    /// y = w (x - mean) / sqrt(var + eps) + b with w = softplus(u) + eps.
    fn batch_norm(&mut self, at: &str) -> Result<(), ConvertError> {
        let names = [
            "unconstrained_weight",
            "bias",
            "running_mean",
            "running_var",
        ];
        let [weight, bias, mean, variance] = names.map(|name| self.vector(&format!("{at}{name}")));
        let (Some(weight), Some(bias), Some(mean), Some(variance)) =
            (weight?, bias?, mean?, variance?)
        else {
            return Ok(());
        };
        let epsilon = self.assume.number("batch_norm_epsilon");
        let scales = weight.iter().zip(&variance);
        let scale: Vec<f64> = scales
            .map(|(&u, var)| (softplus(u) + epsilon) / (var + epsilon).sqrt())
            .collect();
        let shift: Vec<f64> = (0..scale.len())
            .map(|j| bias[j] / scale[j] - mean[j])
            .collect();
        let log_scale: Vec<f64> = scale.iter().map(|scale| scale.ln()).collect();
        self.chain.elementwise(&shift, &log_scale)
    }

    /// y = x exp(log_scale) + shift.
    fn actnorm(&mut self, at: &str) -> Result<(), ConvertError> {
        let log_scale = self.vector(&format!("{at}log_scale"))?;
        let shift = self.vector(&format!("{at}shift"))?;
        self.state.discard(&format!("{at}initialized"));
        let (Some(log_scale), Some(shift)) = (log_scale, shift) else {
            return Ok(());
        };
        let before = shift
            .iter()
            .zip(&log_scale)
            .map(|(shift, log)| shift / log.exp());
        self.chain
            .elementwise(&before.collect::<Vec<f64>>(), &log_scale)
    }

    /// The distribution of z: a diagonal one as a last layer before a standard one.
    pub(super) fn base(&mut self) -> Result<(), ConvertError> {
        // The normalizing constant of a normal distribution.
        self.state.discard("_distribution._log_z");
        if !self.state.has("_distribution.") {
            self.assume.word("base")?;
            return Ok(());
        }
        let shape = [1, self.chain.dims()];
        let mean = self.state.values("_distribution.mean_", &shape)?;
        let log_std = self.state.values("_distribution.log_std_", &shape)?;
        let (Some(mean), Some(log_std)) = (mean, log_std) else {
            return Ok(());
        };
        let negative = |values: &[f64]| -> Vec<f64> { values.iter().map(|value| -value).collect() };
        self.chain
            .elementwise(&negative(&mean), &negative(&log_std))
    }
}
