//! A NOR flash whose power can be cut at any operation.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use flow_slots::Flash;

/// What the operation during which power is lost has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    Nothing,
    SomeBits,
    Everything,
}

/// Two slots, written in words of `WORD` bytes and erased in pages of `PAGE`.
#[derive(Clone)]
pub(crate) struct Emulated<const WORD: usize, const PAGE: usize> {
    pub(crate) content: Vec<u8>,
    /// Words written and pages erased.
    pub(crate) operations: usize,
    cut: Option<(usize, Torn)>,
    random: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PowerLost;

impl NorFlashError for PowerLost {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const WORD: usize, const PAGE: usize> Emulated<WORD, PAGE> {
    /// As it leaves the factory.
    pub(crate) fn new(capacity: usize, seed: u64) -> Self {
        Self {
            content: vec![0xff; capacity],
            operations: 0,
            cut: None,
            random: seed,
        }
    }

    /// Power is there again, until `cut` more operations are done.
    pub(crate) fn powered(mut self, cut: Option<(usize, Torn)>) -> Self {
        (self.operations, self.cut) = (0, cut);
        self
    }

    /// What of the next operation is done: all of it, or what power that is lost leaves.
    fn done(&mut self) -> Result<Torn, PowerLost> {
        let operation = self.operations;
        self.operations += 1;
        match self.cut {
            Some((cut, _)) if operation > cut => Err(PowerLost),
            Some((cut, torn)) if operation == cut => Ok(torn),
            _ => Ok(Torn::Everything),
        }
    }

    fn lost(&self) -> Result<(), PowerLost> {
        match self.cut {
            Some((cut, _)) if self.operations > cut => Err(PowerLost),
            _ => Ok(()),
        }
    }

    /// The bits that an operation gets done.
    fn bits(&mut self, torn: Torn) -> u8 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        match torn {
            Torn::Nothing => 0,
            Torn::SomeBits => (self.random >> 56) as u8,
            Torn::Everything => 0xff,
        }
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Emulated<WORD, PAGE> {
    type Error = PowerLost;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Emulated<WORD, PAGE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerLost> {
        let start = offset as usize;
        bytes.copy_from_slice(&self.content[start..start + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.content.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Emulated<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerLost> {
        let (from, to) = (from as usize, to as usize);
        assert!(
            from.is_multiple_of(PAGE) && to.is_multiple_of(PAGE),
            "whole pages"
        );
        for page in (from..to).step_by(PAGE) {
            let torn = self.done()?;
            for place in page..page + PAGE {
                self.content[place] |= self.bits(torn);
            }
            self.lost()?;
        }
        Ok(())
    }

    /// Clears bits; a word that was written before may not be written again.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerLost> {
        let start = offset as usize;
        assert!(
            start.is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD),
            "whole words"
        );
        for (word, at) in bytes.chunks(WORD).zip((start..).step_by(WORD)) {
            let torn = self.done()?;
            for (&byte, place) in word.iter().zip(at..) {
                assert_eq!(self.content[place], 0xff, "byte {place} is written twice");
                self.content[place] &= byte | !self.bits(torn);
            }
            self.lost()?;
        }
        Ok(())
    }
}

impl<const WORD: usize, const PAGE: usize> Flash for Emulated<WORD, PAGE> {
    fn bytes(&self) -> &[u8] {
        &self.content
    }
}
