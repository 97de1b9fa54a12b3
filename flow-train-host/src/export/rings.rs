//! How many rows of each buffer must be there at a time.
//!
//! The schedule is run once without arithmetic; a ring is as long as the most rows that are between
//! the newest one written and the oldest one still needed.

use flow_infer::plan::{Buffer, Coupling, LayerKind, Schedule, lowest_needed};

/// Sets margins, ring lengths and places of a coupling's buffers; returns the activations it needs.
pub fn place(coupling: &mut Coupling) -> usize {
    set_margins(coupling);
    let rows = ring_rows(coupling);
    let mut offset = 0;
    for (buffer, rows) in coupling.buffers.iter_mut().zip(rows) {
        buffer.rows = rows;
        buffer.offset = offset as u32;
        offset += buffer.ring_len().unwrap_or(0);
    }
    offset
}

/// A buffer's margin is the widest padding of the convolutions that read it.
fn set_margins(coupling: &mut Coupling) {
    for layer in coupling.layers.clone() {
        if let (LayerKind::Conv(window), Some(buffer)) = (
            layer.kind,
            coupling.buffers.get_mut(usize::from(layer.source)),
        ) {
            buffer.margin = buffer.margin.max(window.pad);
        }
    }
}

fn ring_rows(coupling: &Coupling) -> Vec<u16> {
    let mut rows = vec![1; coupling.buffers.len()];
    let mut schedule = Schedule::new(coupling);
    loop {
        let before = schedule.clone();
        let Some(event) = schedule.next_row(coupling) else {
            break;
        };
        let Some(target) = coupling.layers[event.layer].target else {
            continue;
        };
        let readers = coupling
            .layers
            .iter()
            .enumerate()
            .filter_map(|(index, reader)| {
                let height = usize::from(coupling.output_shape(reader)?.height);
                let row = before.done(index);
                (row < height).then(|| lowest_needed(coupling, reader, row, target))
            });
        let oldest = readers.min().unwrap_or(event.row).min(event.row);
        let ring = &mut rows[usize::from(target)];
        *ring = (*ring).max((event.row - oldest + 1) as u16);
    }
    rows
}

/// A buffer of this shape without a place yet.
pub fn unplaced(shape: flow_infer::spec::Shape) -> Buffer {
    Buffer {
        shape,
        margin: 0,
        rows: shape.height,
        offset: 0,
    }
}

/// Activations of the layer-by-layer plan, for comparison: every buffer a whole plane, planes freed
/// after their last reader.
pub fn layer_by_layer(coupling: &Coupling) -> usize {
    let plane = |id: usize| {
        let buffer = &coupling.buffers[id];
        buffer.row_len() * usize::from(buffer.shape.height)
    };
    let mut most = 0;
    for (index, layer) in coupling.layers.iter().enumerate() {
        let written: Vec<usize> = coupling.layers[..=index]
            .iter()
            .filter_map(|l| l.target.map(usize::from))
            .collect();
        let live = written.into_iter().filter(|&id| {
            layer.target.map(usize::from) == Some(id)
                || coupling.layers[index..]
                    .iter()
                    .any(|l| coupling.reads(l).contains(&Some(id as u8)))
        });
        most = most.max(live.map(plane).sum());
    }
    most
}
