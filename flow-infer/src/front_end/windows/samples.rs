//! One window, where it lies.

/// The samples of one window, in a ring or in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples<'s> {
    /// Two bytes a value, sample by sample.
    bytes: &'s [u8],
    channels: usize,
    len: usize,
    /// Slot of the oldest sample.
    start: usize,
}

impl<'s> Samples<'s> {
    /// The window in a ring whose oldest sample lies in slot `start`.
    pub(super) fn new([channels, len]: [usize; 2], bytes: &'s [u8], start: usize) -> Self {
        Self {
            bytes,
            channels,
            len,
            start,
        }
    }

    /// Sample `t` of a channel, counted from the oldest.
    #[inline]
    pub fn at(&self, channel: usize, t: usize) -> i32 {
        let slot = self.start + t;
        let slot = if slot < self.len {
            slot
        } else {
            slot - self.len
        };
        let place = 2 * (slot * self.channels + channel);
        let value = self.bytes.get(place..).and_then(|b| b.first_chunk());
        i16::from_le_bytes(value.copied().unwrap_or_default()).into()
    }

    /// The samples of a channel, oldest first.
    pub fn of_channel(self, channel: usize) -> impl Iterator<Item = i32> + 's {
        (0..self.len).map(move |t| self.at(channel, t))
    }
}
