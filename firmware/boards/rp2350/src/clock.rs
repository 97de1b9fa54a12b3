//! 150 MHz by registers, from a Pico 2's crystal of 12 MHz.
//!
//! The HAL's clock setup can panic, and this firmware is linked with the proof that no panic path remains. The order is
//! that of the RP2350's datasheet (8.1, 8.2, 8.6).
#![allow(unsafe_code)]

flowgate_chip::pico_clock! {
    pac: rp235x_pac,
    divider: 5,
    full_hz: 150_000_000,
    ring_hz: 11_000_000,
}
