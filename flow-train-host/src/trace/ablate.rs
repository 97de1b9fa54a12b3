//! The same flow with a step left out.

use crate::export::ExportError;
use crate::export::file::FlowFile;
use crate::export::pack::Packed;
use flow_infer::artifact::Artifact;
use flow_infer::plan::{PlanHead, ScratchNeed, validate_step};

/// The file of a flow that lacks one step and is the same otherwise: what a later coupling says
/// without it tells what that step had handed on.
///
/// Its log_prob means nothing where the step had a constant log_det.
///
/// # Errors
/// [`ExportError`] if what is left does not load.
pub fn ablate(artifact: &Artifact<'_>, left_out: usize) -> Result<Vec<u8>, ExportError> {
    let steps = artifact.steps().flatten().enumerate();
    let steps: Vec<_> = steps.filter(|(step, _)| *step != left_out).collect();
    let steps: Vec<_> = steps.into_iter().map(|(_, step)| step).collect();
    let head = PlanHead {
        steps: steps.len() as u16, // fewer than before
        ..*artifact.plan_head()
    };
    let (format, tensors) = (artifact.number_format(), artifact.tensors());
    let mut need = ScratchNeed {
        activations: 0,
        ..artifact.scratch_need()
    };
    for step in &steps {
        need.activations =
            need.activations
                .max(validate_step(step.borrowed(), &head, format, tensors)?);
    }
    let packed = Packed {
        format,
        head,
        steps,
        tensors: tensors.to_vec(),
        need,
    };
    FlowFile::new(packed).to_bytes()
}
