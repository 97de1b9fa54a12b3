//! The flows of normflows, by the names of their tensors.

use super::{network, output_rows, scale_map};
use crate::convert::vector::{self, Affine, Chain, Coupling, Network, numbers, transposed};
use crate::convert::{Assumptions, ConvertError, StateDict};
use flow_infer::spec::{AffineForm, ScaleMap};

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

/// Tensors that tell a flow which flowgate does not have.
const UNSUPPORTED: [(&str, &str); 10] = [
    ("prqct.", "a coupling by rational quadratic splines"),
    ("mprqat.", "an autoregressive flow of splines"),
    ("autoregressive_net.", "a masked autoregressive flow"),
    ("s_cc", "a class-conditional constant flow"),
    ("iresblock.", "a residual flow"),
    ("eps", "a BatchNorm, whose density depends on the batch"),
    ("beta", "a radial flow"),
    ("w", "a planar flow"),
    ("flow.", "a reversed flow"),
    ("_flows.", "a composite flow"),
];

/// Reads flows into a chain.
pub(super) struct Reader<'r, 'a> {
    pub(super) state: &'r mut StateDict<'a>,
    pub(super) assume: &'r mut Assumptions,
    pub(super) chain: Chain,
}

impl Reader<'_, '_> {
    /// Adds all flows, data to latent: from the last to the first.
    pub(super) fn add_all(&mut self) -> Result<(), ConvertError> {
        let with_tensors = numbers(self.state, "flows.");
        let seen = with_tensors.last().map_or(0, |&last| last + 1);
        let told = self.assume.count("flows");
        let count = told.unwrap_or(seen);
        if count < seen || count > MAX_FLOWS {
            let why = format!("{seen} flows are seen, at most {MAX_FLOWS} read, {count} told");
            return Err(ConvertError::Contradiction(why));
        }
        let missing = count - with_tensors.len();
        if missing > 0 && told.is_none() {
            let (even, odd) = (seen, seen + 1);
            return Err(ConvertError::Ambiguous(format!(
                "{missing} of {seen} flows have no tensors, so they swap halves; whether one does after the last must \
                 be told by the number of flows, len(model.flows): --assume flows={even}, or flows={odd}"
            )));
        }
        self.assume.counted("flows", count);
        for k in (0..count).rev() {
            if with_tensors.contains(&k) {
                self.add(&format!("flows.{k}."))?;
            } else {
                self.swap()?;
            }
        }
        Ok(())
    }

    /// Latent to data the library moves the first ⌊D/2⌋ coordinates behind the others; here the way back.
    fn swap(&mut self) -> Result<(), ConvertError> {
        self.assume.word("tensorless")?;
        let dims = self.chain.dims();
        let upper = dims.div_ceil(2);
        let permutation: Vec<usize> = (upper..dims).chain(0..upper).collect();
        self.chain.permute(&permutation)
    }

    fn add(&mut self, at: &str) -> Result<(), ConvertError> {
        let has = |name: &str| self.state.has(&format!("{at}{name}"));
        let is = |name: &str, axes: usize| {
            let shape = self.state.shape(&format!("{at}{name}"));
            shape.is_some_and(|shape| shape.len() == axes)
        };
        if has("flows.1.param_map.") {
            self.block(&format!("{at}flows.1.param_map."))
        } else if is("b", 2) {
            self.masked(at)
        } else if has("perm.") || has("permutation.") || has("linear.") {
            self.lu_permute(at)
        } else if has("perm") || has("inv_perm") {
            // Latent to data y_j = x_perm(j); data to latent the inverse, which is stored as well.
            self.state.discard(&format!("{at}perm"));
            match self.state.take_indices(&format!("{at}inv_perm"))? {
                Some(permutation) => self.chain.permute(&permutation),
                None => Ok(()),
            }
        } else if is("W", 2) || is("sign_S", 1) || is("log_S", 1) {
            self.invertible_affine(at)
        } else if (is("s", 2) || is("t", 2)) && !has("s_cc") && !has("t_cc") {
            self.constant(at)
        } else {
            Err(self.unknown(at))
        }
    }

    fn unknown(&self, at: &str) -> ConvertError {
        let starts = |name: &str| self.state.has(&format!("{at}{name}"));
        let known = UNSUPPORTED.iter().find(|(name, _)| starts(name));
        let at = self.state.full_key(at);
        let why = match known {
            Some((_, what)) => format!("{at}* is {what}, which flowgate does not have"),
            None => format!("no known flow of vectors in normflows has the tensors under {at}*"),
        };
        ConvertError::Unsupported(why)
    }

