//! A pin that exists only as a record of what was done to it.

use core::convert::Infallible;
use embedded_hal::digital::{ErrorType, OutputPin, StatefulOutputPin};

/// An output pin, low at reset, that counts its level changes.
pub(crate) struct RecordedPin {
    high: bool,
    changes: u32,
}

impl RecordedPin {
    /// A pin as it is after reset.
    pub(crate) const fn new() -> Self {
        Self {
            high: false,
            changes: 0,
        }
    }

    /// Level changes so far.
    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    fn drive(&mut self, high: bool) {
        self.changes = self.changes.wrapping_add(u32::from(self.high != high));
        self.high = high;
    }
}

impl ErrorType for RecordedPin {
    type Error = Infallible;
}

impl OutputPin for RecordedPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.drive(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.drive(true);
        Ok(())
    }
}

impl StatefulOutputPin for RecordedPin {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.high)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.high)
    }
}
