//! Nothing malformed is run: what a plan must satisfy before the engine follows it.
//!
//! A file whose checksum is right can still hold a plan that reads rows before they are written or tensors past the
//! end. After these checks the engine needs no error path of its own: every read is in bounds, every row is there when
//! it is needed, sums of 8-bit weights fit 32 bits, and a coupling changes only what its conditioner does not see, so
//! that the density is normalized by construction.

use super::{
    Buffer, Coupling, Layer, LayerKind, NO_TENSOR, NumberFormat, PlanHead, PlannedInput,
    PlannedScale, Schedule, Step, Window, lanes, parts,
};
use crate::spec::{CouplingMask, View};

/// What is wrong with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PlanError {
    /// The bytes are not a plan.
    Encoding,
    /// A view or shape that does not exist in the input.
    View,
    /// A mask that does not fit its view.
    Mask,
    /// A tensor that reaches past the end of the tensors.
    Tensor,
    /// A buffer without rows, out of order or beyond the scratch that the header states.
    Buffer,
    /// A layer whose sources, target or sizes do not fit each other.
    Layer,
    /// Rows that would be read before they are written or after they are overwritten.
    Schedule,
    /// Weights so large that a sum could overflow.
    Accumulator,
    /// A scale that is not positive, or a constant out of range.
    Scale,
    /// A step, layer or input that this build leaves out: see the features of the crate.
    LeftOut,
}

impl core::fmt::Display for PlanError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Encoding => "the plan cannot be decoded",
            Self::View => "a step acts on channels that do not exist",
            Self::Mask => "a coupling mask does not fit its view",
            Self::Tensor => "a tensor reaches past the end of the file's tensors",
            Self::Buffer => "an activation buffer does not fit the scratch",
            Self::Layer => "a layer's sizes do not fit each other",
            Self::Schedule => "a layer's rows would be overwritten before they are read",
            Self::Accumulator => "weights could overflow a sum",
            Self::Scale => "a scale is not positive or out of range",
            Self::LeftOut => "this build leaves out a part of the engine that the flow needs",
        })
    }
}

impl core::error::Error for PlanError {}

/// Elements of scratch that a flow needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ScratchNeed {
    /// Latents: one a coordinate.
    pub latents: u32,
    /// Activations: the largest coupling's buffers.
    pub activations: u32,
}

/// Sizes of the records of a number format, in bytes.
pub(crate) struct RecordSizes {
    pub(crate) weight: usize,
    pub(crate) output: usize,
    pub(crate) input: usize,
    pub(crate) map: usize,
    pub(crate) actnorm: usize,
    pub(crate) linear: usize,
    pub(crate) standardization: usize,
    /// In front of a row of a whitening, and each of its weights.
    pub(crate) whitening: [usize; 2],
    pub(crate) bound: usize,
    pub(crate) image_entry: usize,
}

impl NumberFormat {
    pub(crate) const fn sizes(self) -> RecordSizes {
        let weight = match self {
            Self::Q8 => 1,
            Self::F32 => 4,
            Self::F16 => 2,
        };
        let fixed = matches!(self, Self::Q8);
        RecordSizes {
            weight,
            output: if fixed { 8 } else { 4 },
            input: 8,
            map: 8,
            actnorm: if fixed { 12 } else { 8 },
            linear: 4,
            standardization: if fixed { 16 } else { 8 },
            whitening: if fixed { [4, 2] } else { [0, 4] },
            bound: 4,
            image_entry: 8,
        }
    }
}

impl RecordSizes {
    /// Bytes of a row of a whitening: whole words.
    pub(crate) const fn whitening_row(&self, measured: usize) -> usize {
        let [head, weight] = self.whitening;
        head + (measured * weight).next_multiple_of(4)
    }
}

/// Entries of an interpolation table; see `documents/format.md`.
pub(crate) const TABLE_ENTRIES: usize = crate::engine::TABLE_ENTRIES;

fn tensor(tensors: &[u8], offset: u32, count: usize, size: usize) -> Result<&[u8], PlanError> {
    let start = offset as usize;
    let len = count.checked_mul(size).ok_or(PlanError::Tensor)?;
    let end = start.checked_add(len).ok_or(PlanError::Tensor)?;
    tensors.get(start..end).ok_or(PlanError::Tensor)
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
            let entries = crate::engine::IMAGE_TABLE_ENTRIES;
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
            crate::engine::check_whitening(format, rows, row)?;
            if measured < usize::from(dims) {
                return Err(PlanError::View);
            }
        }
    }
    for table in [head.scale_table, head.sigmoid_table] {
        if format == NumberFormat::Q8 && table != NO_TENSOR {
            let table = tensor(tensors, table, TABLE_ENTRIES, 4)?;
            crate::engine::check_table(table)?;
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
    crate::engine::check_standardization(format, records)
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
            crate::engine::check_actnorm(format, records)?;
            Ok(0)
        }
        Step::InvertibleLinear { view, weights } => {
            parts::require(parts::GLOW)?;
            check_view(view, head)?;
            let count = view.channels() * view.channels();
            if view.channels() > crate::engine::MAX_LINEAR_CHANNELS {
                return Err(PlanError::View);
            }
            let weights = tensor(tensors, weights, count, sizes.linear)?;
            crate::engine::check_linear(format, weights, view.channels())?;
            Ok(0)
        }
        Step::Coupling(coupling) => {
            check_view(coupling.view, head)?;
            validate_coupling(coupling, head, format, tensors)
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

fn validate_coupling(
    coupling: &Coupling,
    head: &PlanHead,
    format: NumberFormat,
    tensors: &[u8],
) -> Result<u32, PlanError> {
    let shape = coupling.view.shape();
    if !coupling.mask.fits(shape) {
        return Err(PlanError::Mask);
    }
    let changed = coupling.mask.changed_channels(coupling.view.channels()).1;
    let bounds = tensor(tensors, coupling.bounds, changed, format.sizes().bound)?;
    crate::engine::check_bounds(format, bounds)?;
    let linear = matches!(coupling.scale, PlannedScale::Linear);
    if format == NumberFormat::Q8 && !linear && head.scale_table == NO_TENSOR {
        return Err(PlanError::Tensor);
    }
    let need = check_buffers(&coupling.buffers)?;
    let (last, inner) = coupling.layers.split_last().ok_or(PlanError::Layer)?;
    if last.target.is_some() || inner.iter().any(|l| l.target.is_none()) {
        return Err(PlanError::Layer);
    }
    for (index, layer) in coupling.layers.iter().enumerate() {
        check_places(coupling, index, layer)?;
        check_sizes(coupling, layer)?;
        check_tensors(coupling, layer, head, format, tensors)?;
    }
    check_schedule(coupling)?;
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
            crate::engine::check_sums(format, weights, records, fan_in)
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
fn check_schedule(coupling: &Coupling) -> Result<(), PlanError> {
    let mut schedule = Schedule::new(coupling);
    loop {
        let before = schedule.clone();
        let Some(event) = schedule.next() else { break };
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
            let height = coupling
                .output_shape(reader)
                .map_or(0, |s| usize::from(s.height));
            let row = before.done(index);
            if row < height && lowest_needed(coupling, reader, row, target) <= overwritten {
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

/// Whether the rows a mask changes are all it can change; used by the engine to skip rows and pixels.
pub(crate) const fn changes_pixel(mask: &CouplingMask, view: View, y: usize, x: usize) -> bool {
    let shape = view.shape();
    let (first, _) = mask.changed_channels(shape.channels as usize);
    mask.is_changed(first, y, x, shape)
}
