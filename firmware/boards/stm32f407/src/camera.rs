//! An OV7670: its data on the camera interface, its registers on I2C1 (PB8, PB9), its clock of 16 MHz from PA8.
//!
//! The other pins are HREF PA4, PCLK PA6, VSYNC PB7, and D0 to D7 on PC6 to PC9, PE4, PB6, PE5 and PE6. Reset is to be
//! high and power-down low.

use crate::dcmi::Interface;
use crate::sccb::Bus;
use cortex_m::asm;
use embedded_hal::delay::DelayNs;
use flow_infer::FrameSpec;
use flowgate_chip::sensors::{DoubleBuffer, NoSource, Ov7670, Source, SourceError};
use static_cell::ConstStaticCell;
use stm32f4xx_hal::gpio::{Pull, Speed, gpioa, gpiob, gpioc, gpioe};
use stm32f4xx_hal::pac::{I2C1, RCC};

/// Looks at the interface, of some fifty cycles each, before a camera has failed: seconds, where a frame takes a tenth
/// of one.
const PATIENCE: u32 = 10_000_000;

static ROW: ConstStaticCell<[u8; Ov7670::ROW_BYTES]> = ConstStaticCell::new([0; Ov7670::ROW_BYTES]);

/// The camera, or nothing where none answers: the gate then ends as without one.
pub(crate) enum Camera {
    There(DoubleBuffer<'static, Interface>),
    Missing(NoSource),
}

/// Clocks of what the camera needs.
pub(crate) fn start_clocks(rcc: &RCC) {
    rcc.ahb1enr().modify(|_, w| w.dma2en().enabled());
    rcc.ahb2enr().modify(|_, w| w.dcmien().enabled());
    rcc.apb1enr().modify(|_, w| w.i2c1en().enabled());
}

/// Gives the camera its pins.
pub(crate) fn connect(a: gpioa::Parts, b: gpiob::Parts, c: gpioc::Parts, e: gpioe::Parts) {
    a.pa4.into_alternate::<13>();
    a.pa6.into_alternate::<13>();
    // The oscillator itself, as the chip hands it out after reset.
    a.pa8.into_alternate::<0>().set_speed(Speed::VeryHigh);
    b.pb6.into_alternate::<13>();
    b.pb7.into_alternate::<13>();
    b.pb8
        .into_alternate_open_drain::<4>()
        .set_internal_resistor(Pull::Up);
    b.pb9
        .into_alternate_open_drain::<4>()
        .set_internal_resistor(Pull::Up);
    c.pc6.into_alternate::<13>();
    c.pc7.into_alternate::<13>();
    c.pc8.into_alternate::<13>();
    c.pc9.into_alternate::<13>();
    e.pe4.into_alternate::<13>();
    e.pe5.into_alternate::<13>();
    e.pe6.into_alternate::<13>();
}

impl Camera {
    /// Looks for the camera and sets it up.
    pub(crate) fn find(bus: I2C1, interface: Interface, hertz: u32) -> Self {
        let found = Ov7670::new(&mut Bus::new(bus, hertz), &mut Cycles { hertz });
        match (found, ROW.try_take()) {
            (Ok(_), Some(row)) => DoubleBuffer::new(interface, row, Ov7670::FRAME, PATIENCE)
                .map_or(Self::Missing(NoSource), Self::There),
            _ => Self::Missing(NoSource),
        }
    }
}

impl Source for Camera {
    fn next_frame(&mut self) -> Result<FrameSpec, SourceError> {
        match self {
            Self::There(frames) => frames.next_frame(),
            Self::Missing(nothing) => nothing.next_frame(),
        }
    }

    fn row(&mut self) -> Result<[&[u8]; 3], SourceError> {
        match self {
            Self::There(frames) => frames.row(),
            Self::Missing(nothing) => nothing.row(),
        }
    }
}

/// Waits by counting cycles.
struct Cycles {
    hertz: u32,
}

impl DelayNs for Cycles {
    fn delay_ns(&mut self, ns: u32) {
        let cycles_per_us = self.hertz / 1_000_000;
        asm::delay(cycles_per_us.saturating_mul(ns.div_ceil(1000)));
    }
}
