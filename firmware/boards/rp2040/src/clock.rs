//! 125 MHz by registers, from a Pico's crystal of 12 MHz.
//!
//! The HAL's clock setup can panic, and this firmware is linked with the proof that no panic path remains. The order is
//! that of the RP2040's datasheet (2.15, 2.16, 2.18).
#![allow(unsafe_code)]

flowgate_chip::pico_clock! {
    pac: rp2040_hal::pac,
    divider: 6,
    full_hz: 125_000_000,
    ring_hz: 6_500_000,
}
