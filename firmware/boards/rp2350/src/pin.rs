//! GPIO25 as an output.
#![allow(unsafe_code)]

use core::convert::Infallible;
use embedded_hal::digital::{ErrorType, OutputPin, StatefulOutputPin};
use flowgate_chip::within_patience;
use rp235x_pac::{IO_BANK0, PADS_BANK0, RESETS, SIO};

const NUMBER: usize = 25;
const MASK: u32 = 1 << NUMBER;

/// The decision pin.
pub(crate) struct Pin(SIO);

impl Pin {
    /// A low output; nothing where the pins do not come out of reset.
    pub(crate) fn new(
        sio: SIO,
        functions: &IO_BANK0,
        pads: &PADS_BANK0,
        resets: &RESETS,
    ) -> Option<Self> {
        resets
            .reset()
            .modify(|_, w| w.io_bank0().clear_bit().pads_bank0().clear_bit());
        let done = || resets.reset_done().read();
        if !within_patience(|| done().io_bank0().bit() && done().pads_bank0().bit()) {
            return None;
        }
        // SAFETY: of the bits that are written as ones; only this pin's is.
        unsafe {
            sio.gpio_out_clr().write(|w| w.bits(MASK));
            sio.gpio_oe_set().write(|w| w.bits(MASK));
        }
        functions
            .gpio(NUMBER)
            .gpio_ctrl()
            .modify(|_, w| w.funcsel().sio());
        // The pad is isolated until its function is chosen.
        pads.gpio(NUMBER)
            .modify(|_, w| w.od().clear_bit().iso().clear_bit());
        Some(Self(sio))
    }
}

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        // SAFETY: as in `new`.
        self.0.gpio_out_clr().write(|w| unsafe { w.bits(MASK) });
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        // SAFETY: as in `new`.
        self.0.gpio_out_set().write(|w| unsafe { w.bits(MASK) });
        Ok(())
    }
}

impl StatefulOutputPin for Pin {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.gpio_out().read().bits() & MASK != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        self.is_set_high().map(|high| !high)
    }
}
