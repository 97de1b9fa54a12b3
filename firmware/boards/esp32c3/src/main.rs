//! The gate on an ESP32-C3 at 160 MHz; the decision is on GPIO8.

#![no_std]
#![no_main]

mod clock;
mod description;
mod pin;
mod watchdogs;

use esp32c3::{GPIO, IO_MUX, RTC_CNTL, SYSTEM, TIMG0, TIMG1};
use flowgate_chip::sensors::NoSource;
use pin::Pin;
use portable_atomic as _;
use riscv as _;

#[riscv_rt::entry]
#[allow(unsafe_code)]
fn main() -> ! {
    // SAFETY: this runs once, and nothing else in the program takes a peripheral.
    let (watchdogs, system, gpio, pads) = unsafe {
        let watchdogs = (RTC_CNTL::steal(), TIMG0::steal(), TIMG1::steal());
        (watchdogs, SYSTEM::steal(), GPIO::steal(), IO_MUX::steal())
    };
    watchdogs::stop(&watchdogs.0, &watchdogs.1, &watchdogs.2);
    flowgate_chip::clock(clock::full_speed(&system));
    flowgate_chip::gate(Pin::new(gpio, &pads), NoSource)
}
