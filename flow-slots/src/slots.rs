//! Two slots, and which of them counts.

use crate::update::Update;
use crate::{Refused, Rules, UpdateError};
use embedded_storage::nor_flash::NorFlash;
use flow_infer::{Gate, Memory, Model};

/// Longest piece in which a flash may be written.
pub(crate) const LONGEST_WRITE: usize = 32;

/// A flash whose content lies in memory, as that of microcontrollers does: models run where they are.
///
/// Its first half is one slot, its second half the other; both begin at a multiple of 16.
pub trait Flash: NorFlash {
    /// All of its bytes, as they are now.
    fn bytes(&self) -> &[u8];
}

/// Two slots of flash for models.
#[derive(Debug)]
pub struct Slots<F> {
    pub(crate) flash: F,
    pub(crate) rules: Rules,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    First,
    Second,
}

impl Slot {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl<F: Flash> Slots<F> {
    /// The slots of a flash.
    ///
    /// # Errors
    /// [`UpdateError::Layout`] where its halves are no whole pages.
    pub fn new(flash: F, rules: Rules) -> Result<Self, UpdateError<F::Error>> {
        let half = flash.capacity() / 2;
        let whole = half > 0 && half.is_multiple_of(F::ERASE_SIZE) && half.is_multiple_of(16);
        let writes = F::WRITE_SIZE <= LONGEST_WRITE && u32::try_from(half).is_ok();
        match whole && writes && flash.bytes().len() == flash.capacity() {
            true => Ok(Self { flash, rules }),
            false => Err(UpdateError::Layout),
        }
    }

    /// Opens the gate of the newest model that may run here.
    ///
    /// Its golden vectors are evaluated twice: to find it, and to open it.
    ///
    /// # Errors
    /// Why the newer of two models that were refused does not run; of empty slots, that they hold no file.
    pub fn open<'m>(&'m self, memory: &'m mut impl Memory) -> Result<Gate<'m>, Refused> {
        let slot = self.current(memory)?;
        Gate::new(self.model(slot)?, memory).map_err(Refused::Gate)
    }

    /// Begins an update in the slot that does not count.
    ///
    /// # Errors
    /// [`UpdateError::Flash`].
    pub fn begin(
        &mut self,
        memory: &mut impl Memory,
    ) -> Result<Update<'_, F>, UpdateError<F::Error>> {
        let current = self.current(memory);
        let version = current
            .and_then(|slot| self.model(slot))
            .map(|m| m.version());
        let free = current.map_or(Slot::First, Slot::other);
        Update::begin(self, free, version.unwrap_or(self.rules.newer_than))
    }

    /// The flash, for whoever gave it.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// Where a slot begins and ends.
    pub(crate) fn range(&self, slot: Slot) -> core::ops::Range<usize> {
        let half = self.flash.capacity() / 2;
        match slot {
            Slot::First => 0..half,
            Slot::Second => half..2 * half,
        }
    }

    fn bytes(&self, slot: Slot) -> &[u8] {
        self.flash.bytes().get(self.range(slot)).unwrap_or(&[])
    }

    pub(crate) fn model(&self, slot: Slot) -> Result<Model<'_>, Refused> {
        self.rules.model(self.bytes(slot))
    }

    /// The slot whose model runs.
    fn current(&self, memory: &mut impl Memory) -> Result<Slot, Refused> {
        let version = |slot| Rules::claimed_version(self.bytes(slot));
        let newer = match version(Slot::Second) > version(Slot::First) {
            true => Slot::Second,
            false => Slot::First,
        };
        let refused = match self.tried(newer, memory) {
            Ok(()) => return Ok(newer),
            Err(refused) => refused,
        };
        let older = newer.other();
        self.tried(older, memory)
            .map(|()| older)
            .map_err(|_| refused)
    }

    /// Lets a slot's model reproduce its golden vectors.
    pub(crate) fn tried(&self, slot: Slot, memory: &mut impl Memory) -> Result<(), Refused> {
        let model = self.model(slot)?;
        Gate::new(model, memory).map(|_| ()).map_err(Refused::Gate)
    }
}
