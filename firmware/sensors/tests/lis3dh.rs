//! Samples of an LIS3DH out of its own memory, as the chip's registers answer.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use flowgate_sensors::{Lis3dhSamples, Source, SourceError};
use lis3dh::{DataRate, Lis3dh, SlaveAddr};
use std::collections::VecDeque;

const WHO_AM_I: usize = 0x0f;
const CTRL1: usize = 0x20;
const OUT_X_L: usize = 0x28;
const FIFO_CTRL: usize = 0x2e;
const FIFO_SRC: usize = 0x2f;
/// Reading goes on with the next register.
const AUTO_INCREMENT: u8 = 0x80;
/// Samples in the chip's memory.
const ROOM: usize = 32;
const OVERRUN: u8 = 0x40;
const EMPTY: u8 = 0x20;

/// The registers of the chip, whose memory takes a sample whenever its state is asked for, and more at times.
struct Chip {
    registers: [u8; 64],
    waiting: VecDeque<i16>,
    /// Samples that come from one question to the next; nothing answers behind the last.
    coming: VecDeque<usize>,
    come: i16,
}

impl Chip {
    fn new(coming: &[usize]) -> Self {
        let mut registers = [0; 64];
        registers[WHO_AM_I] = 0x33;
        Self {
            registers,
            waiting: VecDeque::new(),
            coming: coming.iter().copied().collect(),
            come: 0,
        }
    }

    /// Lets time pass; sample n is n, -n and 100 n.
    fn state(&mut self) -> Result<u8, ErrorKind> {
        for _ in 0..self.coming.pop_front().ok_or(ErrorKind::Bus)? {
            self.come += 1;
            self.waiting.push_back(self.come);
            while self.waiting.len() > ROOM {
                self.waiting.pop_front();
            }
        }
        Ok(match self.waiting.len() {
            0 => EMPTY,
            ROOM => OVERRUN | (ROOM - 1) as u8,
            waiting => waiting as u8,
        })
    }

    fn read(&mut self, register: usize, bytes: &mut [u8]) -> Result<(), ErrorKind> {
        if register == FIFO_SRC {
            self.registers[register] = self.state()?;
        }
        if register == OUT_X_L {
            let n = self.waiting.pop_front().expect("a sample waits");
            let values = [n, -n, 100 * n].map(i16::to_le_bytes).concat();
            self.registers[OUT_X_L..OUT_X_L + 6].copy_from_slice(&values);
        }
        bytes.copy_from_slice(&self.registers[register..register + bytes.len()]);
        Ok(())
    }
}

impl ErrorType for Chip {
    type Error = ErrorKind;
}

impl I2c for Chip {
    fn transaction(&mut self, _: u8, all: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let mut register = 0;
        for operation in all {
            match operation {
                Operation::Write(bytes) => {
                    register = usize::from(bytes[0] & !AUTO_INCREMENT);
                    if let Some(&value) = bytes.get(1) {
                        self.registers[register] = value;
                        // 50 a second, and a memory that keeps the newest.
                        assert!(register != CTRL1 || value >> 4 == 4 || self.come == 0);
                        assert!(register != FIFO_CTRL || value >> 6 == 2);
                    }
                }
                Operation::Read(bytes) => self.read(register, bytes)?,
            }
        }
        Ok(())
    }
}

fn samples(coming: &[usize]) -> impl Source {
    let chip = Lis3dh::new_i2c(Chip::new(coming), SlaveAddr::Default).unwrap();
    Lis3dhSamples::new(chip, DataRate::Hz_50).unwrap()
}

#[test]
fn samples_come_in_order_however_late_they_are_fetched() {
    let mut samples = samples(&[0, 0, 3, 0, 0, 1]);
    let mut values = [0; 3];
    for n in 1..=4 {
        samples.sample(&mut values).unwrap();
        assert_eq!(values, [n, -n, 100 * n]);
    }
    assert_eq!(samples.sample(&mut values), Err(SourceError::Device));
}

#[test]
fn lost_samples_are_told_of_once() {
    let mut samples = samples(&[1, 40, 0, 0]);
    let mut values = [0; 2];
    samples.sample(&mut values).unwrap();
    assert_eq!(samples.sample(&mut values), Err(SourceError::SamplesLost));
    for n in 10..=11 {
        samples.sample(&mut values).unwrap();
        assert_eq!(values, [n, -n], "the oldest of 32");
    }
}

#[test]
fn there_are_three_axes() {
    let mut samples = samples(&[1]);
    assert_eq!(samples.sample(&mut [0; 4]), Err(SourceError::OtherInput));
    assert_eq!(samples.next(&mut [0; 12]), Err(SourceError::OtherInput));
}
