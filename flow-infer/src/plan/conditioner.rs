//! What a coupling's conditioner or a ratio net must be to run: its buffers, its layers' sizes, its tensors, and its order
//! of rows.

use super::geometry::MAX_REACHING;
use super::records::{check_bounds, check_sums};
use super::sizes::tensor;
use super::{
    Buffer, Coupling, Layer, LayerKind, NO_TENSOR, NumberFormat, PlanError, PlanHead, PlannedScale,
    Schedule, Window, lanes, parts,
};
use crate::spec::{CouplingMask, Shape};

/// A coupling's mask splits its view, and its last layer feeds it; of a ratio net everything is kept, and the last layer gives
/// one number.
pub(super) fn validate_network(
    coupling: &Coupling,
    is_ratio: bool,
    head: &PlanHead,
    format: NumberFormat,
    tensors: &[u8],
) -> Result<u32, PlanError> {
    let shape = coupling.view.shape();
    if (coupling.mask == CouplingMask::Whole) != is_ratio
        || !(is_ratio || coupling.mask.fits(shape))
    {
        return Err(PlanError::Mask);
    }
    let changed = coupling.mask.changed_channels(coupling.view.channels()).1;
    // Of a ratio net one: what its number stands for.
    let bounds = if is_ratio { 1 } else { changed };
    let bounds = tensor(tensors, coupling.bounds, bounds, format.sizes().bound)?;
    check_bounds(format, bounds)?;
    let linear = is_ratio || matches!(coupling.scale, PlannedScale::Linear);
    if format == NumberFormat::Q8 && !linear && head.scale_table == NO_TENSOR {
        return Err(PlanError::Tensor);
    }
    let (last, inner) = coupling.layers.split_last().ok_or(PlanError::Layer)?;
    let is_one = |b: &Buffer| b.shape == Shape::new(1, 1, 1) && b.margin == 0;
    let one = coupling.ratio().is_some_and(is_one);
    let ends_well = if is_ratio { one } else { last.target.is_none() };
    if !ends_well || inner.iter().any(|l| l.target.is_none()) {
        return Err(PlanError::Layer);
    }
    let need = check_buffers(&coupling.buffers)?;
    for (index, layer) in coupling.layers.iter().enumerate() {
        check_places(coupling, index, layer)?;
        check_sizes(coupling, layer)?;
        check_tensors(coupling, layer, head, format, tensors)?;
    }
    check_schedule(coupling, &mut Schedule::new(coupling))?;
    Ok(need)
}

/// Buffers follow each other without overlap, so that a layer's target always lies behind everything it reads.
fn check_buffers(buffers: &[Buffer]) -> Result<u32, PlanError> {
    let mut end = 0u32;
    for buffer in buffers {
        let len = buffer.ring_len().and_then(|n| u32::try_from(n).ok());
        let len = len.ok_or(PlanError::Buffer)?;
        let fits = buffer.rows > 0
            && buffer.rows <= buffer.shape.height
            && !buffer.shape.is_empty()
            && buffer.offset >= end;
        if !fits {
            return Err(PlanError::Buffer);
        }
        end = buffer.offset.checked_add(len).ok_or(PlanError::Buffer)?;
    }
    Ok(end)
}

/// Each buffer has one producer, which comes before its readers and reads only buffers in front of it.
fn check_places(coupling: &Coupling, index: usize, layer: &Layer) -> Result<(), PlanError> {
    let earlier = coupling.layers.get(..index).unwrap_or(&[]);
    let target = layer.target.map_or(usize::MAX, usize::from);
    if layer.target.is_some() && target >= coupling.buffers.len() {
        return Err(PlanError::Layer);
    }
    if earlier.iter().any(|e| e.target == layer.target) {
        return Err(PlanError::Layer);
    }
    let sources = coupling.reads(layer);
    let good = sources
        .into_iter()
        .flatten()
        .all(|id| usize::from(id) < target && earlier.iter().any(|e| e.target == Some(id)));
    if good { Ok(()) } else { Err(PlanError::Layer) }
}

fn check_sizes(coupling: &Coupling, layer: &Layer) -> Result<(), PlanError> {
    let output = coupling.output_shape(layer).ok_or(PlanError::Layer)?;
    let shape_of = |id: u8| coupling.buffers.get(usize::from(id)).map(|b| b.shape);
    let source = coupling.buffers.get(usize::from(layer.source));
    let view = coupling.view.shape();
    let good = match layer.kind {
        LayerKind::Input { pair } => {
            let kept = coupling.mask.kept_channels(coupling.view.channels()).1;
            let channels = if pair { 2 * kept } else { kept };
            usize::from(output.channels) == channels
                && (output.height, output.width) == (view.height, view.width)
                && layer.target.is_some()
        }
        LayerKind::Conv(window) => {
            let source = source.ok_or(PlanError::Layer)?;
            conv_fits(window, source)
                && window.conv_len(source.shape.height, window.height) == Some(output.height)
                && window.conv_len(source.shape.width, window.width) == Some(output.width)
        }
        LayerKind::ConvTransposed(window) => {
            let source = source.ok_or(PlanError::Layer)?;
            let longer = |input, kernel, output: u16| {
                let shortest = window.transposed_len(input, kernel);
                shortest.is_some_and(|n| output >= n && output - n < u16::from(window.stride))
            };
            window.stride > 0
                && longer(source.shape.height, window.height, output.height)
                && longer(source.shape.width, window.width, output.width)
                && window.reaching(source.shape) <= MAX_REACHING
        }
        LayerKind::Map => shape_of(layer.source) == Some(output) && layer.target.is_some(),
        LayerKind::Gate { gate, carry } => {
            let sources = [layer.source, gate, carry];
            sources.into_iter().all(|id| shape_of(id) == Some(output)) && layer.target.is_some()
        }
    };
    let residual = layer.residual.is_none_or(|id| shape_of(id) == Some(output))
        && (layer.residual.is_none() || layer.target.is_some());
    if good && residual {
        Ok(())
    } else {
        Err(PlanError::Layer)
    }
}

