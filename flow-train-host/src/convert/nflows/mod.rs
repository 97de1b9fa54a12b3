//! Vector flows of nflows: affine and additive couplings, permutations, actnorm, batch norm, LU.
//!
//! Its conventions: `forward` is data to latent; mask > 0 is changed, and the index lists of both parts are stored;
//! the network gives shifts, then scales; scale = sigmoid(u + 2) + 0.001, y = x scale + shift. Everything that has a
//! bearing is in the tensors but for activations and dropout: relu is assumed, as in the library's own flows.

mod layers;
mod network;

use super::torch;
use super::vector::Chain;
use super::{ConvertError, Report, StateDict};
use crate::model::Model;

/// Makes a model of a checkpoint's bytes, and says what was found. Gives also the library's coordinate of z that each
/// of ours is.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8]) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let checkpoint = torch::read(bytes)?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::new(checkpoint);
    let mut chain = Chain::new(layers::dims(&mut state)?)?;
    layers::add(&mut state, "_transform.", &mut chain, layers::MAX_DEPTH)?;
    // The normalizing constant of the standard normal.
    state.discard("_distribution._log_z");
    let remarks = state.finish()?;
    let (model, order) = chain.finish()?;
    report.found("nflows", &model);
    report.lines.extend(remarks);
    Ok((model, order, report))
}
