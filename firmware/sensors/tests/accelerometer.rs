//! A window of an LIS3DH, by its own driver over I2C, as the chip's registers answer.

mod lis3dh_chip;

use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
use embedded_hal_mock::eh1::delay::{CheckedDelay, NoopDelay, Transaction};
use flowgate_sensors::{Source, SourceError, Window};
use lis3dh_chip::{Behaviour, OUT_X_L, driver, put_sample};

/// A chip that moves a little with every sample that is read.
struct Moving {
    samples: i16,
    most_samples: i16,
}

impl Behaviour for Moving {
    fn answer(&mut self, register: usize, registers: &mut [u8; 64]) -> Result<(), ErrorKind> {
        if register != OUT_X_L {
            return Ok(());
        }
        if self.samples == self.most_samples {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data));
        }
        self.samples += 1;
        put_sample(self.samples, registers);
        Ok(())
    }
}

fn moving(most_samples: i16) -> Moving {
    Moving {
        samples: 0,
        most_samples,
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
    let chip = driver(moving(3));
    let delay = CheckedDelay::new(&[Transaction::delay_us(2500), Transaction::delay_us(2500)]);
    let mut window = Window::new(chip, delay.clone(), 2500);
    let mut input = [0; 24];
    window.next(&mut input).unwrap();
    assert_eq!(floats(&input), [1.0, -1.0, 100.0, 2.0, -2.0, 200.0]);
    delay.clone().done();
}

#[test]
fn what_is_no_whole_sample_is_no_input_of_it() {
    let chip = driver(moving(9));
    let mut window = Window::new(chip, NoopDelay::new(), 1);
    assert_eq!(window.next(&mut [0; 16]), Err(SourceError::OtherInput));
    assert_eq!(window.next(&mut [0; 13]), Err(SourceError::OtherInput));
    assert_eq!(window.next_frame().err(), Some(SourceError::OtherInput));
}

#[test]
fn a_chip_that_does_not_answer_is_an_error() {
    let chip = driver(moving(1));
    let mut window = Window::new(chip, NoopDelay::new(), 1);
    assert_eq!(window.next(&mut [0; 24]), Err(SourceError::Device));
}
