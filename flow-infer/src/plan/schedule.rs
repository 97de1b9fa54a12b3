//! The order in which rows are computed.
//!
//! The deepest layer that can run runs: rows are consumed as early as possible, so rings stay short (three rows in
//! front of a 3x3 convolution). The rule is deterministic, so the host that sizes the rings, the loader that checks
//! them and the engine that runs them see the same order, and no schedule needs to be stored. Against whole
//! activation planes this keeps a conditioner of 16 channels at 28 x 28 within 24 KiB instead of 75.

use super::{Coupling, MAX_BUFFERS, MAX_LAYERS};

/// One row of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Index of the layer.
    pub layer: usize,
    /// Row of its output.
    pub row: usize,
}

/// Walks the rows of a coupling's conditioner in the order in which they are computed.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Rows finished, by layer, and the row before which each ends.
    done: [u16; MAX_LAYERS],
    end: [u16; MAX_LAYERS],
    /// The layer that writes a buffer.
    producer: [u8; MAX_BUFFERS],
    /// The layers that read a buffer, a bit each.
    readers: [u64; MAX_BUFFERS],
    /// The layers that may be ready, a bit each: one that was not stays so until a buffer that it reads gets a row. Asking
    /// no others saves four questions of five, each of a hundred instructions.
    may_be_ready: u64,
}

impl Schedule {
    /// No rows at all.
    pub const fn empty() -> Self {
        Self {
            done: [0; MAX_LAYERS],
            end: [0; MAX_LAYERS],
            producer: [u8::MAX; MAX_BUFFERS],
            readers: [0; MAX_BUFFERS],
            may_be_ready: 0,
        }
    }

    /// Nothing of a coupling computed yet.
    pub fn new(coupling: &Coupling) -> Self {
        let mut schedule = Self::empty();
        schedule.restart(coupling);
        schedule
    }

    /// Begins with a coupling, whatever was there before.
    pub fn restart(&mut self, coupling: &Coupling) {
        *self = Self::empty();
        for ((layer, index), end) in coupling.layers.iter().zip(0u8..).zip(&mut self.end) {
            *end = coupling.output_shape(layer).map_or(0, |s| s.height);
            self.may_be_ready |= bit(usize::from(index));
            for &read in coupling.reads(layer).iter().flatten() {
                if let Some(readers) = self.readers.get_mut(usize::from(read)) {
                    *readers |= bit(usize::from(index));
                }
            }
            let target = layer.target.map(usize::from);
            if let Some(slot) = target.and_then(|target| self.producer.get_mut(target)) {
                *slot = index;
            }
        }
    }

    /// Only what these rows of the last layer need, which writes no buffer.
    pub fn of_rows(coupling: &Coupling, rows: core::ops::Range<u16>) -> Self {
        let mut schedule = Self {
            done: [u16::MAX; MAX_LAYERS],
            end: [0; MAX_LAYERS],
            ..Self::new(coupling)
        };
        for (index, layer) in coupling.layers.iter().enumerate().rev() {
            if layer.target.is_none() {
                schedule.want(index, usize::from(rows.start), usize::from(rows.end));
            }
            let (first, end) = (schedule.done(index), schedule.end(index));
            for row in first..end {
                for need in coupling.needs(layer, row).iter().flatten() {
                    let producer = schedule.producer.get(usize::from(need.buffer));
                    let producer = producer.map_or(MAX_LAYERS, |&p| usize::from(p));
                    schedule.want(producer, need.first, need.last + 1);
                }
            }
        }
        for (done, end) in schedule.done.iter_mut().zip(&schedule.end) {
            *done = (*done).min(*end);
        }
        schedule
    }

    /// Widens a layer's rows to these.
    fn want(&mut self, layer: usize, first: usize, end: usize) {
        if let Some(done) = self.done.get_mut(layer) {
            *done = (*done).min(first as u16);
        }
        if let Some(slot) = self.end.get_mut(layer) {
            *slot = (*slot).max(end as u16);
        }
    }

    /// The row before which a layer ends.
    pub fn end(&self, layer: usize) -> usize {
        usize::from(self.end.get(layer).copied().unwrap_or(0))
    }

    /// Rows that a layer has finished, or that nobody needs.
    pub fn done(&self, layer: usize) -> usize {
        usize::from(self.done.get(layer).copied().unwrap_or(0))
    }

