//! The memory that a gate works in.

use crate::engine::{Fixed, Scratch, ScratchMut};
use crate::score::complexity::Coder;
#[cfg(feature = "std")]
use {super::Model, std::vec, std::vec::Vec};

/// Memory for a gate: [`Workspace`](crate::Workspace) on a host, [`FixedWorkspace`] on a board; for no others.
pub trait Memory: sealed::Sealed {
    /// Lends all of it.
    #[doc(hidden)]
    fn lend(&mut self) -> (ScratchMut<'_, Fixed>, &mut Coder);
}

/// The parts of memory for a gate, for whoever lays them out.
#[derive(Debug)]
pub struct BorrowedMemory<'m> {
    /// Latents and activations.
    pub scratch: ScratchMut<'m, Fixed>,
    /// The state of the code length.
    pub coder: &'m mut Coder,
}

mod sealed {
    pub trait Sealed {}
}

/// Memory of a size that the compiler knows: so many latents and activations.
///
/// [`gate!`](crate::gate) makes one for the model that it includes. A program that gets its models later takes one for
/// the largest, and a model that needs more is refused with [`OpenError::Workspace`](crate::OpenError::Workspace).
#[derive(Debug)]
pub struct FixedWorkspace<const LATENTS: usize, const ACTIVATIONS: usize> {
    scratch: Scratch<Fixed, LATENTS, ACTIVATIONS>,
    coder: Coder,
}

impl<const LATENTS: usize, const ACTIVATIONS: usize> FixedWorkspace<LATENTS, ACTIVATIONS> {
    /// Cleared memory; `const`, so that it can be a static.
    pub const fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            coder: Coder::new(),
        }
    }
}

impl<const LATENTS: usize, const ACTIVATIONS: usize> Default
    for FixedWorkspace<LATENTS, ACTIVATIONS>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const LATENTS: usize, const ACTIVATIONS: usize> sealed::Sealed
    for FixedWorkspace<LATENTS, ACTIVATIONS>
{
}

impl<const LATENTS: usize, const ACTIVATIONS: usize> Memory
    for FixedWorkspace<LATENTS, ACTIVATIONS>
{
    fn lend(&mut self) -> (ScratchMut<'_, Fixed>, &mut Coder) {
        (self.scratch.borrow(), &mut self.coder)
    }
}

/// Memory from the heap, as much as a model needs.
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct Workspace {
    latents: Vec<i32>,
    activations: Vec<i16>,
    coder: Coder,
}

#[cfg(feature = "std")]
impl Workspace {
    /// Memory for a model.
    pub fn for_model(model: &Model<'_>) -> Self {
        let need = model.artifact().scratch_need();
        Self {
            latents: vec![0; need.latents as usize],
            activations: vec![0; need.activations as usize],
            coder: Coder::new(),
        }
    }
}

#[cfg(feature = "std")]
impl sealed::Sealed for Workspace {}

#[cfg(feature = "std")]
impl Memory for Workspace {
    fn lend(&mut self) -> (ScratchMut<'_, Fixed>, &mut Coder) {
        let scratch = ScratchMut {
            latents: &mut self.latents,
            activations: &mut self.activations,
        };
        (scratch, &mut self.coder)
    }
}
