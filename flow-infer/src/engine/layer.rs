//! One row of one layer, from the rings in front of it to its own ring, or into the coupling.

use super::arithmetic::Arithmetic;
use super::conv::{Channels, Convolution, Inputs, Sink};
use super::couple::{Context, CoupleRow};
use super::kept;
use super::observe::Observer;
use super::span::Span;
use crate::bytes::{checked, run, run_mut, tail};
use crate::plan::{Activation, Event, LANES, Layer, LayerKind, NO_TENSOR, lanes, parts};
use crate::spec::Columns;

/// What a row reads and changes.
pub(super) struct State<'s, A: Arithmetic> {
    pub(super) latents: &'s mut [A::Latent],
    pub(super) activations: &'s mut [A::Activation],
    pub(super) packed: &'s mut A::PackedWeights,
    pub(super) log_det: &'s mut A::LogDet,
}

/// Computes a row of a layer, or a part of it.
pub(super) fn run_row<A: Arithmetic>(
    context: &Context<'_>,
    event: Event,
    span: &mut Span,
    state: State<'_, A>,
    observer: &mut impl Observer<A>,
) {
    let State {
        latents,
        activations,
        packed,
        log_det,
    } = state;
    let coupling = context.coupling;
    let Some(layer) = checked(coupling.layers.get(event.layer)) else {
        return;
    };
    let Some(target) = layer.target else {
        let mut sink = CoupleRow::<A, _> {
            context,
            y: event.row,
            latents,
            log_det,
            observer,
        };
        return convolve::<A>(context, event, span, (activations, packed), &mut sink);
    };
    let Some(buffer) = checked(coupling.buffers.get(usize::from(target))) else {
        return;
    };
    // Loading has checked that everything a layer reads lies before its target.
    let start = (buffer.offset as usize).min(activations.len());
    let (before, own) = activations.split_at_mut(start);
    let ring_start = buffer.row_start(event.row).saturating_sub(start);
    let row = run_mut(own, ring_start, buffer.row_len());
    let mut sink = RowSink::<A> {
        pixel_len: buffer.pixel_len(),
        margin_len: usize::from(buffer.margin) * buffer.pixel_len(),
        residual: residual_row::<A>(context, layer, event.row, before),
        activation: layer.activation,
        row,
    };
    match layer.kind {
        LayerKind::Input { pair } => {
            kept::row::<A>(context, (layer, pair), event.row, latents, sink.pixels())
        }
        LayerKind::Map => map::<A>(context, layer, event.row, before, &mut sink),
        LayerKind::Gate { gate, carry } if parts::GLOW => {
            gate_row::<A>(
                context,
                layer,
                [layer.source, gate, carry],
                event.row,
                before,
                &mut sink,
            );
        }
        LayerKind::Conv(_) | LayerKind::ConvTransposed(_) => {
            convolve::<A>(context, event, span, (before, packed), &mut sink);
        }
        // Left out of this build, and refused when loaded.
        LayerKind::Gate { .. } => {}
    }
    if span.next() == 0 {
        observer.row(context.index, event.layer, event.row, sink.row);
    }
}

/// Writes into the target's row.
struct RowSink<'r, A: Arithmetic> {
    /// Elements of a pixel, and of the margin in front of the first one.
    pixel_len: usize,
    margin_len: usize,
    residual: &'r [A::Activation],
    activation: Activation,
    row: &'r mut [A::Activation],
}

impl<A: Arithmetic> Sink<A> for RowSink<'_, A> {
    fn columns(&self, width: usize) -> Columns {
        Columns::adjacent(0, width)
    }

    fn in_order(&self) -> bool {
        false
    }

    #[inline(always)]
    fn take(&mut self, inputs: &Inputs<'_, A>, packed: &mut A::PackedWeights) -> bool {
        if inputs.columns.stride() == 1 && self.take_at_once(inputs, packed) {
            return true;
        }
        if inputs.at_once_only {
            return false;
        }
        let emit = &mut |x, block, sums: &_, records: &_| self.emit(x, block, sums, records);
        inputs.tiles(false, emit);
        true
    }
}

