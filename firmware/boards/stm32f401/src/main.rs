//! The gate on an STM32F401; the decision is on PA8.
//!
//! The core stays at its reset clock of 16 MHz. The clock setup of the HAL asserts its own
//! arithmetic, and this firmware is linked with the proof that no panic path remains; a product
//! that needs the full 84 MHz writes the PLL's registers itself.

#![no_std]
#![no_main]

use stm32f4xx_hal::gpio::GpioExt;
use stm32f4xx_hal::pac::Peripherals;
use stm32f4xx_hal::rcc::RccExt;

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else {
        loop {
            cortex_m::asm::wfi();
        }
    };
    let mut clocks = peripherals.RCC.constrain();
    let port = peripherals.GPIOA.split(&mut clocks);
    flowgate_chip::gate(port.pa8.into_push_pull_output())
}
