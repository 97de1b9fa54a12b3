//! The gate on an RP2040 at 125 MHz; the decision is on GPIO25, the LED of a Pico.

#![no_std]
#![no_main]

mod clock;

use clock::Clock;
use cortex_m::asm::wfi;
use flowgate_chip::sensors::NoSource;
use portable_atomic as _;
use rp2040_hal::Sio;
use rp2040_hal::gpio::Pins;
use rp2040_hal::pac::Peripherals;

/// What the boot ROM runs first, from the beginning of flash: it makes the rest of flash readable.
#[allow(unsafe_code)]
// the name of a section
// SAFETY: memory.x has this section, in front of all others, and nothing else for it.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT_LOADER: [u8; 256] = rp2040_boot2::BOOT_LOADER_GENERIC_03H;

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(mut chip) = Peripherals::take() else {
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
    let sio = Sio::new(chip.SIO);
    let pins = Pins::new(
        chip.IO_BANK0,
        chip.PADS_BANK0,
        sio.gpio_bank0,
        &mut chip.RESETS,
    );
    flowgate_chip::gate(pins.gpio25.into_push_pull_output(), NoSource)
}
