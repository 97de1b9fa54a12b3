//! What real chips share: the log by RTT, the panic handler that cannot link, and sleep.

#![no_std]

mod panic;
mod rtt;

use cortex_m::asm;
use embedded_hal::digital::StatefulOutputPin;
use flowgate_app::{Board, Stop, gate, stack};
use flowgate_stream::Answer;

/// Says how fast the core runs.
pub fn clock(hertz: u32) {
    defmt::info!("clock {} Hz", hertz);
}

/// Runs the gate on a chip whose decision pin is `pin`, then sleeps.
pub fn gate(pin: impl StatefulOutputPin) -> ! {
    stack::paint();
    let ran = gate::run(&mut Chip { pin });
    defmt::info!("{}, stack {} bytes", ran.stop, stack::used_bytes());
    loop {
        asm::wfi();
    }
}

/// A chip with nothing attached but the decision pin.
struct Chip<P> {
    pin: P,
}

impl<P: StatefulOutputPin> Board for Chip<P> {
    type Pin = P;

    fn pin(&mut self) -> &mut P {
        &mut self.pin
    }

    /// The application's camera or sensor goes here; without one there is no further input.
    fn next(&mut self, _input: &mut [u8]) -> Result<(), Stop> {
        Err(Stop::End)
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), Stop> {
        defmt::info!("{}, score {}", answer.decision, answer.score_raw);
        Ok(())
    }
}
