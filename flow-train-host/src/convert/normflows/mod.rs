//! Vector flows of normflows: affine coupling blocks, masked affine flows, permutations, actnorm.
//!
//! Its conventions: `forward` is latent to data, so the list of flows is read from its end; a coupling block keeps the
//! first half (the larger, if they differ), a masked flow the coordinates where its mask is 1; x = z exp(s) + t, that
//! is z = (x - t) exp(-s), or with the map `sigmoid` z = (x - t) sigmoid(s + 2); outputs alternate between t and s.
//! Which map, and swaps of halves, leave no tensor: the first must be told ([`CouplingMap`]), the second are what is
//! missing in the numbering of the flows; but not behind the last one, so that their number must be told.

mod layers;

use super::torch;
use super::vector::Chain;
use super::{ConvertError, Report, StateDict};
use crate::model::Model;

/// The library's `scale_map` of coupling blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CouplingMap {
    /// `exp`, its default.
    #[default]
    Exp,
    /// `sigmoid`.
    Sigmoid,
}

/// What is known of a checkpoint from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The map of coupling blocks.
    pub map: CouplingMap,
    /// Number of flows, `len(model.flows)`; needed if there are swaps.
    pub flows: Option<usize>,
}

/// Makes a model of a checkpoint's bytes, and says what was found. Gives also the library's coordinate of z that each
/// of ours is.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &Hint) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let checkpoint = torch::read(bytes)?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::new(checkpoint);
    let mut chain = Chain::new(layers::dims(&mut state)?)?;
    let swaps = layers::add_all(&mut state, hint, &mut chain)?;
    layers::base(&mut state, &mut chain)?;
    let remarks = state.finish()?;
    let (model, order) = chain.finish()?;
    report.found("normflows", &model);
    if swaps > 0 {
        let line = format!("{swaps} flows without tensors, taken for swaps of the halves");
        report.lines.push(line);
    }
    let map = hint.map;
    report.lines.push(format!(
        "scale map of coupling blocks: {map:?} (no tensor tells it)"
    ));
    report.lines.extend(remarks);
    Ok((model, order, report))
}
