//! The memory that a gate works in.

use crate::engine::{Fixed, Scratch, ScratchMut};
use crate::score::complexity::Coder;
#[cfg(feature = "std")]
use {super::Model, std::vec, std::vec::Vec};

/// Memory for a gate: [`Workspace`](crate::Workspace) on a host, [`FixedWorkspace`] on a board; for no others.
pub trait Memory: sealed::Sealed {
    /// Lends all of it.
    #[doc(hidden)]
    fn lend(&mut self) -> (BorrowedMemory<'_>, FrameMemory<'_>);
}

/// The parts of memory for a gate, for whoever lays them out.
#[derive(Debug)]
pub struct BorrowedMemory<'m> {
    /// Latents and activations.
    pub scratch: ScratchMut<'m, Fixed>,
    /// The state of the code length.
    pub coder: &'m mut Coder,
}

/// The parts of memory that reading frames or keeping a window takes; a model that is given inputs needs none.
#[derive(Debug, Default)]
pub struct FrameMemory<'m> {
    /// Two rows of sums.
    pub sums: &'m mut [u64],
    /// The model's input, or the last window.
    pub input: &'m mut [u8],
}

mod sealed {
    pub trait Sealed {}
}

/// Memory of a size that the compiler knows: so many latents and activations, and for frames so many sums and bytes of
/// the model's input.
///
/// [`gate!`](crate::gate) makes one for the model that it includes. A program that gets its models later takes one for
/// the largest, and a model that needs more is refused with [`OpenError::Workspace`](crate::OpenError::Workspace).
#[derive(Debug)]
pub struct FixedWorkspace<
    const LATENTS: usize,
    const ACTIVATIONS: usize,
    const SUMS: usize = 0,
    const INPUT: usize = 0,
> {
    scratch: Scratch<Fixed, LATENTS, ACTIVATIONS>,
    coder: Coder,
    sums: [u64; SUMS],
    input: [u8; INPUT],
}

impl<const LATENTS: usize, const ACTIVATIONS: usize, const SUMS: usize, const INPUT: usize>
    FixedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>
{
    /// Cleared memory; `const`, so that it can be a static.
    pub const fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            coder: Coder::new(),
            sums: [0; SUMS],
            input: [0; INPUT],
        }
    }
}

impl<const LATENTS: usize, const ACTIVATIONS: usize, const SUMS: usize, const INPUT: usize> Default
    for FixedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const LATENTS: usize, const ACTIVATIONS: usize, const SUMS: usize, const INPUT: usize>
    sealed::Sealed for FixedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>
{
}

impl<const LATENTS: usize, const ACTIVATIONS: usize, const SUMS: usize, const INPUT: usize> Memory
    for FixedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>
{
    fn lend(&mut self) -> (BorrowedMemory<'_>, FrameMemory<'_>) {
        let memory = BorrowedMemory {
            scratch: self.scratch.borrow(),
            coder: &mut self.coder,
        };
        let frames = FrameMemory {
            sums: &mut self.sums,
            input: &mut self.input,
        };
        (memory, frames)
    }
}

/// Memory from the heap, as much as a model needs.
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct Workspace {
    latents: Vec<i32>,
    activations: Vec<i16>,
    coder: Coder,
    sums: Vec<u64>,
    input: Vec<u8>,
}

#[cfg(feature = "std")]
impl Workspace {
    /// Memory for a model.
    pub fn for_model(model: &Model<'_>) -> Self {
        Self::for_models(core::slice::from_ref(model))
    }

    /// Memory for models that take turns in it, as [`Gates`](crate::Gates) do.
    pub fn for_models(models: &[Model<'_>]) -> Self {
        let needs = || models.iter().map(|model| model.artifact().scratch_need());
        let latents = needs().map(|need| need.latents).max().unwrap_or(0);
        let activations = needs().map(|need| need.activations).max().unwrap_or(0);
        let frames = || models.iter().map(|model| model.artifact().frame_need());
        Self {
            latents: vec![0; latents as usize],
            activations: vec![0; activations as usize],
            coder: Coder::new(),
            sums: vec![0; frames().map(|need| need.sums).max().unwrap_or(0)],
            input: vec![0; frames().map(|need| need.input).max().unwrap_or(0)],
        }
    }
}

#[cfg(feature = "std")]
impl sealed::Sealed for Workspace {}

#[cfg(feature = "std")]
impl Memory for Workspace {
    fn lend(&mut self) -> (BorrowedMemory<'_>, FrameMemory<'_>) {
        let scratch = ScratchMut {
            latents: &mut self.latents,
            activations: &mut self.activations,
        };
        let coder = &mut self.coder;
        let frames = FrameMemory {
            sums: &mut self.sums,
            input: &mut self.input,
        };
        (BorrowedMemory { scratch, coder }, frames)
    }
}
