//! An ESP32-C3 at 160 MHz: the decision is on GPIO8, what it says goes to its USB or serial port.

pub use esp_hal::main as entry;

use core::fmt::Arguments;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Level, Output, OutputConfig};
use esp_println::println;
use panic_halt as _;

esp_bootloader_esp_idf::esp_app_desc!();

/// The board.
pub struct Board {
    pin: Output<'static>,
}

impl Board {
    /// The board, once.
    pub fn take() -> Self {
        let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        Self { pin: Output::new(chip.GPIO8, Level::Low, OutputConfig::default()) }
    }

    /// Drives the pin.
    pub fn show(&mut self, accepted: bool) {
        self.pin.set_level(accepted.into());
    }

    /// Says something to whoever listens.
    pub fn say(&mut self, what: Arguments<'_>) {
        println!("{what}");
    }

    /// Sleeps for ever.
    pub fn rest(self) -> ! {
        sleep()
    }

    /// Says why nothing can go on, and sleeps for ever.
    pub fn stop(self, why: Arguments<'_>) -> ! {
        println!("{why}");
        sleep()
    }
}

fn sleep() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
