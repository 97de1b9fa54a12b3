//! I2C1 by registers, at 100 kHz: what a camera's set-up takes, a few bytes out or one byte in.
//!
//! The HAL's driver waits for ever for a bus that is stuck.
#![allow(unsafe_code)]

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use stm32f4xx_hal::pac::I2C1;

/// Polls before a bus is stuck: some ten times what a byte takes.
const PATIENCE: u32 = 20_000;
const BUS_HZ: u32 = 100_000;
/// Of the core's clock, what the bus of this peripheral gets.
const DIVIDER: u32 = 4;

/// The bus.
pub(crate) struct Bus(I2C1);

impl Bus {
    /// The bus of a core that runs at `hertz`.
    pub(crate) fn new(bus: I2C1, hertz: u32) -> Self {
        let clock = hertz / DIVIDER;
        let mhz = clock / 1_000_000;
        bus.cr1().modify(|_, w| w.swrst().set_bit());
        bus.cr1().modify(|_, w| w.swrst().clear_bit());
        // SAFETY: by the reference manual the clock in MHz, of 2 to 50; half a period of the bus in cycles of it; and
        // the microsecond that a rising edge may take, one more.
        unsafe {
            bus.cr2().modify(|_, w| w.freq().bits(mhz as u8));
            bus.ccr()
                .write(|w| w.ccr().bits((clock / (2 * BUS_HZ)) as u16));
            bus.trise().write(|w| w.trise().bits(mhz as u8 + 1));
        }
        bus.cr1().modify(|_, w| w.pe().set_bit());
        Self(bus)
    }

    fn write(&self, address: u8, bytes: &[u8]) -> Result<(), ErrorKind> {
        self.begin(address << 1)?;
        self.0.sr2().read();
        for &byte in bytes {
            self.wait(|| self.0.sr1().read().tx_e().bit())?;
            self.send(byte);
        }
        self.wait(|| self.0.sr1().read().btf().bit())?;
        self.stop();
        Ok(())
    }

    fn read(&self, address: u8) -> Result<u8, ErrorKind> {
        self.begin(address << 1 | 1)?;
        // The only byte is not acknowledged, which is decided before the address's flag goes.
        self.0.cr1().modify(|_, w| w.ack().clear_bit());
        self.0.sr2().read();
        self.stop();
        self.wait(|| self.0.sr1().read().rx_ne().bit())?;
        Ok(self.0.dr().read().dr().bits())
    }

    /// Start, and an address that is acknowledged.
    fn begin(&self, address: u8) -> Result<(), ErrorKind> {
        self.0.cr1().modify(|_, w| w.start().set_bit());
        self.wait(|| self.0.sr1().read().sb().bit())?;
        self.send(address);
        self.wait(|| self.0.sr1().read().addr().bit())
    }

    fn send(&self, byte: u8) {
        // SAFETY: any byte may be sent.
        self.0.dr().write(|w| unsafe { w.dr().bits(byte) });
    }

    fn stop(&self) {
        self.0.cr1().modify(|_, w| w.stop().set_bit());
    }

    /// Waits; the bus is free afterwards where that fails.
    fn wait(&self, ready: impl Fn() -> bool) -> Result<(), ErrorKind> {
        for _ in 0..PATIENCE {
            let status = self.0.sr1().read();
            if status.af().bit() {
                self.0.sr1().modify(|_, w| w.af().clear_bit());
                self.stop();
                return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown));
            }
            if status.berr().bit() || status.arlo().bit() {
                return Err(ErrorKind::Bus);
            }
            if ready() {
                return Ok(());
            }
        }
        self.stop();
        Err(ErrorKind::Other)
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    fn transaction(&mut self, address: u8, all: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        match all {
            [Operation::Write(bytes)] => (*self).write(address, bytes),
            [Operation::Read([byte])] => {
                *byte = (*self).read(address)?;
                Ok(())
            }
            _ => Err(ErrorKind::Other),
        }
    }
}