/// The source's margins hold the padding, and the window moves.
fn conv_fits(window: Window, source: &Buffer) -> bool {
    window.stride > 0 && window.height > 0 && window.width > 0 && source.margin >= window.pad
}

fn check_tensors(
    coupling: &Coupling,
    layer: &Layer,
    head: &PlanHead,
    format: NumberFormat,
    tensors: &[u8],
) -> Result<(), PlanError> {
    parts::require(match layer.kind {
        LayerKind::Gate { .. } => parts::GLOW,
        LayerKind::ConvTransposed(_) => parts::AUTOENCODER,
        LayerKind::Input { .. } | LayerKind::Conv(_) | LayerKind::Map => true,
    })?;
    let sizes = format.sizes();
    let output = coupling.output_shape(layer).ok_or(PlanError::Layer)?;
    let rows = lanes(usize::from(output.channels));
    match layer.kind {
        LayerKind::Input { .. } => {
            let kept = coupling.mask.kept_channels(coupling.view.channels()).1;
            tensor(tensors, layer.records, kept, sizes.input).map(|_| ())
        }
        LayerKind::Conv(window) | LayerKind::ConvTransposed(window) => {
            let source = coupling.buffers.get(usize::from(layer.source));
            let input = source.ok_or(PlanError::Layer)?.pixel_len();
            let fan_in = usize::from(window.height)
                .checked_mul(usize::from(window.width))
                .and_then(|n| n.checked_mul(input))
                .ok_or(PlanError::Tensor)?;
            let count = fan_in.checked_mul(rows).ok_or(PlanError::Tensor)?;
            let weights = tensor(tensors, layer.weights, count, sizes.weight)?;
            let records = tensor(tensors, layer.records, rows, sizes.output)?;
            check_sums(format, weights, records, fan_in)
        }
        LayerKind::Map if layer.records == NO_TENSOR => Ok(()),
        LayerKind::Map => tensor(tensors, layer.records, rows, sizes.map).map(|_| ()),
        LayerKind::Gate { .. } if format == NumberFormat::Q8 => {
            if head.sigmoid_table == NO_TENSOR {
                return Err(PlanError::Tensor);
            }
            tensor(tensors, layer.records, 1, 4).map(|_| ())
        }
        LayerKind::Gate { .. } => Ok(()),
    }
}

/// Runs the schedule once without arithmetic: every row is written before it is read and read before its slot is
/// used again, and all rows get done.
pub(crate) fn check_schedule(
    coupling: &Coupling,
    schedule: &mut Schedule,
) -> Result<(), PlanError> {
    while let Some(event) = schedule.next_row(coupling) {
        let layer = coupling
            .layers
            .get(event.layer)
            .ok_or(PlanError::Schedule)?;
        let Some(target) = layer.target else { continue };
        let ring = coupling
            .buffers
            .get(usize::from(target))
            .map_or(0, |b| b.rows);
        let Some(overwritten) = event.row.checked_sub(usize::from(ring)) else {
            continue;
        };
        let readers = coupling.layers.iter().enumerate();
        for (index, reader) in readers {
            // Before this row was computed: a copy of the schedule would be a kilobyte of stack.
            let row = schedule.done(index) - usize::from(index == event.layer);
            if row < schedule.end(index)
                && lowest_needed(coupling, reader, row, target) <= overwritten
            {
                return Err(PlanError::Schedule);
            }
        }
    }
    if schedule.finished() {
        Ok(())
    } else {
        Err(PlanError::Schedule)
    }
}

/// The lowest row of a buffer that a layer still reads when it has `row` rows done; `usize::MAX` if none.
pub fn lowest_needed(coupling: &Coupling, layer: &Layer, row: usize, buffer: u8) -> usize {
    let reads_it = coupling.reads(layer).contains(&Some(buffer));
    let needs = coupling.needs(layer, row);
    let lowest = needs
        .iter()
        .flatten()
        .filter(|n| n.buffer == buffer)
        .map(|n| n.first)
        .min();
    match lowest {
        Some(first) => first,
        // A transposed window can skip a row of its output; later rows still read on.
        None if reads_it => layer.needed_rows(row, usize::MAX).0,
        None => usize::MAX,
    }
}
