//! A NOR flash in memory, whose power can be cut at any operation.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use flow_slots::Flash;

/// Bytes of both slots.
pub const CAPACITY: usize = 4096;
const ERASED: u8 = 0xff;

/// What the operation during which power is lost has done.
#[derive(Clone, Copy, Debug)]
pub enum Torn {
    Nothing,
    HalfOfIt,
    Everything,
}

/// Words of 32 bytes and pages of 1 KiB, as in an STM32H7.
pub struct Memory<'m> {
    content: &'m mut [u8; CAPACITY],
    operations: usize,
    cut: Option<(usize, Torn)>,
}

/// There is no power, or no such place.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

impl NorFlashError for Failed {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<'m> Memory<'m> {
    /// With power, until so many operations are done.
    pub fn new(content: &'m mut [u8; CAPACITY], cut: Option<(usize, Torn)>) -> Self {
        Self {
            content,
            operations: 0,
            cut,
        }
    }

    /// Words written and pages erased.
    pub fn operations(&self) -> usize {
        self.operations
    }

    /// How much of the next operation is done, in bytes of `len`.
    fn done(&mut self, len: usize) -> Result<usize, Failed> {
        let operation = self.operations;
        self.operations += 1;
        match self.cut {
            Some((cut, _)) if operation > cut => Err(Failed),
            Some((cut, Torn::Nothing)) if operation == cut => Ok(0),
            Some((cut, Torn::HalfOfIt)) if operation == cut => Ok(len / 2),
            _ => Ok(len),
        }
    }

    /// The call that loses power does not return well.
    fn powered(&self) -> Result<(), Failed> {
        match self.cut {
            Some((cut, _)) if self.operations > cut => Err(Failed),
            _ => Ok(()),
        }
    }
}

impl ErrorType for Memory<'_> {
    type Error = Failed;
}

impl ReadNorFlash for Memory<'_> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failed> {
        let start = offset as usize;
        let from = self.content.get(start..start + bytes.len()).ok_or(Failed)?;
        bytes.copy_from_slice(from);
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for Memory<'_> {
    const WRITE_SIZE: usize = 32;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Failed> {
        for page in (from as usize..to as usize).step_by(Self::ERASE_SIZE) {
            let done = self.done(Self::ERASE_SIZE)?;
            let page = self.content.get_mut(page..page + done).ok_or(Failed)?;
            page.fill(ERASED);
            self.powered()?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failed> {
        for (index, word) in bytes.chunks(Self::WRITE_SIZE).enumerate() {
            let done = self.done(word.len())?;
            let start = offset as usize + index * Self::WRITE_SIZE;
            let place = self.content.get_mut(start..start + done).ok_or(Failed)?;
            for (to, from) in place.iter_mut().zip(word) {
                *to &= from;
            }
            self.powered()?;
        }
        Ok(())
    }
}

impl Flash for Memory<'_> {
    fn bytes(&self) -> &[u8] {
        self.content
    }
}
