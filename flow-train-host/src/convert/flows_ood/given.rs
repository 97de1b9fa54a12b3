//! A whole architecture given by the user: for checkpoints of modified copies of the reference code.
//!
//! The reference code's classes are lists of the same few layers, and easily changed (its own history has couplings
//! with other masks). Given the spec, tensors only have to be of the same layers in the same order.

use super::body::{Body, Layer};
use super::builder::Builder;
use super::layout::Layout;
use crate::convert::{ConvertError, StateDict};
use crate::model::ModelError;
use flow_infer::spec::{FlowSpec, InputSpec, StepSpec};

/// Assigns the layers that have tensors to the steps of the spec that need them.
///
/// # Errors
/// [`ConvertError::Contradiction`] if they are not the same layers, [`ConvertError::Model`] if the spec is wrong.
pub(super) fn layout(
    state: &mut StateDict<'_>,
    body: &Body,
    spec: &FlowSpec,
) -> Result<Layout, ConvertError> {
    let spec_error = |error| ConvertError::Model(ModelError::Spec(error));
    spec.validate().map_err(spec_error)?;
    let steps = || {
        spec.steps()
            .filter(|placed| placed.step != StepSpec::Squeeze)
    };
    let (layers, count) = (body.layers.len(), steps().count());
    let vectors = matches!(spec.input, InputSpec::Vector { .. });
    if count != layers || vectors != body.tabular {
        let kind = if body.tabular {
            "a vector flow"
        } else {
            "an image flow"
        };
        let why = format!("{layers} layers of {kind} have tensors, the given spec is of {count}");
        return Err(ConvertError::Contradiction(why));
    }
    let mut builder = Builder::new(state, body);
    for (placed, (&position, &layer)) in steps().zip(&body.layers) {
        if builder.levels() <= placed.level {
            builder.level()?;
        }
        let wrong = || {
            let (at, step) = (body.prefix(position), placed.step);
            ConvertError::Contradiction(format!("{at}* does not fit the given step {step:?}"))
        };
        match (placed.step, layer) {
            (StepSpec::Actnorm, Layer::Actnorm)
            | (StepSpec::InvertibleLinear, Layer::InvertibleLinear) => {
                builder.step(position, placed.step)?;
            }
            (StepSpec::Coupling(coupling), Layer::Coupling) => {
                let found = builder.coupling(position, coupling.mask)?;
                if found.is_some_and(|found| found != coupling) {
                    return Err(wrong());
                }
            }
            _ => return Err(wrong()),
        }
    }
    Ok(Layout {
        class: "the given spec".to_owned(),
        spec: spec.clone(),
        prefixes: builder.finish()?.prefixes,
        image_source: None,
    })
}
