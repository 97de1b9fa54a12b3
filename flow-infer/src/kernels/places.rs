//! What lies where in the room for weights that a kernel has laid out in an order of its own.

use crate::plan::MAX_LAYERS;

/// A room of `ROOM` entries, of which the last `FREE` are left to layers that are not kept.
#[derive(Debug)]
pub(super) struct Places<const ROOM: usize, const FREE: usize> {
    /// Where the weights of each layer begin that is kept.
    begins: [Option<u16>; MAX_LAYERS],
    /// End of what is kept.
    end: usize,
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
    pub(super) const fn new() -> Self {
        const { assert!(FREE <= ROOM && ROOM <= u16::MAX as usize) };
        Self {
            begins: [None; MAX_LAYERS],
            end: 0,
        }
    }

    /// The place of a layer that takes so many entries.
    #[inline(always)]
    pub(super) fn of(&mut self, layer: usize, entries: usize) -> Place {
        let begin = self.end;
        match self.begins.get_mut(layer) {
            Some(Some(begin)) => Place::Kept(usize::from(*begin)),
            Some(slot) if entries <= ROOM - FREE - begin => {
                *slot = Some(begin as u16);
                self.end = begin + entries;
                Place::New(begin)
            }
            _ => Place::Passing(begin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_never_reaches_what_is_free() {
        let mut places = Places::<100, 30>::new();
        assert_eq!(places.of(3, 50), Place::New(0));
        assert_eq!(places.of(0, 21), Place::Passing(50));
        assert_eq!(places.of(0, 20), Place::New(50));
        assert_eq!(places.of(3, 50), Place::Kept(0));
        assert_eq!(places.of(1, 1), Place::Passing(70));
        assert_eq!(places.of(MAX_LAYERS, 0), Place::Passing(70));
        assert_eq!(places.of(0, 20), Place::Kept(50));
    }
}
