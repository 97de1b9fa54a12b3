//! Vector flows of zuko: affine and additive couplings (`NICE`, `RealNVP`), permutations, LU.
//!
//! Its conventions: `transform` is data to latent; the mask is true where a coupling keeps; the network's outputs
//! alternate between shift and raw scale; y = x exp(s / (1 + |s / ln slope|)) + shift. What its tensors do not tell is
//! listed in [`CHOICES`].

mod choices;

pub use choices::CHOICES;

use super::names::Root;
use super::torch;
use super::vector::{Affine, Chain, Coupling, Network, Sequential, numbers, product, with_relus};
use super::{Assumptions, ConvertError, Hint, Report, StateDict};
use crate::model::Model;
use flow_infer::spec::{AffineForm, ScaleMap};

const ROOT: Root = Root::of("zuko", &["transform.", "transforms."]);
/// Most transforms of a list.
const MAX_TRANSFORMS: usize = 1000;

/// Tensors that tell a transform which flowgate does not have.
const UNSUPPORTED: [(&str, &str); 4] = [
    ("hyper.0.mask", "an autoregressive transform"),
    ("phi.", "an element-wise transform"),
    ("phi", "an element-wise transform"),
    ("ode.", "a continuous transform"),
];

/// Makes a model of a checkpoint's bytes, and says what was found. Gives also the library's coordinate of z that each
/// of ours is.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &Hint) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let mut assume = Assumptions::new("zuko", CHOICES, &hint.assume)?;
    let checkpoint = torch::read_at(bytes, hint.state_dict.as_deref())?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::rooted(checkpoint, ROOT, assume.text("prefix"))?;
    let dims = dims(&state)?;
    let mut reader = Reader {
        state: &mut state,
        assume: &mut assume,
        chain: Chain::new(dims)?,
    };
    reader.add_all()?;
    reader.base()?;
    let chain = reader.chain;
    let remarks = state.finish()?;
    let (model, order) = chain.finish()?;
    report.found("zuko", &model);
    report.lines.extend(remarks);
    let model = report.assumed("zuko", model, &assume);
    Ok((model, order, report))
}

/// Number of coordinates, from the first tensor that has one value of each.
fn dims(state: &StateDict<'_>) -> Result<usize, ConvertError> {
    let told = |key: &str| {
        let name = key.rsplit('.').next()?;
        let shape = state.shape(key)?;
        let known = matches!(name, "mask" | "_0") && !key.contains(".hyper.");
        known.then(|| shape.last().copied())?
    };
    let below = |prefix| state.keys(prefix).find_map(told);
    below("transform.")
        .or_else(|| below("transforms."))
        .ok_or_else(|| {
            let why = "no layer of zuko: no key under transform. is called mask or _0";
            ConvertError::Contradiction(why.to_owned())
        })
}

struct Reader<'r, 'a> {
    state: &'r mut StateDict<'a>,
    assume: &'r mut Assumptions,
    chain: Chain,
}

