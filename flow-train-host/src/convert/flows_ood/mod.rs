//! Checkpoints of the paper's reference code (flows_ood).
//!
//! Names and shapes of tensors tell almost everything: how many scales and couplings, which conditioners, skip sums,
//! batch norm, bottlenecks. Two things leave no tensor: the mask of a single-scale flow's couplings, and (but for
//! bottlenecks) the image size. The first must be told by [`ArchHint`]; the second is then assumed to be the one
//! size that the reference code trains on, and the [`Report`] says so: a wrong size cannot go unnoticed, because a model
//! refuses images of another size.

mod body;
mod builder;
mod conditioner;
mod find;
mod flatten;
mod given;
mod hint;
mod image;
mod layout;
mod map;

pub use flatten::flatten_order;
pub use hint::{ArchHint, Class, parse_image};

use super::assume::{Choice, PREFIX, Values};
use super::{Assumptions, ConvertError, Report, Root, StateDict, torch};
use crate::model::{Model, ModelError};
use flow_infer::spec::InputSpec;
use std::path::Path;

/// Distance of the reference code's logit layer from 0 and 1.
const LOGIT_MARGIN: f32 = 0.05;
const ROOT: Root = Root::of("flows_ood", &["body."]);

/// What no tensor tells, beside masks and image sizes, which [`ArchHint`] has.
pub const CHOICES: &[Choice] = &[
    Choice {
        key: "logit_alpha",
        aliases: &["logit_margin"],
        what: "the alpha of the logit layer",
        values: Values::Number {
            default: 0.05,
            least: 1e-6,
            most: 0.49,
        },
    },
    PREFIX,
];

/// Makes a model of a checkpoint's bytes, and says what was found.
///
/// # Errors
/// [`ConvertError`], always one line that names the key or the offset.
pub fn convert(bytes: &[u8], hint: &ArchHint) -> Result<(Model, Report), ConvertError> {
    let mut assume = Assumptions::new("flows-ood", CHOICES, &hint.assume)?;
    let checkpoint = torch::read_at(bytes, hint.state_dict.as_deref())?;
    let mut report = Report::of(&checkpoint);
    let mut state = StateDict::rooted(checkpoint, ROOT, assume.text("prefix"))?;
    let mut layout = find::find(&mut state, hint)?;
    if let InputSpec::Image { logit_margin, .. } = &mut layout.spec.input
        && hint.spec.is_none()
    {
        *logit_margin = assume.number("logit_alpha") as f32;
    }
    let spec_error = |error| ConvertError::Model(ModelError::Spec(error));
    layout.spec.validate().map_err(spec_error)?;
    let tensors = map::tensors(&mut state, &layout)?;
    let remarks = state.finish()?;
    let model = Model::new(layout.spec.clone(), tensors).map_err(ConvertError::Model)?;
    report.found(&layout.class, &model);
    if let InputSpec::Image {
        shape,
        logit_margin,
    } = layout.spec.input
    {
        let source = layout.image_source.unwrap_or("as given");
        report.lines.push(format!(
            "image size: {shape} ({source}), logit margin {logit_margin}"
        ));
    }
    report.lines.extend(remarks);
    let model = report.assumed("flows_ood", model, &assume);
    Ok((model, report))
}

/// [`convert`] for a file.
///
/// # Errors
/// [`ConvertError::Read`] if it cannot be read, and those of [`convert`].
pub fn convert_file(path: &Path, hint: &ArchHint) -> Result<(Model, Report), ConvertError> {
    let bytes = std::fs::read(path).map_err(|error| ConvertError::Read(error.to_string()))?;
    convert(&bytes, hint)
}
