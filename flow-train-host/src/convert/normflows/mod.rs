//! Flows of normflows: of vectors (affine coupling blocks, masked affine flows, permutations, actnorm), and Glow.
//!
//! Its conventions: `forward` is latent to data, so the list of flows is read from its end; a coupling block keeps the
//! first half (the larger, if they differ), a masked flow the coordinates where its mask is 1; x = z exp(s) + t, that
//! is z = (x - t) exp(-s), or with the map `sigmoid` z = (x - t) sigmoid(s + 2); outputs alternate between t and s.
//! Which map, and swaps of halves, leave no tensor: the first must be told ([`CouplingMap`]), the second are what is
//! missing in the numbering of the flows; but not behind the last one, so that their number must be told.

mod glow;
mod layers;

use super::torch;
use super::vector::Chain;
use super::{ConvertError, Report, StateDict};
use crate::model::Model;
use flow_infer::spec::Shape;

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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hint {
    /// The map of coupling blocks.
    pub map: CouplingMap,
    /// Number of flows of a vector flow, `len(model.flows)`; needed if there are swaps.
    pub flows: Option<usize>,
    /// Size of the images of a Glow.
    pub image: Option<Shape>,
    /// Parameter of the `Logit` transform before a Glow, the only input layer that is known here.
    pub logit_margin: f32,
}

impl Default for Hint {
    fn default() -> Self {
        Self {
            map: CouplingMap::Exp,
            flows: None,
            image: None,
            logit_margin: 0.05,
        }
    }
}

/// Makes a model of a checkpoint's bytes, and says what was found.
///
/// Gives also where in z the library has each coordinate of ours: the order of a vector's coordinates, nothing for
/// images.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &Hint) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let checkpoint = torch::read(bytes)?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::new(checkpoint);
    let (model, order) = if glow::is_glow(&state) {
        report.lines.push(format!(
            "images through a logit layer of margin {}",
            hint.logit_margin
        ));
        (glow::model(&mut state, hint)?, Vec::new())
    } else {
        vector(&mut state, hint, &mut report)?
    };
    let remarks = state.finish()?;
    report.found("normflows", &model);
    let map = hint.map;
    report.lines.push(format!(
        "scale map of coupling blocks: {map:?} (no tensor tells it)"
    ));
    report.lines.extend(remarks);
    Ok((model, order, report))
}

fn vector(
    state: &mut StateDict<'_>,
    hint: &Hint,
    report: &mut Report,
) -> Result<(Model, Vec<usize>), ConvertError> {
    let mut chain = Chain::new(layers::dims(state)?)?;
    let swaps = layers::add_all(state, hint, &mut chain)?;
    layers::base(state, &mut chain)?;
    if swaps > 0 {
        let line = format!("{swaps} flows without tensors, taken for swaps of the halves");
        report.lines.push(line);
    }
    // Before the model is checked, so that a missing key is named by its own name.
    state.complete()?;
    chain.finish()
}
