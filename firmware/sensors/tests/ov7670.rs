//! The set-up of an OV7670, as its registers see it.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use embedded_hal_mock::eh1::delay::{CheckedDelay, Transaction};
use flowgate_sensors::{Ov7670, Ov7670Error};

const ADDRESS: u8 = 0x21;
const COM7: usize = 0x12;

/// A chip whose bus knows one operation between start and stop.
struct Chip {
    registers: [u8; 256],
    chosen: usize,
    resets: usize,
    there: bool,
}

impl Chip {
    fn new(product: u8) -> Self {
        let mut registers = [0; 256];
        registers[0x0A] = product;
        Self {
            registers,
            chosen: 0,
            resets: 0,
            there: true,
        }
    }
}

impl ErrorType for Chip {
    type Error = ErrorKind;
}

impl I2c for Chip {
    fn transaction(&mut self, address: u8, all: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        if !self.there || address != ADDRESS {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        match all {
            [Operation::Write([register])] => self.chosen = usize::from(*register),
            [Operation::Write([register, value])] => {
                self.registers[usize::from(*register)] = *value;
                if usize::from(*register) == COM7 && value & 0x80 != 0 {
                    self.registers[0x10..].fill(0);
                    self.resets += 1;
                }
            }
            [Operation::Read([value])] => *value = self.registers[self.chosen],
            other => panic!("no operation of SCCB: {other:?}"),
        }
        Ok(())
    }
}

#[test]
fn the_camera_is_reset_and_sends_qvga_in_yuyv() {
    let mut chip = Chip::new(0x76);
    let mut delay = CheckedDelay::new(&[Transaction::delay_ms(2), Transaction::delay_ms(300)]);
    Ov7670::new(&mut chip, &mut delay).unwrap();
    delay.done();
    assert_eq!(chip.resets, 1);
    let of = |register: usize| u32::from(chip.registers[register]);
    // QVGA, and neither RGB nor raw.
    assert_eq!(of(COM7) & 0x15, 0x10);
    // The window, as the datasheet puts it together: of 784 columns from the start to the stop, of rows likewise.
    let (start, stop) = (
        of(0x17) << 3 | of(0x32) & 7,
        of(0x18) << 3 | of(0x32) >> 3 & 7,
    );
    assert_eq!((784 + stop - start) / 2, u32::from(Ov7670::FRAME.width));
    let (start, stop) = (
        of(0x19) << 2 | of(0x03) & 3,
        of(0x1A) << 2 | of(0x03) >> 2 & 3,
    );
    assert_eq!((stop - start) / 2, u32::from(Ov7670::FRAME.height));
    // Y first, then U: the order of YUYV.
    assert_eq!((of(0x3A) >> 3 & 1, of(0x3D) >> 1 & 1), (0, 0));
    assert_eq!(Ov7670::FRAME.row_bytes(0) as usize, Ov7670::ROW_BYTES);
}

#[test]
fn another_chip_or_none_is_named() {
    let mut delay = CheckedDelay::new(&[]);
    let other = Ov7670::new(&mut Chip::new(0x26), &mut delay).unwrap_err();
    assert_eq!(other, Ov7670Error::OtherChip(0x26));
    let mut missing = Chip::new(0x76);
    missing.there = false;
    let cause = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
    let missing = Ov7670::new(&mut missing, &mut delay).unwrap_err();
    assert_eq!(missing, Ov7670Error::Bus(cause));
    delay.done();
}
