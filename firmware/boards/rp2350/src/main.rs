//! The gate on an RP2350 at 150 MHz; the decision is on GPIO25, the LED of a Pico 2.

#![no_std]
#![no_main]

mod clock;
mod image;
mod pin;

use clock::Clock;
use cortex_m::asm::wfi;
use flowgate_chip::sensors::NoSource;
use pin::Pin;
use rp235x_pac::Peripherals;

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(chip) = Peripherals::take() else {
        loop {
            wfi();
        }
    };
    let clock = Clock {
        crystal: &chip.XOSC,
        clocks: &chip.CLOCKS,
        pll: &chip.PLL_SYS,
        resets: &chip.RESETS,
    };
    flowgate_chip::clock(clock.full_speed());
    match Pin::new(chip.SIO, &chip.IO_BANK0, &chip.PADS_BANK0, &chip.RESETS) {
        Some(pin) => flowgate_chip::gate(pin, NoSource),
        // Nothing could be shown.
        None => loop {
            wfi();
        },
    }
}
