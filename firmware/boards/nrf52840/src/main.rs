//! The gate on an nRF52840; the decision is on P1.01 (D0 of the development kit).

#![no_std]
#![no_main]

#[cfg(feature = "lis3dh")]
mod accelerometer;

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
    let pin = port.p1_01.into_push_pull_output(Level::Low);
    #[cfg(not(feature = "lis3dh"))]
    let source = flowgate_chip::sensors::NoSource;
    #[cfg(feature = "lis3dh")]
    let source = {
        let Some(core) = cortex_m::Peripherals::take() else {
            loop {
                cortex_m::asm::wfi();
            }
        };
        accelerometer::Accelerometer::find(peripherals.P0, peripherals.TWIM0, core.SYST)
    };
    flowgate_chip::gate(pin, source)
}
