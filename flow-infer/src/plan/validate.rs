//! Nothing malformed is run: what a plan must satisfy before the engine follows it.
//!
//! A file whose checksum is right can still hold a plan that reads rows before they are written or tensors past the
//! end. After these checks the engine needs no error path of its own: every read is in bounds, every row is there when
//! it is needed, sums of 8-bit weights fit 32 bits, and a coupling changes only what its conditioner does not see, so
//! that the density is normalized by construction.

use super::conditioner::validate_network;
use super::records;
use super::sizes::tensor;
use super::{Coupling, NO_TENSOR, NumberFormat, PlanError, PlanHead, PlannedInput, Step, parts};
use crate::spec::View;

/// Elements of scratch that a flow needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ScratchNeed {
    /// Latents: one a coordinate.
    pub latents: u32,
    /// Activations: the largest coupling's buffers.
    pub activations: u32,
}

/// Checks the head: the tensors of input and tables are there.
pub(crate) fn validate_head(
    head: &PlanHead,
    format: NumberFormat,
    tensors: &[u8],
) -> Result<(), PlanError> {
    let sizes = format.sizes();
    if head.input.shape().is_empty() || head.input.shape().checked_len().is_none() {
        return Err(PlanError::View);
    }
    match head.input {
        PlannedInput::Image { table, margin, .. } => {
            parts::require(parts::IMAGES)?;
            let entries = records::IMAGE_TABLE_ENTRIES;
            tensor(tensors, table, entries, sizes.image_entry)?;
            if !(margin > 0.0 && margin < 0.5) || head.input.draws() == 0 {
                return Err(PlanError::Scale);
            }
        }
        PlannedInput::Vector { dims, records } => {
            check_measurements(format, tensors, records, dims)?;
        }
        PlannedInput::Whitened {
            measured,
            dims,
            records,
            rows,
        } => {
            check_measurements(format, tensors, records, measured)?;
            let measured = usize::from(measured);
            let row = sizes.whitening_row(measured);
            let rows = tensor(tensors, rows, usize::from(dims), row)?;
            records::check_whitening(format, rows, row)?;
            if measured < usize::from(dims) {
                return Err(PlanError::View);
            }
        }
    }
    for table in [head.scale_table, head.sigmoid_table] {
        if format == NumberFormat::Q8 && table != NO_TENSOR {
            let table = tensor(tensors, table, records::TABLE_ENTRIES, 4)?;
            records::check_table(table)?;
        }
    }
    Ok(())
}

#[inline(never)]
fn check_measurements(
    format: NumberFormat,
    tensors: &[u8],
    records: u32,
    count: u16,
) -> Result<(), PlanError> {
    parts::require(parts::VECTORS)?;
    let size = format.sizes().standardization;
    let records = tensor(tensors, records, usize::from(count), size)?;
    records::check_standardization(format, records)
}

/// Checks one step against the head, the tensors and the scratch, and returns the activations it needs.
pub fn validate_step(
    step: Step<&Coupling>,
    head: &PlanHead,
    format: NumberFormat,
    tensors: &[u8],
) -> Result<u32, PlanError> {
    let sizes = format.sizes();
    match step {
        Step::Actnorm { view, records } => {
            parts::require(parts::GLOW)?;
            check_view(view, head)?;
            let records = tensor(tensors, records, view.channels(), sizes.actnorm)?;
            records::check_actnorm(format, records)?;
            Ok(0)
        }
        Step::InvertibleLinear { view, weights } => {
            parts::require(parts::GLOW)?;
            check_view(view, head)?;
            let count = view.channels() * view.channels();
            if view.channels() > records::MAX_LINEAR_CHANNELS {
                return Err(PlanError::View);
            }
            let weights = tensor(tensors, weights, count, sizes.linear)?;
            records::check_linear(format, weights, view.channels())?;
            Ok(0)
        }
        Step::Coupling(network) | Step::Ratio(network) => {
            check_view(network.view, head)?;
            validate_network(
                network,
                matches!(step, Step::Ratio(_)),
                head,
                format,
                tensors,
            )
        }
    }
}

/// A decoded view is trusted only if its parts make a view of this input.
fn check_view(view: View, head: &PlanHead) -> Result<(), PlanError> {
    let image = head.input.shape();
    let channels = u16::try_from(view.channels()).map_err(|_| PlanError::View)?;
    let same = View::new(image, view.squeezes(), channels) == Some(view);
    if same { Ok(()) } else { Err(PlanError::View) }
}
