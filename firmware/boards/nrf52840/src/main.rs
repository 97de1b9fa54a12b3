//! The gate on an nRF52840; the decision is on P1.01 (D0 of the development kit).

#![no_std]
#![no_main]

use nrf52840_hal::gpio::{Level, p1};
use nrf52840_hal::pac::Peripherals;

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else {
        loop {
            cortex_m::asm::wfi();
        }
    };
    let port = p1::Parts::new(peripherals.P1);
    flowgate_chip::gate(port.p1_01.into_push_pull_output(Level::Low))
}
