//! The library's `MLP`: linear layers with leaky ReLUs between, and an output function with constant factors around.

use crate::convert::vector::{Dense, Sequential, with_relus};
use crate::convert::{Assumptions, ConvertError, StateDict};

/// An `MLP` as layers with ReLUs.
pub(super) struct Mlp {
    pub(super) layers: Vec<Dense>,
    /// outer fn(inner y) of its last layer's y; `None` where it has no output function.
    pub(super) output: Option<Output>,
}

/// The constant factors before and behind an output function.
pub(super) struct Output {
    pub(super) inner: f32,
    pub(super) outer: f32,
}

/// Takes the network under a prefix; its output function is the choice of this key.
pub(super) fn take(
    state: &mut StateDict<'_>,
    assume: &mut Assumptions,
    at: &str,
    inputs: usize,
    output: &'static str,
) -> Result<Option<Mlp>, ConvertError> {
    let prefix = format!("{at}net.");
    let Some(taken) = Sequential::take(state, &prefix, Some(inputs))? else {
        return Ok(None);
    };
    if taken.has_gaps() {
        let prefix = state.full_key(&prefix);
        let why = format!("{prefix}* has more than an activation between its layers");
        return Err(ConvertError::Unsupported(why));
    }
    let last = taken.numbers.last().copied().unwrap_or(0);
    // A function has its factors right before and right behind it.
    let mut factor = |number: usize| -> Result<Option<f32>, ConvertError> {
        let key = format!("{prefix}{number}.scale");
        match state.shape(&key) {
            Some([]) => Ok(state
                .take(&key, &[])?
                .and_then(|tensor| tensor.values.first().copied())),
            _ => Ok(None),
        }
    };
    let inner = factor(last + 1)?;
    let outer = factor(if inner.is_some() { last + 3 } else { last + 2 })?;
    let name = assume.word(output)?;
    let has_factors = inner.is_some() || outer.is_some();
    if has_factors && name == "none" {
        let prefix = state.full_key(&prefix);
        let why = format!("{prefix}* has the factors of an output function, which no tensor tells");
        return Err(ConvertError::Ambiguous(format!(
            "{why}: --assume {output}=NAME"
        )));
    }
    let slope = assume.number("leaky");
    let layers = with_relus(taken.layers, slope);
    let output = (name != "none").then_some(Output {
        inner: inner.unwrap_or(1.0),
        outer: outer.unwrap_or(1.0),
    });
    Ok(Some(Mlp { layers, output }))
}
