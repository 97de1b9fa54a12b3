//! The modules of FrEIA, by the names of their tensors.

use crate::convert::vector::{Chain, Dense, Sequential, numbers, transposed, with_relus};
use crate::convert::{Assumptions, ConvertError, StateDict};

/// Most modules of a list.
const MAX_MODULES: usize = 1000;
/// What the library takes for 2 / pi.
pub(super) const ATAN_FACTOR: f64 = 0.636;

/// Tensors that tell a module which flowgate does not have.
const UNSUPPORTED: [(&str, &str); 7] = [
    ("haar_weights", "a Haar downsampling"),
    ("alpha", "an invertible activation"),
    ("Vs", "a HouseholderPerm"),
    ("conv2d", "an invertible autoencoder's layer"),
    ("residual", "an invertible residual block"),
    ("mu", "a Gaussian mixture"),
    ("conditioning", "a conditional module"),
];

/// Number of coordinates, from the first tensor that tells it.
pub(super) fn dims(state: &StateDict<'_>) -> Result<usize, ConvertError> {
    let at = |key: &str, axis: usize| state.shape(key).and_then(|shape| shape.get(axis)).copied();
    let told = |key: &str| {
        let (module, name) = split(key)?;
        match name {
            "global_scale" | "scale" | "scaling" | "s" => at(key, 1),
            "w_perm" | "w_0" | "M" | "perm" | "weights" => at(key, 0),
            "subnet1.0.weight" => Some(at(key, 1)? + at(&format!("{module}subnet2.0.weight"), 1)?),
            "subnet_s1.0.weight" => {
                Some(at(key, 1)? + at(&format!("{module}subnet_s2.0.weight"), 1)?)
            }
            "F.0.weight" => Some(at(key, 1)? + at(&format!("{module}G.0.weight"), 1)?),
            _ => None,
        }
    };
    state.keys("module_list.").find_map(told).or_else(|| one_sided(state)).ok_or_else(|| {
        let why = "no module of FrEIA under module_list. whose tensors tell the number of coordinates";
        ConvertError::Contradiction(why.to_owned())
    })
}

/// Coordinates of one-sided couplings alone: kept ones and half of the network's outputs.
fn one_sided(state: &StateDict<'_>) -> Option<usize> {
    let first = state
        .keys("module_list.")
        .find(|key| key.ends_with(".subnet.0.weight"))?;
    let module = first.strip_suffix("subnet.0.weight")?;
    let last = numbers(state, &format!("{module}subnet."))
        .last()
        .copied()?;
    let outputs = state
        .shape(&format!("{module}subnet.{last}.bias"))?
        .first()
        .copied()?;
    Some(state.shape(first)?.get(1)? + outputs / 2)
}

/// A key's module, and the rest.
fn split(key: &str) -> Option<(&str, &str)> {
    let rest = key.strip_prefix("module_list.")?;
    let at = key.len() - rest.len() + rest.find('.')? + 1;
    Some(key.split_at(at))
}

/// Reads modules into a chain.
pub(super) struct Reader<'r, 'a> {
    pub(super) state: &'r mut StateDict<'a>,
    pub(super) assume: &'r mut Assumptions,
    pub(super) chain: Chain,
}

