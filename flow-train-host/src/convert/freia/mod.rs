//! Vector flows of FrEIA: `SequenceINN`, and graphs without branches, of affine coupling blocks, all-in-one blocks,
//! permutations and linear layers.
//!
//! Its conventions: `rev=False` is data to latent; a block's first part is split_len1 coordinates; s before t in a
//! network's outputs; y = x exp(clamp f(s)) + t. z is standard normal: FrEIA leaves the distribution to its users. What
//! its tensors do not tell is listed in [`CHOICES`].

mod all_in_one;
mod blocks;
mod choices;
mod reader;

pub use choices::CHOICES;

use super::names::Root;
use super::torch;
use super::vector::Chain;
use super::{Assumptions, ConvertError, Hint, Report, StateDict};
use crate::model::Model;

const ROOT: Root = Root::of("FrEIA", &["module_list."]);

/// Makes a model of a checkpoint's bytes, and says what was found. Gives also the library's coordinate of z that each
/// of ours is.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &Hint) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let mut assume = Assumptions::new("FrEIA", CHOICES, &hint.assume)?;
    let checkpoint = torch::read_at(bytes, hint.state_dict.as_deref())?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::rooted(checkpoint, ROOT, assume.text("prefix"))?;
    assume.word("direction")?;
    assume.word("graph")?;
    let chain = Chain::new(reader::dims(&state)?)?;
    let mut reader = reader::Reader {
        state: &mut state,
        assume: &mut assume,
        chain,
    };
    reader.add_all()?;
    let chain = reader.chain;
    let remarks = state.finish()?;
    let (model, order) = chain.finish()?;
    report.found("FrEIA", &model);
    report.lines.extend(remarks);
    report
        .lines
        .push("z is standard normal: FrEIA leaves its distribution to its users".to_owned());
    let model = report.assumed("FrEIA", model, &assume);
    Ok((model, order, report))
}
