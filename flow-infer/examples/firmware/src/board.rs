//! What this board offers: two converter channels, and a pin with an LED.

use stm32f4xx_hal::adc::Adc;
use stm32f4xx_hal::adc::config::{AdcConfig, SampleTime};
use stm32f4xx_hal::gpio::{Analog, GpioExt, Output, PA0, PA1, PC13};
use stm32f4xx_hal::pac::{ADC1, Peripherals};
use stm32f4xx_hal::rcc::RccExt;

/// An STM32F401 with sensors of pressure and flow on PA0 and PA1.
pub struct Board {
    converter: Adc<ADC1>,
    pressure: PA0<Analog>,
    flow: PA1<Analog>,
    /// The decision.
    pub pin: PC13<Output>,
}

impl Board {
    /// The board, once.
    pub fn take() -> Option<Self> {
        let chip = Peripherals::take()?;
        let mut clocks = chip.RCC.constrain();
        let (a, c) = (chip.GPIOA.split(&mut clocks), chip.GPIOC.split(&mut clocks));
        Some(Self {
            converter: Adc::new(chip.ADC1, true, AdcConfig::default(), &mut clocks),
            pressure: a.pa0.into_analog(),
            flow: a.pa1.into_analog(),
            pin: c.pc13.into_push_pull_output(),
        })
    }

    /// Both sensors now; a converter of twelve bits never leaves `i16`.
    pub fn measure(&mut self) -> [i16; 2] {
        let pressure = self.converter.convert(&self.pressure, SampleTime::Cycles_480);
        let flow = self.converter.convert(&self.flow, SampleTime::Cycles_480);
        [pressure as i16, flow as i16]
    }
}
