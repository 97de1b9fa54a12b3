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
pub struct Schedule<'c> {
    coupling: &'c Coupling,
    /// Rows finished, by layer.
    done: [u16; MAX_LAYERS],
    /// The layer that writes a buffer.
    producer: [u8; MAX_BUFFERS],
}

impl<'c> Schedule<'c> {
    /// Nothing computed yet.
    pub fn new(coupling: &'c Coupling) -> Self {
        let mut producer = [u8::MAX; MAX_BUFFERS];
        for (layer, index) in coupling.layers.iter().zip(0u8..) {
            if let Some(slot) = layer.target.and_then(|t| producer.get_mut(usize::from(t))) {
                *slot = index;
            }
        }
        Self {
            coupling,
            done: [0; MAX_LAYERS],
            producer,
        }
    }

    /// Rows that a layer has finished.
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
        let mut layers = self.coupling.layers.iter().enumerate();
        layers.all(|(i, layer)| {
            let height = self.coupling.output_shape(layer).map_or(0, |s| s.height);
            self.done(i) >= usize::from(height)
        })
    }

    fn ready(&self, index: usize) -> bool {
        let Some(layer) = self.coupling.layers.get(index) else {
            return false;
        };
        let height = self.coupling.output_shape(layer).map_or(0, |s| s.height);
        let row = self.done(index);
        let needs = self.coupling.needs(layer, row);
        row < usize::from(height)
            && needs
                .iter()
                .flatten()
                .all(|n| self.filled(n.buffer) > n.last)
    }
}

impl Iterator for Schedule<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let layer = (0..self.coupling.layers.len())
            .rev()
            .find(|&i| self.ready(i))?;
        let done = self.done.get_mut(layer)?;
        let row = usize::from(*done);
        *done += 1;
        Some(Event { layer, row })
    }
}
