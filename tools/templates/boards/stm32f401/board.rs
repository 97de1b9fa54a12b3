//! An STM32F401 at 84 MHz: the decision is on PA8, what it says goes to the probe.

pub use cortex_m_rt::entry;

use core::fmt::Arguments;
use cortex_m::asm::wfi;
use panic_halt as _;
use rtt_target::{rprintln, rtt_init_print};
use stm32f4xx_hal::gpio::{GpioExt, Output, PA8};
use stm32f4xx_hal::pac::Peripherals;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;

/// The board.
pub struct Board {
    pin: PA8<Output>,
}

impl Board {
    /// The board, once.
    pub fn take() -> Self {
        rtt_init_print!();
        let Some(chip) = Peripherals::take() else { sleep() };
        let mut clocks = chip.RCC.freeze(Config::hsi().sysclk(84.MHz()));
        let port = chip.GPIOA.split(&mut clocks);
        Self { pin: port.pa8.into_push_pull_output() }
    }

    /// Drives the pin.
    pub fn show(&mut self, accepted: bool) {
        self.pin.set_state(accepted.into());
    }

    /// Says something to whoever listens.
    pub fn say(&mut self, what: Arguments<'_>) {
        rprintln!("{}", what);
    }

    /// Sleeps for ever.
    pub fn rest(self) -> ! {
        sleep()
    }

    /// Says why nothing can go on, and sleeps for ever.
    pub fn stop(self, why: Arguments<'_>) -> ! {
        rprintln!("{}", why);
        sleep()
    }
}

fn sleep() -> ! {
    loop {
        wfi();
    }
}