impl Reader<'_, '_> {
    pub(super) fn add_all(&mut self) -> Result<(), ConvertError> {
        let with_tensors = numbers(self.state, "module_list.");
        let seen = with_tensors.last().map_or(0, |&last| last + 1);
        let count = self.assume.count("modules").unwrap_or(seen);
        self.assume.counted("modules", count);
        if count < seen || count > MAX_MODULES {
            let why = format!("{seen} modules are seen, at most {MAX_MODULES} read, {count} told");
            return Err(ConvertError::Contradiction(why));
        }
        for k in 0..count {
            match with_tensors.contains(&k) {
                true => self.add(&format!("module_list.{k}."))?,
                false => self.assume.word("tensorless").map(drop)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, at: &str) -> Result<(), ConvertError> {
        let has = |name: &str| self.state.has(&format!("{at}{name}"));
        let is = |name: &str| self.state.shape(&format!("{at}{name}")).is_some();
        let axes = |name: &str| self.state.shape(&format!("{at}{name}")).map(<[usize]>::len);
        let of_images =
            axes("w_perm") == Some(4) || axes("global_scale") == Some(4) || axes("M") == Some(4);
        if of_images {
            let at = self.state.full_key(at);
            let why = format!("{at}* is of images: only FrEIA's flows of vectors are read");
            return Err(ConvertError::Unsupported(why));
        }
        if has("global_") || has("w_perm") || has("w_0") || has("vk_householder") {
            self.all_in_one(at)
        } else if has("subnet_s1.") || has("subnet_s2.") {
            self.real_nvp(at)
        } else if has("subnet1.") || has("subnet2.") {
            self.glow(at)
        } else if has("F.") || has("G.") {
            self.nice(at)
        } else if has("subnet.") {
            self.one_sided(at)
        } else if has("perm") {
            self.state.discard(&format!("{at}perm_inv"));
            match self.state.take_indices(&format!("{at}perm"))? {
                Some(permutation) => self.chain.permute(&permutation),
                None => Ok(()),
            }
        } else if is("M") || is("M_inv") {
            self.fixed_linear(at)
        } else if is("weights") || is("scaling") {
            self.orthogonal(at)
        } else if is("scale") || is("bias") {
            self.actnorm(at)
        } else if is("s") {
            self.scaling(at)
        } else {
            let known = UNSUPPORTED.iter().find(|(name, _)| has(name));
            let at = self.state.full_key(at);
            Err(ConvertError::Unsupported(match known {
                Some((_, what)) => format!("{at}* is {what}, which flowgate does not have"),
                None => format!("no known module of vectors in FrEIA has the tensors under {at}*"),
            }))
        }
    }

    /// A subnet as layers with ReLUs.
    pub(super) fn subnet(
        &mut self,
        at: &str,
        inputs: Option<usize>,
    ) -> Result<Option<Vec<Dense>>, ConvertError> {
        let Some(taken) = Sequential::take(self.state, at, inputs)? else {
            return Ok(None);
        };
        if taken.has_gaps() || taken.has_gap_before_last() {
            self.assume.word("gaps")?;
        }
        let slope = match self.assume.word("activation")? {
            "leaky_relu" => self.assume.number("negative_slope"),
            _ => 0.0,
        };
        Ok(Some(with_relus(taken.layers, slope)))
    }

    pub(super) fn row(&mut self, key: &str) -> Result<Option<Vec<f64>>, ConvertError> {
        let dims = self.chain.dims();
        self.state.values(key, &[1, dims])
    }

    /// y = x M + b of rows.
    fn fixed_linear(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let matrix = self.state.values(&format!("{at}M"), &[dims, dims])?;
        let offset = match self.state.has(&format!("{at}b")) {
            true => self.row(&format!("{at}b"))?,
            false => None,
        };
        self.state.discard(&format!("{at}M_inv"));
        self.state.discard(&format!("{at}logDetM"));
        if let Some(matrix) = matrix {
            self.chain.matrix(&transposed(&matrix, dims))?;
        }
        match offset {
            Some(offset) => self.chain.elementwise(&offset, &vec![0.0; dims]),
            None => Ok(()),
        }
    }

    /// y = (x R + b) exp(clamp 0.636 atan(s / clamp)) of rows.
    fn orthogonal(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let matrix = self.state.values(&format!("{at}weights"), &[dims, dims])?;
        let bias = self.row(&format!("{at}bias"))?;
        let scaling = self.row(&format!("{at}scaling"))?;
        let (Some(matrix), Some(bias), Some(scaling)) = (matrix, bias, scaling) else {
            return Ok(());
        };
        let clamp = self.assume.number("orthogonal_clamp");
        let log = |s: &f64| clamp * ATAN_FACTOR * (s / clamp).atan();
        self.chain.linear(&transposed(&matrix, dims))?;
        self.chain
            .elementwise(&bias, &scaling.iter().map(log).collect::<Vec<f64>>())
    }

    /// y = x exp(scale) + bias.
    fn actnorm(&mut self, at: &str) -> Result<(), ConvertError> {
        let scale = self.row(&format!("{at}scale"))?;
        let bias = self.row(&format!("{at}bias"))?;
        let (Some(scale), Some(bias)) = (scale, bias) else {
            return Ok(());
        };
        let before = bias
            .iter()
            .zip(&scale)
            .map(|(bias, scale)| bias / scale.exp());
        self.chain
            .elementwise(&before.collect::<Vec<f64>>(), &scale)
    }

    /// y = x exp(s).
    fn scaling(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        match self.row(&format!("{at}s"))? {
            Some(s) => self.chain.elementwise(&vec![0.0; dims], &s),
            None => Ok(()),
        }
    }
}
