//! Flows of normflows: of vectors (affine coupling blocks, masked affine flows, permutations, actnorm), and Glow.
//!
//! Its conventions: `forward` is latent to data, so the list of flows is read from its end; a coupling block keeps the
//! first half (the larger, if they differ), a masked flow the coordinates where its mask is 1; x = z exp(s) + t, that
//! is z = (x - t) exp(-s), or with the map `sigmoid` z = (x - t) sigmoid(s + 2); outputs alternate between t and s.
//! Swaps of halves leave no tensor: they are what is missing in the numbering of the flows; but not behind the last
//! one, so that their number must be told. What else tensors do not tell is listed in [`VECTOR_CHOICES`] and
//! [`GLOW_CHOICES`].

mod choices;
mod glow;
mod layers;
mod masked;
mod network;

pub use choices::{GLOW_CHOICES, VECTOR_CHOICES};

use super::names::Root;
use super::torch;
use super::vector::Chain;
use super::{Assumptions, ConvertError, Hint, Report, StateDict};
use crate::model::Model;
use flow_infer::spec::ScaleMap;

const ROOT: Root = Root::of("normflows", &["flows.", "q0."]);

/// Makes a model of a checkpoint's bytes, and says what was found.
///
/// Gives also where in z the library has each coordinate of ours: the order of a vector's coordinates, nothing for
/// images.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &Hint) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let checkpoint = torch::read_at(bytes, hint.state_dict.as_deref())?;
    let mut report = Report::of(&checkpoint);
    let prefix = hint.assume.iter().find(|(key, _)| key == "prefix");
    let prefix = prefix.map(|(_, prefix)| prefix.as_str());
    let mut state = StateDict::rooted(checkpoint, ROOT, prefix)?;
    let is_glow = glow::is_glow(&state);
    let choices = if is_glow {
        GLOW_CHOICES
    } else {
        VECTOR_CHOICES
    };
    let mut assume = Assumptions::new("normflows", choices, &hint.assume)?;
    let (model, order) = if is_glow {
        (glow::model(&mut state, hint, &mut assume)?, Vec::new())
    } else {
        vector(&mut state, &mut assume)?
    };
    let remarks = state.finish()?;
    report.found("normflows", &model);
    report.lines.extend(remarks);
    let model = report.assumed("normflows", model, &assume);
    Ok((model, order, report))
}

fn vector(
    state: &mut StateDict<'_>,
    assume: &mut Assumptions,
) -> Result<(Model, Vec<usize>), ConvertError> {
    let chain = Chain::new(layers::dims(state)?)?;
    let mut reader = layers::Reader {
        state,
        assume,
        chain,
    };
    reader.add_all()?;
    reader.base()?;
    let chain = reader.chain;
    // Before the model is checked, so that a missing key is named by its own name.
    state.complete()?;
    chain.finish()
}

/// Our scale map, and the sign of its raw_scale, for the library's.
fn scale_map(assume: &mut Assumptions) -> Result<(ScaleMap, f32), ConvertError> {
    Ok(match assume.word("scale_map")? {
        "sigmoid" => (
            ScaleMap::Sigmoid {
                offset: 2.0,
                floor: 0.0,
            },
            1.0,
        ),
        "sigmoid_inv" => (ScaleMap::SigmoidInverse { offset: 2.0 }, 1.0),
        _ => (ScaleMap::Exp, -1.0),
    })
}

/// Rows of raw_scale, then of shift, of a network that alternates between t and s; z = (x - t) exp(-s).
fn output_rows(changed: usize, sign: f32) -> Vec<(usize, f32)> {
    let scales = (0..changed).map(|k| (2 * k + 1, sign));
    let shifts = (0..changed).map(|k| (2 * k, -1.0));
    scales.chain(shifts).collect()
}
