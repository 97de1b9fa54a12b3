//! An LIS3DH on its bus: registers, and what answers in them.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use lis3dh::{Lis3dh, Lis3dhI2C, SlaveAddr};

const ADDRESS: u8 = 0x18;
const WHO_AM_I: usize = 0x0f;
pub const OUT_X_L: usize = 0x28;
/// Reading goes on with the next register.
const AUTO_INCREMENT: u8 = 0x80;

/// What happens in a chip.
pub trait Behaviour {
    /// What registers hold when they are read from this one on.
    fn answer(&mut self, register: usize, registers: &mut [u8; 64]) -> Result<(), ErrorKind>;

    /// A register was written.
    fn written(&mut self, _register: usize, _value: u8) {}
}

/// Registers that behave so.
pub struct Chip<B> {
    registers: [u8; 64],
    behaviour: B,
}

/// The driver of such a chip.
pub fn driver<B: Behaviour>(behaviour: B) -> Lis3dh<Lis3dhI2C<Chip<B>>> {
    let mut registers = [0; 64];
    registers[WHO_AM_I] = 0x33;
    let chip = Chip {
        registers,
        behaviour,
    };
    Lis3dh::new_i2c(chip, SlaveAddr::Default).unwrap()
}

/// Sample n: n, -n and 100 n.
pub fn put_sample(n: i16, registers: &mut [u8; 64]) {
    let values = [n, -n, 100 * n].map(i16::to_le_bytes).concat();
    registers[OUT_X_L..OUT_X_L + 6].copy_from_slice(&values);
}

impl<B> ErrorType for Chip<B> {
    type Error = ErrorKind;
}

impl<B: Behaviour> I2c for Chip<B> {
    fn transaction(&mut self, address: u8, all: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        assert_eq!(address, ADDRESS);
        let mut register = 0;
        for operation in all {
            match operation {
                Operation::Write(bytes) => {
                    register = usize::from(bytes[0] & !AUTO_INCREMENT);
                    if let Some(&value) = bytes.get(1) {
                        self.registers[register] = value;
                        self.behaviour.written(register, value);
                    }
                }
                Operation::Read(bytes) => {
                    self.behaviour.answer(register, &mut self.registers)?;
                    bytes.copy_from_slice(&self.registers[register..register + bytes.len()]);
                }
            }
        }
        Ok(())
    }
}
