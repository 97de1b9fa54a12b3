//! What lies where in the room for weights that a kernel has laid out in an order of its own.

use super::row::Row;
use crate::plan::MAX_LAYERS;
use heapless::Vec;

/// A room of `ROOM` entries, of which the last `FREE` are left to layers that are not kept.
#[derive(Debug)]
pub(super) struct Places<const ROOM: usize, const FREE: usize> {
    /// The layers that are kept, in the order in which they lie there.
    kept: Vec<Kept, MAX_LAYERS>,
    /// End of what is kept.
    end: usize,
}

#[derive(Debug)]
struct Kept {
    source: Source,
    begin: usize,
}

/// What laid out weights were made from: these bytes, in rows of this length, for so many channels.
///
/// This is all that their order depends on, so weights that are found again by it are the right ones, as long as the
/// bytes are: what is kept lives no longer than a walk through a coupling, during which its model is borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    address: usize,
    len: usize,
    row_bytes: usize,
    blocks: usize,
    /// The window's runs, where pixels come in reverse order in them.
    mirrored: Option<(usize, usize)>,
}

impl Source {
    #[inline(always)]
    pub(super) fn of<T>(row: &Row<'_, T>) -> Self {
        Self {
            address: row.weights.as_ptr().addr(),
            len: row.weights.len(),
            row_bytes: row.row_bytes,
            blocks: row.blocks,
            mirrored: row.mirrored.map(|pixel| (row.window.run_len(), pixel)),
        }
    }
}

/// Where a layer's weights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// They are there.
    Kept(usize),
    /// They are to be laid out here, for all rows.
    New(usize),
    /// There is no room for them: each group of channels is laid out here when its turn comes.
    Passing(usize),
}

impl<const ROOM: usize, const FREE: usize> Places<ROOM, FREE> {
    #[inline(always)]
    pub(super) const fn new() -> Self {
        const { assert!(FREE <= ROOM) };
        Self {
            kept: Vec::new(),
            end: 0,
        }
    }

    fn find(&self, source: &Source) -> Option<usize> {
        let found = self.kept.iter().find(|kept| kept.source == *source);
        found.map(|kept| kept.begin)
    }

    fn has_room(&self, entries: usize) -> bool {
        entries <= ROOM - FREE - self.end
    }

    /// Whether these weights are kept, or would be.
    #[cfg(kernel = "x86_64")] // where some layers need no place
    #[inline]
    pub(super) fn takes(&self, source: &Source, entries: usize) -> bool {
        self.has_room(entries) || self.find(source).is_some()
    }

    /// The place of weights that take so many entries.
    #[inline(always)]
    pub(super) fn of(&mut self, source: Source, entries: usize) -> Place {
        if let Some(begin) = self.find(&source) {
            return Place::Kept(begin);
        }
        let begin = self.end;
        if self.has_room(entries) && self.kept.push(Kept { source, begin }).is_ok() {
            self.end = begin + entries;
            Place::New(begin)
        } else {
            Place::Passing(begin)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of so many blocks at this address.
    fn source(address: usize, blocks: usize) -> Source {
        Source {
            address,
            len: 1000,
            row_bytes: 16,
            blocks,
            mirrored: None,
        }
    }

    #[test]
    fn what_is_kept_never_reaches_what_is_free() {
        let mut places = Places::<100, 30>::new();
        assert_eq!(places.of(source(3, 1), 50), Place::New(0));
        assert_eq!(places.of(source(0, 1), 21), Place::Passing(50));
        assert_eq!(places.of(source(0, 1), 20), Place::New(50));
        assert_eq!(places.of(source(3, 1), 50), Place::Kept(0));
        assert_eq!(places.of(source(1, 1), 1), Place::Passing(70));
        assert_eq!(places.of(source(0, 1), 20), Place::Kept(50));
    }

    #[test]
    fn no_more_layers_are_kept_than_a_coupling_has() {
        let mut places = Places::<100, 30>::new();
        for layer in 0..MAX_LAYERS {
            assert_eq!(places.of(source(layer, 1), 1), Place::New(layer));
        }
        let end = Place::Passing(MAX_LAYERS);
        assert_eq!(places.of(source(MAX_LAYERS, 1), 1), end);
    }

    #[test]
    fn another_shape_is_another_place() {
        let mut places = Places::<100, 30>::new();
        assert_eq!(places.of(source(0, 1), 10), Place::New(0));
        assert_eq!(places.of(source(0, 2), 20), Place::New(10));
        let other_rows = Source {
            row_bytes: 8,
            ..source(0, 1)
        };
        assert_eq!(places.of(other_rows, 5), Place::New(30));
        let other_end = Source {
            len: 999,
            ..source(0, 1)
        };
        assert_eq!(places.of(other_end, 10), Place::New(35));
        let mirrored = Source {
            mirrored: Some((8, 4)),
            ..source(0, 1)
        };
        assert_eq!(places.of(mirrored, 10), Place::New(45));
        assert_eq!(places.of(source(0, 1), 10), Place::Kept(0));
    }
}