    fn vector(&mut self, key: &str) -> Result<Option<Vec<f64>>, ConvertError> {
        let dims = self.chain.dims();
        self.state.values(key, &[1, dims])
    }

    /// z = (x - t) exp(-s), constant.
    fn constant(&mut self, at: &str) -> Result<(), ConvertError> {
        let s = self.vector(&format!("{at}s"))?;
        let t = self.vector(&format!("{at}t"))?;
        self.state.discard(&format!("{at}data_dep_init_done"));
        let (Some(s), Some(t)) = (s, t) else {
            return Ok(());
        };
        self.chain.elementwise(&negative(&t), &negative(&s))
    }

    /// The diagonal Gaussian as a last constant flow before a standard one; nothing, if it is one.
    pub(super) fn base(&mut self) -> Result<(), ConvertError> {
        let loc = self.vector("q0.loc")?;
        let log_scale = self.vector("q0.log_scale")?;
        let (Some(loc), Some(log_scale)) = (loc, log_scale) else {
            return Ok(());
        };
        if loc.iter().chain(&log_scale).all(|&value| value == 0.0) {
            return Ok(());
        }
        self.chain
            .elementwise(&negative(&loc), &negative(&log_scale))
    }

    /// Data to latent z = x W of rows, that is the transposed matrix of columns.
    fn invertible_affine(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        match vector::plu(self.state, at, dims)? {
            Some(weights) => self.chain.linear(&transposed(&weights, dims)),
            None => Ok(()),
        }
    }

    /// Data to latent a permutation, then a linear layer.
    fn lu_permute(&mut self, at: &str) -> Result<(), ConvertError> {
        let key = format!("{at}permutation._permutation");
        if let Some(permutation) = self.state.take_indices(&key)? {
            self.chain.permute(&permutation)?;
        }
        let epsilon = self.assume.number("lu_epsilon");
        vector::lu(
            self.state,
            &format!("{at}linear."),
            &mut self.chain,
            epsilon,
        )
    }

    /// Which coordinates a coupling block keeps, and which it changes.
    fn split(&mut self) -> Result<[Vec<usize>; 2], ConvertError> {
        let dims = self.chain.dims();
        let upper = dims.div_ceil(2);
        let parity = |odd: usize| (0..dims).filter(move |j| j % 2 == odd).collect();
        let halves = [(0..upper).collect(), (upper..dims).collect()];
        Ok(match self.assume.word("split_mode")? {
            "channel_inv" => {
                let [first, second] = halves;
                [second, first]
            }
            "checkerboard" => [parity(1), parity(0)],
            "checkerboard_inv" => [parity(0), parity(1)],
            _ => halves,
        })
    }

    /// A coupling block: its network alternates between t and s, or gives t alone.
    fn block(&mut self, at: &str) -> Result<(), ConvertError> {
        let [kept, changed] = self.split()?;
        let taken = network::take(self.state, self.assume, at, kept.len(), "output_fn")?;
        let Some(mut layers) = taken.map(|taken| taken.layers) else {
            return Ok(());
        };
        let outputs = layers.last().map_or(0, |last| last.outputs);
        let (scale_map, sign) = if outputs == 2 * changed.len() {
            scale_map(self.assume)?
        } else {
            (ScaleMap::Exp, 0.0)
        };
        match layers.last_mut() {
            Some(last) if outputs == 2 * changed.len() => {
                *last = last.rows(&output_rows(changed.len(), sign));
            }
            Some(last) if outputs == changed.len() => {
                let shifts: Vec<(usize, f32)> = (0..outputs).map(|row| (row, -1.0)).collect();
                *last = last.rows(&shifts).additive();
            }
            _ => {
                let (at, count) = (self.state.full_key(at), changed.len());
                let why = format!(
                    "{at}* does not give two values, or one, for each of {count} coordinates"
                );
                return Err(ConvertError::Unsupported(why));
            }
        }
        let affine = Affine {
            scale_map,
            form: AffineForm::ShiftThenScale,
            bound: 1.0,
        };
        self.chain.coupling(Coupling {
            kept,
            changed,
            network: Network::Mlp(layers),
            affine,
        })
    }
}

fn negative(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}