impl<A: Arithmetic> RowSink<'_, A> {
    /// The row behind its margin, and the elements of a pixel.
    fn pixels(&mut self) -> (&mut [A::Activation], usize) {
        (
            self.row.get_mut(self.margin_len..).unwrap_or_default(),
            self.pixel_len,
        )
    }

    /// Has a kernel compute adjacent columns, if there is one for that.
    #[inline(always)]
    fn take_at_once(&mut self, inputs: &Inputs<'_, A>, packed: &mut A::PackedWeights) -> bool {
        let begin = inputs.columns.first() * self.pixel_len + inputs.channels.first * LANES;
        let target = self.row.get_mut(self.margin_len + begin..);
        let target = target.unwrap_or_default();
        let residual = match self.residual {
            [] => &[],
            all => all.get(begin..).unwrap_or(&[]),
        };
        A::row(&mut inputs.row(self.activation, residual, target), packed)
    }

    /// Writes four channels of a pixel.
    fn emit(&mut self, x: usize, block: usize, sums: &[A::Accumulator; LANES], records: &[u8]) {
        let place = x * self.pixel_len + block * LANES;
        // A residual's margins may differ from the target's, so it is cut to its pixels beforehand.
        let residual = self.residual.get(place..).and_then(|r| r.first_chunk());
        let target = self.row.get_mut(self.margin_len + place..);
        if let Some(target) = checked(target.and_then(|t| t.first_chunk_mut())) {
            let residual = residual.map(|&residual| A::placed(residual));
            let values = A::activations(sums, records, self.activation, residual.as_ref());
            *target = A::placed(values);
        }
    }
}

/// Row y of a buffer without its margins.
fn pixels<'a, A: Arithmetic>(
    context: &Context<'_>,
    id: u8,
    y: usize,
    activations: &'a [A::Activation],
) -> &'a [A::Activation] {
    let Some(buffer) = checked(context.coupling.buffers.get(usize::from(id))) else {
        return &[];
    };
    let pixel = buffer.pixel_len();
    let start = buffer.row_start(y) + usize::from(buffer.margin) * pixel;
    run(activations, start, usize::from(buffer.shape.width) * pixel)
}

fn residual_row<'a, A: Arithmetic>(
    context: &Context<'_>,
    layer: &Layer,
    y: usize,
    activations: &'a [A::Activation],
) -> &'a [A::Activation] {
    layer
        .residual
        .map_or(&[], |id| pixels::<A>(context, id, y, activations))
}

fn convolve<A: Arithmetic>(
    context: &Context<'_>,
    event: Event,
    span: &mut Span,
    (activations, packed): (&[A::Activation], &mut A::PackedWeights),
    sink: &mut impl Sink<A>,
) {
    let coupling = context.coupling;
    let Some(layer) = coupling.layers.get(event.layer) else {
        return;
    };
    let Some(source) = checked(coupling.buffers.get(usize::from(layer.source))) else {
        return;
    };
    let Some(output) = checked(coupling.output_shape(layer)) else {
        return;
    };
    let (LayerKind::Conv(window) | LayerKind::ConvTransposed(window)) = layer.kind else {
        return;
    };
    let fan_in = usize::from(window.height) * usize::from(window.width) * source.pixel_len();
    let convolution = Convolution::<A> {
        window,
        source,
        activations,
        channels: Channels {
            weights: tail(context.tensors, layer.weights),
            row_bytes: fan_in * A::FORMAT.sizes().weight,
            records: tail(context.tensors, layer.records),
            first: 0,
            blocks: lanes(usize::from(output.channels)) / LANES,
        },
        columns: usize::from(output.width),
    };
    let part = convolution.part(sink.columns(convolution.columns), span);
    match layer.kind {
        LayerKind::ConvTransposed(_) if parts::AUTOENCODER => {
            convolution.transposed_row(event.row, part, packed, sink)
        }
        _ => convolution.row(event.row, part, packed, sink),
    }
}

fn map<A: Arithmetic>(
    context: &Context<'_>,
    layer: &Layer,
    y: usize,
    activations: &[A::Activation],
    sink: &mut RowSink<'_, A>,
) {
    let source = pixels::<A>(context, layer.source, y, activations);
    let pixel = sink.pixel_len;
    let targets = run_mut(sink.row, sink.margin_len, source.len());
    let size = A::FORMAT.sizes().map;
    let records = (layer.records != NO_TENSOR).then(|| tail(context.tensors, layer.records));
    if records.is_none() && layer.activation == Activation::Relu {
        return A::relu(source, targets);
    }
    let mut place = 0;
    for (target, &a) in targets.iter_mut().zip(source) {
        let record = records.map(|r| run(r, A::place_of(place) * size, size));
        *target = A::map(a, record, layer.activation);
        place = if place + 1 == pixel { 0 } else { place + 1 };
    }
}

fn gate_row<A: Arithmetic>(
    context: &Context<'_>,
    layer: &Layer,
    [hidden, gate, carry]: [u8; 3],
    y: usize,
    activations: &[A::Activation],
    sink: &mut RowSink<'_, A>,
) {
    let table = context.table(context.head.sigmoid_table);
    let record = run(tail(context.tensors, layer.records), 0, 4);
    let source = |id| pixels::<A>(context, id, y, activations);
    let targets = run_mut(sink.row, sink.margin_len, source(hidden).len());
    let sources = source(hidden).iter().zip(source(gate)).zip(source(carry));
    for (target, ((&hidden, &gate), &carry)) in targets.iter_mut().zip(sources) {
        *target = A::gate(hidden, gate, carry, record, table);
    }
}
