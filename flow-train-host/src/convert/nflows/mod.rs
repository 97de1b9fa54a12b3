//! Vector flows of nflows: affine and additive couplings, permutations, actnorm, batch norm, linear transforms.
//!
//! Its conventions: `forward` is data to latent; mask > 0 is changed, and the index lists of both parts are stored;
//! the network gives shifts, then scales; scale = sigmoid(u + 2) + 0.001, y = x scale + shift. What its tensors do not
//! tell is listed in [`CHOICES`].

mod choices;
mod layers;
mod network;

pub use choices::CHOICES;

use super::names::Root;
use super::torch;
use super::vector::Chain;
use super::{Assumptions, ConvertError, Hint, Report, StateDict};
use crate::model::Model;
use layers::Reader;

const ROOT: Root = Root::of("nflows", &["_transform.", "_transforms."]);

/// Makes a model of a checkpoint's bytes, and says what was found. Gives also the library's coordinate of z that each
/// of ours is.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &Hint) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let mut assume = Assumptions::new("nflows", CHOICES, &hint.assume)?;
    let checkpoint = torch::read_at(bytes, hint.state_dict.as_deref())?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::rooted(checkpoint, ROOT, assume.text("prefix"))?;
    // A transform that was saved without its distribution.
    let at = if state.has("_transform.") {
        "_transform."
    } else {
        ""
    };
    let chain = Chain::new(layers::dims(&mut state, at)?)?;
    let mut reader = Reader {
        state: &mut state,
        assume: &mut assume,
        chain,
    };
    reader.add(at, layers::MAX_DEPTH)?;
    reader.base()?;
    let chain = reader.chain;
    let remarks = state.finish()?;
    let (model, order) = chain.finish()?;
    report.found("nflows", &model);
    report.lines.extend(remarks);
    let model = report.assumed("nflows", model, &assume);
    Ok((model, order, report))
}
