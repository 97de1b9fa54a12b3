//! QEMU's mps2-an386, a Cortex-M4: what it says goes to the terminal, and its pin is a line there.

pub use cortex_m_rt::entry;

use core::fmt::Arguments;
use cortex_m as _;
use semihosting::{eprintln, println, process};

/// The board.
pub struct Board(());

impl Board {
    /// The board, once.
    pub fn take() -> Self {
        Self(())
    }

    /// Drives the pin.
    pub fn show(&mut self, accepted: bool) {
        println!("pin {}", if accepted { "high" } else { "low" });
    }

    /// Says something to whoever listens.
    pub fn say(&mut self, what: Arguments<'_>) {
        println!("{what}");
    }

    /// Ends the emulation.
    pub fn rest(self) -> ! {
        process::exit(0)
    }

    /// Says why nothing can go on, and ends the emulation.
    pub fn stop(self, why: Arguments<'_>) -> ! {
        eprintln!("{why}");
        process::exit(1)
    }
}