    /// Rows finished of a buffer.
    pub fn filled(&self, buffer: u8) -> usize {
        let producer = self.producer.get(usize::from(buffer));
        producer.map_or(0, |&layer| self.done(usize::from(layer)))
    }

    /// Whether every layer has finished every row.
    pub fn finished(&self) -> bool {
        (0..MAX_LAYERS).all(|layer| self.done(layer) >= self.end(layer))
    }

    fn ready(&self, coupling: &Coupling, index: usize) -> bool {
        let Some(layer) = coupling.layers.get(index) else {
            return false;
        };
        let row = self.done(index);
        let needs = coupling.needs(layer, row);
        row < self.end(index)
            && needs
                .iter()
                .flatten()
                .all(|n| self.filled(n.buffer) > n.last)
    }

    /// The next row of the coupling that the schedule was made for; it counts as finished from now on.
    pub fn next_row(&mut self, coupling: &Coupling) -> Option<Event> {
        let layer = loop {
            let deepest = self.may_be_ready.checked_ilog2()? as usize;
            if self.ready(coupling, deepest) {
                break deepest;
            }
            self.may_be_ready &= !bit(deepest);
        };
        let target = coupling.layers.get(layer).and_then(|l| l.target);
        let readers = target.and_then(|t| self.readers.get(usize::from(t)));
        self.may_be_ready |= readers.copied().unwrap_or(0);
        let done = self.done.get_mut(layer)?;
        let row = usize::from(*done);
        *done += 1;
        Some(Event { layer, row })
    }
}

/// The bit of a layer.
const fn bit(index: usize) -> u64 {
    const { assert!(MAX_LAYERS <= 64) };
    1u64.wrapping_shl(index as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Activation, Buffer, Layer, LayerKind, PlannedScale, Window};
    use crate::spec::{AffineForm, CouplingMask, Parity, Shape, View};

    /// Convolutions of strides, transposed ones, gates and residuals, each reading any layer before it.
    fn coupling(numbers: &mut impl FnMut(usize) -> usize) -> Coupling {
        let height = 3 + numbers(6) as u16;
        let mut coupling = Coupling {
            view: View::whole(Shape::new(1, height, 8)),
            mask: CouplingMask::Checkerboard { kept: Parity::Even },
            affine: AffineForm::ShiftThenScale,
            scale: PlannedScale::Tanh,
            bounds: 0,
            buffers: Default::default(),
            layers: Default::default(),
        };
        for index in 0..1 + numbers(8) {
            let mut earlier = || numbers(index.max(1)) as u8;
            let (source, gate, carry, residual) = (earlier(), earlier(), earlier(), earlier());
            let window = Window {
                height: 3,
                width: 3,
                stride: 1,
                pad: 1,
            };
            let kind = match numbers(4) {
                _ if index == 0 => LayerKind::Input { pair: false },
                0 => LayerKind::Map,
                1 => LayerKind::Gate { gate, carry },
                2 => LayerKind::ConvTransposed(window),
                _ => LayerKind::Conv(window),
            };
            let layer = Layer {
                kind,
                source,
                target: Some(index as u8),
                residual: (index > 0 && numbers(2) == 0).then_some(residual),
                activation: Activation::Relu,
                weights: 0,
                records: 0,
            };
            let buffer = Buffer {
                shape: Shape::new(4, height, 8),
                margin: 1,
                rows: height,
                offset: 0,
            };
            coupling.layers.push(layer).unwrap();
            coupling.buffers.push(buffer).unwrap();
        }
        coupling
    }

    #[test]
    fn the_deepest_layer_that_can_run_runs() {
        let mut state = 0x5EED_0003u32;
        let mut numbers = move |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % below
        };
        for trial in 0..500 {
            let coupling = coupling(&mut numbers);
            let mut schedule = Schedule::new(&coupling);
            loop {
                // The rule itself: every layer is asked.
                let rule = (0..coupling.layers.len())
                    .rev()
                    .find(|&i| schedule.ready(&coupling, i));
                let event = schedule.next_row(&coupling);
                assert_eq!(event.map(|event| event.layer), rule, "trial {trial}");
                if event.is_none() {
                    break;
                }
            }
            assert!(schedule.finished(), "trial {trial}");
        }
    }
}
