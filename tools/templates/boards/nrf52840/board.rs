//! An nRF52840 at 64 MHz: the decision is on P1.01, what it says goes to the probe.

pub use cortex_m_rt::entry;

use core::fmt::Arguments;
use cortex_m::asm::wfi;
use embedded_hal::digital::OutputPin;
use nrf52840_hal::gpio::p1::{P1_01, Parts};
use nrf52840_hal::gpio::{Level, Output, PushPull};
use nrf52840_hal::pac::Peripherals;
use panic_halt as _;
use rtt_target::{rprintln, rtt_init_print};

/// The board.
pub struct Board {
    pin: P1_01<Output<PushPull>>,
}

impl Board {
    /// The board, once.
    pub fn take() -> Self {
        rtt_init_print!();
        let Some(chip) = Peripherals::take() else { sleep() };
        let port = Parts::new(chip.P1);
        Self { pin: port.p1_01.into_push_pull_output(Level::Low) }
    }

    /// Drives the pin.
    pub fn show(&mut self, accepted: bool) {
        // This pin cannot fail.
        let _ = self.pin.set_state(accepted.into());
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
