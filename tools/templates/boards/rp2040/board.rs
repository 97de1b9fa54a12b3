//! An RP2040 at 125 MHz: the decision is on GPIO25 (the LED of a Pico), what it says goes to the probe.

pub use rp2040_hal::entry;

use core::fmt::Arguments;
use cortex_m::asm::wfi;
use embedded_hal::digital::OutputPin;
use panic_halt as _;
use rp2040_hal::clocks::init_clocks_and_plls;
use rp2040_hal::gpio::bank0::Gpio25;
use rp2040_hal::gpio::{FunctionSioOutput, Pin, Pins, PullDown};
use rp2040_hal::pac::Peripherals;
use rp2040_hal::{Sio, Watchdog};
use rtt_target::{rprintln, rtt_init_print};

/// Frequency of the crystal.
const CRYSTAL_HZ: u32 = 12_000_000;

/// The first 256 bytes of flash, which set up the rest of it.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT_LOADER: [u8; 256] = rp2040_boot2::BOOT_LOADER_GENERIC_03H;

/// The board.
pub struct Board {
    pin: Pin<Gpio25, FunctionSioOutput, PullDown>,
}

impl Board {
    /// The board, once.
    pub fn take() -> Self {
        rtt_init_print!();
        let Some(mut chip) = Peripherals::take() else { sleep() };
        let mut watchdog = Watchdog::new(chip.WATCHDOG);
        let clocks = init_clocks_and_plls(
            CRYSTAL_HZ,
            chip.XOSC,
            chip.CLOCKS,
            chip.PLL_SYS,
            chip.PLL_USB,
            &mut chip.RESETS,
            &mut watchdog,
        );
        if clocks.is_err() {
            rprintln!("no clock: the core stays slow");
        }
        let sio = Sio::new(chip.SIO);
        let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, sio.gpio_bank0, &mut chip.RESETS);
        Self { pin: pins.gpio25.into_push_pull_output() }
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
