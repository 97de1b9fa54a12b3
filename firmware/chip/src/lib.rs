//! What real chips share: the log by RTT, the panic handler that cannot link, and sleep.

#![no_std]

mod panic;
mod pico;
mod rtt;

#[cfg(target_arch = "arm")]
use cortex_m::asm::wfi;
use embedded_hal::digital::StatefulOutputPin;
use flowgate_app::{Board, Stop, gate, stack};
pub use flowgate_sensors as sensors;
use flowgate_sensors::Source;
use flowgate_stream::Answer;
pub use pico::within_patience;
#[cfg(target_arch = "riscv32")]
use riscv::asm::wfi;

/// Says how fast the core runs.
pub fn clock(hertz: u32) {
    defmt::info!("clock {} Hz", hertz);
}

/// Runs the gate on a chip whose decision pin is `pin`: on the compiled-in images of the committed model, then on what
/// `source` gives, for as long as it gives something. Then the chip sleeps, with a low pin where something failed.
pub fn gate(pin: impl StatefulOutputPin, source: impl Source) -> ! {
    stack::paint();
    let mut chip = Chip { pin, source };
    let ran = gate::run(&mut chip);
    defmt::info!("{}, stack {} bytes", ran.stop, stack::used_bytes());
    if ran.stop != Stop::End {
        // Whoever listens takes low for a rejection; a pin that cannot be driven leaves nobody to tell.
        let _ = chip.pin.set_low();
    }
    loop {
        wfi();
    }
}

/// A decision pin, and what gives inputs.
struct Chip<P, S> {
    pin: P,
    source: S,
}

impl<P: StatefulOutputPin, S: Source> Board for Chip<P, S> {
    type Pin = P;
    type Source = S;

    fn pin(&mut self) -> &mut P {
        &mut self.pin
    }

    fn source(&mut self) -> &mut S {
        &mut self.source
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), Stop> {
        defmt::info!("{}, score {}", answer.decision, answer.score_raw);
        Ok(())
    }
}
