//! The gate on an STM32F407 at 168 MHz; the decision is on PD12, the green LED of a Discovery.

#![no_std]
#![no_main]

#[cfg(feature = "ov7670")]
mod camera;
mod clock;
#[cfg(feature = "ov7670")]
mod dcmi;
#[cfg(feature = "ov7670")]
mod sccb;

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
    #[cfg(feature = "ov7670")]
    camera::start_clocks(&peripherals.RCC);
    let mut clocks = peripherals.RCC.constrain();
    #[cfg(not(feature = "ov7670"))]
    let source = flowgate_chip::sensors::NoSource;
    #[cfg(feature = "ov7670")]
    let source = {
        camera::connect(
            peripherals.GPIOA.split(&mut clocks),
            peripherals.GPIOB.split(&mut clocks),
            peripherals.GPIOC.split(&mut clocks),
            peripherals.GPIOE.split(&mut clocks),
        );
        let interface = dcmi::Interface::new(peripherals.DCMI, peripherals.DMA2);
        camera::Camera::find(peripherals.I2C1, interface, hertz)
    };
    let port = peripherals.GPIOD.split(&mut clocks);
    flowgate_chip::gate(port.pd12.into_push_pull_output(), source)
}
