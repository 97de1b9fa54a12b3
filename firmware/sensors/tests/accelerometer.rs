//! A window of an LIS3DH, by its own driver over I2C, as the chip's registers answer.

use embedded_hal::i2c::{ErrorType, I2c, NoAcknowledgeSource, Operation};
use embedded_hal_mock::eh1::delay::{CheckedDelay, Transaction};
use flowgate_sensors::{Source, SourceError, Window};
use lis3dh::{Lis3dh, SlaveAddr};

const ADDRESS: u8 = 0x18;
const WHO_AM_I: usize = 0x0f;
const OUT_X_L: usize = 0x28;
/// Reading goes on with the next register.
const AUTO_INCREMENT: u8 = 0x80;

/// The registers of the chip, which moves a little with every sample that is read.
struct Chip {
    registers: [u8; 64],
    samples: i16,
    most_samples: i16,
}

impl Chip {
    fn new(most_samples: i16) -> Self {
        let mut registers = [0; 64];
        registers[WHO_AM_I] = 0x33;
        Self {
            registers,
            samples: 0,
            most_samples,
        }
    }

    /// Sample n: n, -n and 100 n.
    fn sample(&mut self) -> Result<(), embedded_hal::i2c::ErrorKind> {
        if self.samples == self.most_samples {
            return Err(embedded_hal::i2c::ErrorKind::NoAcknowledge(
                NoAcknowledgeSource::Data,
            ));
        }
        self.samples += 1;
        let n = self.samples;
        for (axis, value) in [n, -n, 100 * n].into_iter().enumerate() {
            let [low, high] = value.to_le_bytes();
            self.registers[OUT_X_L + 2 * axis] = low;
            self.registers[OUT_X_L + 2 * axis + 1] = high;
        }
        Ok(())
    }
}

impl ErrorType for Chip {
    type Error = embedded_hal::i2c::ErrorKind;
}

impl I2c for Chip {
    fn transaction(&mut self, address: u8, all: &mut [Operation<'_>]) -> Result<(), Self::Error> {
        assert_eq!(address, ADDRESS);
        let mut register = 0;
        for operation in all {
            match operation {
                Operation::Write(bytes) => {
                    register = usize::from(bytes[0] & !AUTO_INCREMENT);
                    if let Some(&value) = bytes.get(1) {
                        self.registers[register] = value;
                    }
                }
                Operation::Read(bytes) => {
                    if register == OUT_X_L {
                        self.sample()?;
                    }
                    let len = bytes.len();
                    bytes.copy_from_slice(&self.registers[register..register + len]);
                }
            }
        }
        Ok(())
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks();
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

#[test]
fn samples_follow_each_other_in_a_window() {
    let chip = Lis3dh::new_i2c(Chip::new(3), SlaveAddr::Default).unwrap();
    let delay = CheckedDelay::new(&[Transaction::delay_us(2500), Transaction::delay_us(2500)]);
    let mut window = Window::new(chip, delay.clone(), 2500);
    let mut input = [0; 24];
    window.next(&mut input).unwrap();
    assert_eq!(floats(&input), [1.0, -1.0, 100.0, 2.0, -2.0, 200.0]);
    delay.clone().done();
}

#[test]
fn what_is_no_whole_sample_is_no_input_of_it() {
    let chip = Lis3dh::new_i2c(Chip::new(9), SlaveAddr::Default).unwrap();
    let mut window = Window::new(chip, embedded_hal_mock::eh1::delay::NoopDelay::new(), 1);
    assert_eq!(window.next(&mut [0; 16]), Err(SourceError::OtherInput));
    assert_eq!(window.next(&mut [0; 13]), Err(SourceError::OtherInput));
    assert_eq!(window.next_frame().err(), Some(SourceError::OtherInput));
}

#[test]
fn a_chip_that_does_not_answer_is_an_error() {
    let chip = Lis3dh::new_i2c(Chip::new(1), SlaveAddr::Default).unwrap();
    let mut window = Window::new(chip, embedded_hal_mock::eh1::delay::NoopDelay::new(), 1);
    assert_eq!(window.next(&mut [0; 24]), Err(SourceError::Device));
}
