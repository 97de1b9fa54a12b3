//! The part's full speed, by registers: 160 MHz, a third of the PLL's 480 MHz.
//!
//! The bootloader leaves the PLL running and the core on a sixth of it (Technical Reference Manual, 6.2).
#![allow(unsafe_code)]

use esp32c3::SYSTEM;

/// The core's clock is a third of the PLL's.
const PERIOD_OF_160_MHZ: u8 = 1;
/// The system's clock is the PLL.
const PLL: u8 = 1;

/// Makes the core run at full speed and returns its frequency: the crystal's where no bootloader started the PLL.
pub(crate) fn full_speed(system: &SYSTEM) -> u32 {
    let on_pll = system.sysclk_conf().read().soc_clk_sel().bits() == PLL;
    let of_480_mhz = system.cpu_per_conf().read().pll_freq_sel().bit();
    if !(on_pll && of_480_mhz) {
        return 40_000_000;
    }
    // SAFETY: the manual's value for 160 MHz from 480 MHz, for which the bootloader has set the voltage.
    system
        .cpu_per_conf()
        .modify(|_, w| unsafe { w.cpuperiod_sel().bits(PERIOD_OF_160_MHZ) });
    160_000_000
}
