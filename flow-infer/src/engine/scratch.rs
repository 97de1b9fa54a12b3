//! The caller's memory.
//!
//! Typed arrays rather than bytes: latents and activations have different widths, and two fields need neither a cast
//! nor alignment rules. Sizes are const parameters that `artifact::scratch_need` computes from the bytes of an
//! included file, so a board with too little RAM does not link.

use super::Arithmetic;

/// Memory for one evaluation at a time: L latents and N activations.
#[derive(Debug)]
pub struct Scratch<A: Arithmetic, const L: usize, const N: usize> {
    latents: [A::Latent; L],
    activations: [A::Activation; N],
}

impl<A: Arithmetic, const L: usize, const N: usize> Scratch<A, L, N> {
    /// Zeroed memory; `const`, so that it can be a static.
    pub const fn new() -> Self {
        Self {
            latents: [A::ZERO_LATENT; L],
            activations: [A::ZERO_ACTIVATION; N],
        }
    }

    /// Borrows it for an evaluation.
    pub fn borrow(&mut self) -> ScratchMut<'_, A> {
        ScratchMut {
            latents: &mut self.latents,
            activations: &mut self.activations,
        }
    }
}

impl<A: Arithmetic, const L: usize, const N: usize> Default for Scratch<A, L, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Borrowed memory for one evaluation.
#[derive(Debug)]
pub struct ScratchMut<'s, A: Arithmetic> {
    /// At least as many as the flow has coordinates.
    pub latents: &'s mut [A::Latent],
    /// At least as many as the plan's largest coupling needs.
    pub activations: &'s mut [A::Activation],
}

impl<A: Arithmetic> ScratchMut<'_, A> {
    /// Lends it on.
    pub fn reborrow(&mut self) -> ScratchMut<'_, A> {
        ScratchMut {
            latents: self.latents,
            activations: self.activations,
        }
    }
}
