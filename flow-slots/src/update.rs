//! An update, written in pieces.

use crate::rules::passes;
use crate::slots::{Flash, LONGEST_WRITE, Slot, Slots};
use crate::{Refused, UpdateError};
use flow_infer::Memory;

/// What an erased flash holds.
const ERASED: u8 = 0xff;

/// A model on its way into the slot that does not count. One that is whole takes over at the next start even where power
/// is lost before it is finished, if it may run at all.
#[derive(Debug)]
pub struct Update<'s, F> {
    slots: &'s mut Slots<F>,
    slot: Slot,
    /// The version that the model has to pass.
    version: u32,
    /// Bytes in the flash.
    written: usize,
    /// Bytes that make no whole write yet.
    rest: [u8; LONGEST_WRITE],
    rest_len: usize,
}

impl<'s, F: Flash> Update<'s, F> {
    pub(crate) fn begin(
        slots: &'s mut Slots<F>,
        slot: Slot,
        version: u32,
    ) -> Result<Self, UpdateError<F::Error>> {
        erase(slots, slot, usize::MAX)?;
        Ok(Self {
            slots,
            slot,
            version,
            written: 0,
            rest: [ERASED; LONGEST_WRITE],
            rest_len: 0,
        })
    }

    /// Takes the next bytes of the file, however many there are.
    ///
    /// # Errors
    /// [`UpdateError::TooLong`], [`UpdateError::Flash`]; the update is then to be begun again.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), UpdateError<F::Error>> {
        for &byte in piece {
            if let Some(place) = self.rest.get_mut(self.rest_len) {
                *place = byte;
                self.rest_len += 1;
            }
            if self.rest_len == F::WRITE_SIZE {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Lets the model take over if it may run here; returns its version.
    ///
    /// # Errors
    /// [`UpdateError::Refused`]: it is erased, and what ran before runs on. Or [`UpdateError::Flash`].
    pub fn finish(mut self, memory: &mut impl Memory) -> Result<u32, UpdateError<F::Error>> {
        if self.rest_len > 0 {
            self.flush()?;
        }
        match self.accept(memory) {
            Ok(version) => Ok(version),
            Err(refused) => {
                self.forget()?;
                Err(UpdateError::Refused(refused))
            }
        }
    }

    fn accept(&self, memory: &mut impl Memory) -> Result<u32, Refused> {
        let model = self.slots.model(self.slot)?;
        passes(self.version, &model)?;
        self.slots.tried(self.slot, memory)?;
        Ok(model.version())
    }

    /// Without its first page it is no file.
    fn forget(&mut self) -> Result<(), UpdateError<F::Error>> {
        erase(self.slots, self.slot, 1)
    }

    /// Writes what has come together, filled up with erased bytes.
    fn flush(&mut self) -> Result<(), UpdateError<F::Error>> {
        let range = self.slots.range(self.slot);
        if self.written + F::WRITE_SIZE > range.len() {
            let slot = range.len() as u32;
            self.forget()?;
            return Err(UpdateError::TooLong { slot });
        }
        let at = (range.start + self.written) as u32;
        let word = self.rest.get(..F::WRITE_SIZE).unwrap_or(&[]);
        let flash = &mut self.slots.flash;
        flash.write(at, word).map_err(UpdateError::Flash)?;
        self.written += F::WRITE_SIZE;
        (self.rest, self.rest_len) = ([ERASED; LONGEST_WRITE], 0);
        Ok(())
    }
}

/// Erases at most so many pages of a slot, the first one first: from then on it holds no file.
fn erase<F: Flash>(
    slots: &mut Slots<F>,
    slot: Slot,
    pages: usize,
) -> Result<(), UpdateError<F::Error>> {
    for start in slots.range(slot).step_by(F::ERASE_SIZE).take(pages) {
        let end = start + F::ERASE_SIZE;
        let erased = slots.flash.erase(start as u32, end as u32);
        erased.map_err(UpdateError::Flash)?;
    }
    Ok(())
}
