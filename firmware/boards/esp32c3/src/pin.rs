//! GPIO8 as an output.
#![allow(unsafe_code)]

use core::convert::Infallible;
use embedded_hal::digital::{ErrorType, OutputPin, StatefulOutputPin};
use esp32c3::{GPIO, IO_MUX};

const NUMBER: usize = 8;
const MASK: u32 = 1 << NUMBER;
/// The pad's function that is the pin.
const FUNCTION_GPIO: u8 = 1;
/// What drives the pin: its bit of the register of outputs.
const SIGNAL_OUTPUT: u8 = 128;

/// The decision pin.
pub(crate) struct Pin(GPIO);

impl Pin {
    /// A low output.
    pub(crate) fn new(gpio: GPIO, pads: &IO_MUX) -> Self {
        // SAFETY: the manual's values (Technical Reference Manual, 5.4); only bits of this pin are written.
        unsafe {
            gpio.out_w1tc().write(|w| w.bits(MASK));
            gpio.func8_out_sel_cfg()
                .write(|w| w.out_sel().bits(SIGNAL_OUTPUT).oen_sel().set_bit());
            gpio.enable_w1ts().write(|w| w.bits(MASK));
            pads.gpio(NUMBER)
                .modify(|_, w| w.mcu_sel().bits(FUNCTION_GPIO));
        }
        Self(gpio)
    }
}

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        // SAFETY: of the bits that are written as ones; this one is the pin's own.
        self.0.out_w1tc().write(|w| unsafe { w.bits(MASK) });
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        // SAFETY: as above.
        self.0.out_w1ts().write(|w| unsafe { w.bits(MASK) });
        Ok(())
    }
}

impl StatefulOutputPin for Pin {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.out().read().bits() & MASK != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        self.is_set_high().map(|high| !high)
    }
}
