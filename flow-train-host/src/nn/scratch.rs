//! Maps that live only while one step is computed, lent again and again.
//!
//! Gradients of activations are needed for one layer at a time. Lending the same few maps to all
//! steps keeps them in the second-level cache; a set for each step would triple what a pass
//! touches.

use super::{Grid, Map};

/// Lends maps and takes them back.
#[derive(Default)]
pub(crate) struct Scratch(Vec<Map>);

impl Scratch {
    /// A map of this size with anything in it but a border of zeros.
    pub(crate) fn lend(&mut self, channels: usize, grid: Grid) -> Map {
        let fits = |m: &Map| m.channels() == channels && m.grid() == grid;
        match self.0.iter().rposition(fits) {
            Some(at) => self.0.swap_remove(at),
            None => Map::new(channels, grid),
        }
    }

    /// Takes a map back.
    pub(crate) fn give_back(&mut self, map: Map) {
        self.0.push(map);
    }
}
