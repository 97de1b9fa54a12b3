//! The gate on an STM32F401; the decision is on PA8.

#![no_std]
#![no_main]

mod clock;

use flowgate_chip::sensors::NoSource;
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
    let hertz = clock::full_speed(&peripherals.RCC, &peripherals.FLASH);
    flowgate_chip::clock(hertz);
    let mut clocks = peripherals.RCC.constrain();
    let port = peripherals.GPIOA.split(&mut clocks);
    flowgate_chip::gate(port.pa8.into_push_pull_output(), NoSource)
}
