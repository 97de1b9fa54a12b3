//! The part's full speed, by registers: 168 MHz from its own oscillator of 16 MHz.
//!
//! The HAL's clock setup asserts its own arithmetic, and this firmware is linked with the proof that no panic path
//! remains. The numbers are those of the reference manual RM0090: 16 MHz / 8 * 168 / 2, flash with five wait states at
//! 2.7 V and more, and the slower buses at a quarter and a half of that. The voltage scale for it is the one after reset.
#![allow(unsafe_code)]

use stm32f4xx_hal::pac::{FLASH, RCC};

/// Polls before a clock that does not come is given up: some twenty times what the PLL takes to lock.
const PATIENCE: u32 = 50_000;

/// Makes the core run at full speed and returns its frequency; at reset's 16 MHz where the PLL does not lock.
pub(crate) fn full_speed(rcc: &RCC, flash: &FLASH) -> u32 {
    // Before the clock: flash must not be read faster than it is.
    flash.acr().modify(|_, w| {
        w.latency().ws5();
        w.prften().enabled().icen().enabled().dcen().enabled()
    });
    rcc.cfgr().modify(|_, w| w.ppre1().div4().ppre2().div2());
    rcc.pllcfgr().modify(|_, w| {
        // SAFETY: eight is in the range of the divider (2 to 63), 168 in that of the multiplier (192 MHz to 432 MHz at
        // 2 MHz a step), seven in that of the USB clock's divider (2 to 15), by the reference manual.
        unsafe {
            w.pllm().bits(8);
            w.plln().bits(168);
            w.pllq().bits(7);
        }
        w.pllsrc().hsi().pllp().div2()
    });
    rcc.cr().modify(|_, w| w.pllon().on());
    if !within_patience(|| rcc.cr().read().pllrdy().is_ready()) {
        return 16_000_000;
    }
    rcc.cfgr().modify(|_, w| w.sw().pll());
    match within_patience(|| rcc.cfgr().read().sws().is_pll()) {
        true => 168_000_000,
        false => 16_000_000,
    }
}

fn within_patience(ready: impl Fn() -> bool) -> bool {
    (0..PATIENCE).any(|_| ready())
}