impl Reader<'_, '_> {
    /// Adds all transforms, or the only one.
    fn add_all(&mut self) -> Result<(), ConvertError> {
        let prefixes = ["transform.transforms.", "transforms."];
        let list = prefixes.into_iter().find(|prefix| self.state.has(prefix));
        let Some(list) = list else {
            return self.add("transform.");
        };
        let with_tensors = numbers(self.state, list);
        let seen = with_tensors.last().map_or(0, |&last| last + 1);
        let count = self.assume.count("transforms").unwrap_or(seen);
        self.assume.counted("transforms", count);
        if count < seen || count > MAX_TRANSFORMS {
            let why =
                format!("{seen} transforms are seen, at most {MAX_TRANSFORMS} read, {count} told");
            return Err(ConvertError::Contradiction(why));
        }
        for k in 0..count {
            match with_tensors.contains(&k) {
                true => self.add(&format!("{list}{k}."))?,
                false => self.assume.word("tensorless").map(drop)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, at: &str) -> Result<(), ConvertError> {
        let has = |name: &str| self.state.has(&format!("{at}{name}"));
        let matrix = self.state.shape(&format!("{at}_0")).map(<[usize]>::len);
        if let Some((_, what)) = UNSUPPORTED.iter().find(|(name, _)| has(name)) {
            let at = self.state.full_key(at);
            let why = format!("{at}* is of {what}, which flowgate does not have");
            Err(ConvertError::Unsupported(why))
        } else if has("mask") || has("hyper.") {
            self.coupling(at)
        } else if matrix == Some(1) {
            match self.state.take_indices(&format!("{at}_0"))? {
                Some(order) => self.chain.permute(&order),
                None => Ok(()),
            }
        } else if matrix == Some(2) {
            self.matrix(&format!("{at}_0"))
        } else {
            let at = self.state.full_key(at);
            let why = format!("no known transform of zuko has the tensors under {at}*");
            Err(ConvertError::Unsupported(why))
        }
    }

    /// y = L (U x), with ones on U's diagonal, from one matrix that holds both.
    fn matrix(&mut self, key: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        self.assume.word("matrix")?;
        let Some(both) = self.state.values(key, &[dims, dims])? else {
            return Ok(());
        };
        let part = |keep: &dyn Fn(usize, usize) -> bool| -> Vec<f64> {
            let entry = |at: usize| {
                if keep(at / dims, at % dims) {
                    both[at]
                } else {
                    0.0
                }
            };
            (0..dims * dims).map(entry).collect()
        };
        let lower = part(&|i, j| i >= j);
        let mut upper = part(&|i, j| i < j);
        upper
            .iter_mut()
            .step_by(dims + 1)
            .for_each(|entry| *entry = 1.0);
        self.chain.linear(&product(&lower, &upper, dims))
    }

    fn coupling(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let Some(mask) = self.state.take_mask(&format!("{at}mask"), dims)? else {
            return Ok(());
        };
        let part = |keep: bool| (0..dims).filter(|&j| mask[j] == keep).collect();
        let (kept, changed): (Vec<usize>, Vec<usize>) = (part(true), part(false));
        let hyper = format!("{at}hyper.");
        let Some(taken) = Sequential::take(self.state, &hyper, Some(kept.len()))? else {
            return Ok(());
        };
        if taken.has_gaps() || taken.has_gap_before_last() {
            let at = self.state.full_key(&hyper);
            return Err(ConvertError::Unsupported(format!(
                "{at}* has more than an activation between its layers (normalize=True): flowgate has no layer norm"
            )));
        }
        let slope = match self.assume.word("activation")? {
            "leaky_relu" => self.assume.number("negative_slope"),
            _ => 0.0,
        };
        let mut layers = with_relus(taken.layers, slope);
        let count = changed.len();
        let outputs = layers.last().map_or(0, |last| last.outputs);
        let (scale_map, bound) = match layers.last_mut() {
            Some(last) if outputs == 2 * count => {
                self.assume.word("univariate")?;
                let bound = -self.assume.number("slope").ln() as f32;
                let scales = (0..count).map(|k| (2 * k + 1, 1.0 / bound));
                let shifts = (0..count).map(|k| (2 * k, 1.0));
                let rows: Vec<(usize, f32)> = scales.chain(shifts).collect();
                *last = last.rows(&rows);
                (ScaleMap::SoftsignBound, bound)
            }
            Some(last) if outputs == count => {
                *last = last.additive();
                (ScaleMap::Exp, 1.0)
            }
            _ => {
                let at = self.state.full_key(&hyper);
                return Err(ConvertError::Unsupported(format!(
                    "{at}* gives {outputs} values for {count} coordinates: not affine"
                )));
            }
        };
        let affine = Affine {
            scale_map,
            form: AffineForm::ScaleThenShift,
            bound,
        };
        self.chain.coupling(Coupling {
            kept,
            changed,
            network: Network::Mlp(layers),
            affine,
        })
    }

    /// A diagonal normal distribution as a last layer before a standard one; nothing, if it is one.
    fn base(&mut self) -> Result<(), ConvertError> {
        self.assume.word("base")?;
        // Named or numbered, as versions of the library have it.
        let [loc, scale] = match self.state.has("base._0") {
            true => ["base._0", "base._1"],
            false => ["base.loc", "base.scale"],
        };
        let shape = [self.chain.dims()];
        let loc = self.state.values(loc, &shape)?;
        let scale = self.state.values(scale, &shape)?;
        let (Some(loc), Some(scale)) = (loc, scale) else {
            return Ok(());
        };
        if loc.iter().all(|&value| value == 0.0) && scale.iter().all(|&value| value == 1.0) {
            return Ok(());
        }
        let shift: Vec<f64> = loc.iter().map(|value| -value).collect();
        let log_scale: Vec<f64> = scale.iter().map(|value| -value.ln()).collect();
        self.chain.elementwise(&shift, &log_scale)
    }
}
