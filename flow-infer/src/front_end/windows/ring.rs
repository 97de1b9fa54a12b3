//! Samples as they come, until a window is due.

use super::samples::Samples;
use super::spec::Windows;

/// Where the next sample goes, and how many are missing. The samples lie in memory of the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// Slot of the next sample, which is that of the oldest.
    next: usize,
    /// Samples that have come since the beginning, no more than a window and the wait for the next.
    come: usize,
    /// Whether a window was due before: the next is due a hop later.
    running: bool,
}

impl Ring {
    /// A ring that no sample has come to.
    pub const fn new() -> Self {
        Self {
            next: 0,
            come: 0,
            running: false,
        }
    }

    /// Forgets all samples: some were lost, and a window has no gap.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Takes a sample, one value a channel, and says whether a window is due. The memory is always the same, and has the
    /// bytes of a window.
    pub fn push(&mut self, windows: &Windows<'_>, memory: &mut [u8], sample: &[i16]) -> bool {
        let place = 2 * self.next * windows.channels();
        let slot = memory.get_mut(place..).unwrap_or_default();
        let (values, _) = slot.as_chunks_mut();
        for (bytes, value) in values.iter_mut().zip(sample) {
            *bytes = value.to_le_bytes();
        }
        self.next += 1;
        if self.next >= windows.len() {
            self.next = 0;
        }
        self.come += 1;
        let due = match self.running {
            true => self.come >= windows.hop(),
            false => self.come >= windows.len(),
        };
        if due {
            (self.come, self.running) = (0, true);
        }
        due
    }

    /// The last samples, as many as a window has, of memory that [`Ring::push`] filled.
    pub fn window<'s>(&self, windows: &Windows<'_>, memory: &'s [u8]) -> Samples<'s> {
        Samples::new([windows.channels(), windows.len()], memory, self.next)
    }
}
