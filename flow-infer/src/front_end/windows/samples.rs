//! One window, where it lies.

/// The samples of one window, in a ring or in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples<'s> {
    /// Sample by sample.
    values: &'s [[u8; 2]],
    channels: usize,
    len: usize,
    /// Slot of the oldest sample.
    start: usize,
}

impl<'s> Samples<'s> {
    /// The window in a ring whose oldest sample lies in slot `start`.
    pub(super) fn new([channels, len]: [usize; 2], bytes: &'s [u8], start: usize) -> Self {
        Self {
            values: bytes.as_chunks().0,
            channels,
            len,
            start,
        }
    }

    /// Sample `t` of a channel, counted from the oldest.
    #[inline]
    pub fn at(&self, channel: usize, t: usize) -> i32 {
        self.from(channel, t).now()
    }

    /// The samples of a channel, oldest first.
    pub fn of_channel(self, channel: usize) -> impl Iterator<Item = i32> + 's {
        self.from(channel, 0).take(self.len)
    }

    /// The samples of a channel from `t` on, and again from the oldest.
    #[inline]
    pub(super) fn from(&self, channel: usize, t: usize) -> Walk<'s> {
        let slot = self.start + t;
        let slot = if slot < self.len {
            slot
        } else {
            slot - self.len
        };
        Walk {
            values: self.values,
            place: slot * self.channels + channel,
            step: self.channels,
            end: self.channels * self.len,
        }
    }
}

/// Samples of a channel one after the other, round the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'s> {
    values: &'s [[u8; 2]],
    place: usize,
    step: usize,
    end: usize,
}

impl Walk<'_> {
    /// The same, backwards in time.
    #[inline]
    pub(super) fn backwards(self) -> Self {
        Self {
            step: self.end - self.step,
            ..self
        }
    }

    #[inline(always)]
    fn now(&self) -> i32 {
        let value = self.values.get(self.place);
        i16::from_le_bytes(value.copied().unwrap_or_default()).into()
    }
}

impl Iterator for Walk<'_> {
    type Item = i32;

    #[inline(always)]
    fn next(&mut self) -> Option<i32> {
        let now = self.now();
        self.place += self.step;
        if self.place >= self.end {
            self.place -= self.end;
        }
        Some(now)
    }
}
