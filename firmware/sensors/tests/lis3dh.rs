//! Samples of an LIS3DH out of its own memory, as the chip's registers answer.

mod lis3dh_chip;

use embedded_hal::i2c::ErrorKind;
use flowgate_sensors::{Lis3dhSamples, Source, SourceError};
use lis3dh::DataRate;
use lis3dh_chip::{Behaviour, OUT_X_L, driver, put_sample};
use std::collections::VecDeque;

const CTRL1: usize = 0x20;
const FIFO_CTRL: usize = 0x2e;
const FIFO_SRC: usize = 0x2f;
/// Samples in the chip's memory.
const ROOM: usize = 32;
const OVERRUN: u8 = 0x40;
const EMPTY: u8 = 0x20;

/// A memory that takes a sample whenever its state is asked for, and more at times.
struct Fifo {
    waiting: VecDeque<i16>,
    /// Samples that come from one question to the next; nothing answers behind the last.
    coming: VecDeque<usize>,
    come: i16,
}

impl Fifo {
    /// Lets time pass.
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
}

impl Behaviour for Fifo {
    fn answer(&mut self, register: usize, registers: &mut [u8; 64]) -> Result<(), ErrorKind> {
        match register {
            FIFO_SRC => registers[register] = self.state()?,
            OUT_X_L => put_sample(self.waiting.pop_front().expect("a sample waits"), registers),
            _ => {}
        }
        Ok(())
    }

    fn written(&mut self, register: usize, value: u8) {
        // 50 a second, and a memory that keeps the newest.
        assert!(register != CTRL1 || value >> 4 == 4 || self.come == 0);
        assert!(register != FIFO_CTRL || value >> 6 == 2);
    }
}

fn samples(coming: &[usize]) -> impl Source {
    let chip = driver(Fifo {
        waiting: VecDeque::new(),
        coming: coming.iter().copied().collect(),
        come: 0,
    });
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
