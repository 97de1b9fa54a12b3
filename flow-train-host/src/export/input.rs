//! The input of a plan: its tensors, and its part of the constant.

use super::ExportError;
use super::lower::LoweredInput;
use super::numbers::{Numbers, Tensors};
use super::volume::ln_volume;
use flow_infer::plan::PlannedInput;
use flow_infer::spec::units::{HALF_LN_2PI, LN_256};

/// The planned input and its part of the constant: the prior's, and what the input's map adds for
/// every input.
pub(super) fn pack(
    input: &LoweredInput,
    numbers: &impl Numbers,
    tensors: &mut Tensors,
) -> Result<(PlannedInput, f64), ExportError> {
    match input {
        &LoweredInput::Image {
            shape,
            margin,
            dequantization,
        } => {
            let table = tensors.push(&numbers.image_table(margin, dequantization))?;
            let pixel = (1.0 - 2.0 * f64::from(margin)).ln() - LN_256 - HALF_LN_2PI;
            let planned = PlannedInput::Image {
                shape,
                table,
                margin,
                dequantization,
            };
            Ok((planned, pixel * shape.len() as f64))
        }
        LoweredInput::Vector { mean, deviation } => {
            let (bytes, log_scales) = numbers.standardization(mean, deviation)?;
            let records = tensors.push(&bytes)?;
            let dims = length(mean)?;
            let constant = log_scales.iter().sum::<f64>() - HALF_LN_2PI * f64::from(dims);
            Ok((PlannedInput::Vector { dims, records }, constant))
        }
        LoweredInput::Whitened {
            mean,
            deviation,
            rows,
        } => {
            let (bytes, log_scales) = numbers.standardization(mean, deviation)?;
            let records = tensors.push(&bytes)?;
            let stored = rows.iter().map(|row| numbers.whitening_row(row));
            let (bytes, mut map): (Vec<_>, Vec<_>) =
                stored.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            let planned = PlannedInput::Whitened {
                measured: length(mean)?,
                dims: length(rows)?,
                records,
                rows: tensors.push(&bytes.concat())?,
            };
            for row in &mut map {
                let scaled = row.iter_mut().zip(&log_scales);
                scaled.for_each(|(weight, log_scale)| *weight *= log_scale.exp());
            }
            let log_det = ln_volume(map).ok_or(ExportError::Singular { step: 0 })?;
            Ok((planned, log_det - HALF_LN_2PI * rows.len() as f64))
        }
    }
}

fn length<T>(list: &[T]) -> Result<u16, ExportError> {
    u16::try_from(list.len()).map_err(|_| ExportError::TooLarge("vector"))
}
