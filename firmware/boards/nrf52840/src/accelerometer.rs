//! An LIS3DH on P0.26 (SDA) and P0.27 (SCL): of a model of windows its samples one by one, 50 a second; of a model of
//! vectors stretches of them, 400 a second.

use embedded_hal::i2c::{ErrorType, I2c, Operation};
#[cfg(feature = "windows")]
use flowgate_chip::sensors::Lis3dhSamples;
#[cfg(not(feature = "windows"))]
use flowgate_chip::sensors::Window;
use flowgate_chip::sensors::{NoSource, Source, SourceError};
#[cfg(feature = "windows")]
use lis3dh::DataRate;
use lis3dh::{Lis3dh, Lis3dhI2C, SlaveAddr};
#[cfg(not(feature = "windows"))]
use nrf52840_hal::Delay;
use nrf52840_hal::gpio::p0;
use nrf52840_hal::pac::{P0, SYST, TWIM0};
use nrf52840_hal::twim::{self, Frequency, Pins, Twim};

/// Between two samples.
#[cfg(not(feature = "windows"))]
const INTERVAL_US: u32 = 2500;
/// As many as the recordings have that the model was made of.
#[cfg(feature = "windows")]
const RATE: DataRate = DataRate::Hz_50;

type Chip = Lis3dh<Lis3dhI2C<Bus>>;
#[cfg(feature = "windows")]
type Samples = Lis3dhSamples<Lis3dhI2C<Bus>>;
#[cfg(not(feature = "windows"))]
type Samples = Window<Chip, Delay>;

/// The bus without the HAL's general transaction, which can panic: what a sensor's registers take.
pub(crate) struct Bus(Twim<TWIM0>);

impl ErrorType for Bus {
    type Error = twim::Error;
}

impl I2c for Bus {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), twim::Error> {
        match operations {
            [Operation::Write(bytes)] => self.0.write(address, bytes),
            [Operation::Read(bytes)] => self.0.read(address, bytes),
            [Operation::Write(out), Operation::Read(bytes)] => {
                self.0.write_then_read(address, out, bytes)
            }
            _ => Err(twim::Error::Transmit),
        }
    }
}

/// The sensor, or nothing where none answers: the gate then ends as without one.
pub(crate) enum Accelerometer {
    There(Samples),
    Missing(NoSource),
}

impl Accelerometer {
    /// Looks for the sensor.
    pub(crate) fn find(port: P0, bus: TWIM0, timer: SYST) -> Self {
        let port = p0::Parts::new(port);
        let pins = Pins {
            sda: port.p0_26.into_floating_input().degrade(),
            scl: port.p0_27.into_floating_input().degrade(),
        };
        let bus = Bus(Twim::new(bus, pins, Frequency::K400));
        let chip = Lis3dh::new_i2c(bus, SlaveAddr::Default).ok();
        let samples = chip.and_then(|chip| samples(chip, timer));
        samples.map_or(Self::Missing(NoSource), Self::There)
    }
}

#[cfg(feature = "windows")]
fn samples(chip: Chip, _: SYST) -> Option<Samples> {
    Lis3dhSamples::new(chip, RATE).ok()
}

#[cfg(not(feature = "windows"))]
fn samples(chip: Chip, timer: SYST) -> Option<Samples> {
    Some(Window::new(chip, Delay::new(timer), INTERVAL_US))
}

impl Source for Accelerometer {
    fn next(&mut self, input: &mut [u8]) -> Result<(), SourceError> {
        match self {
            Self::There(samples) => samples.next(input),
            Self::Missing(nothing) => nothing.next(input),
        }
    }

    fn sample(&mut self, values: &mut [i16]) -> Result<(), SourceError> {
        match self {
            Self::There(samples) => samples.sample(values),
            Self::Missing(nothing) => nothing.sample(values),
        }
    }
}
