//! Looking on: calibration, pictures and tests read what the engine computes without a second engine.

use super::Arithmetic;

/// One coordinate that a coupling changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coupled {
    /// Place in the latent.
    pub offset: usize,
    /// raw_scale as the conditioner gave it.
    pub raw_scale: f64,
    /// shift as the conditioner gave it.
    pub shift: f64,
}

/// Sees intermediate results; the methods do nothing unless written, and then cost nothing.
pub trait Observer<A: Arithmetic> {
    /// Whether [`coupled`](Self::coupled) is to be told of every coordinate: then each is computed by itself.
    const SEES_COUPLED: bool = true;

    /// The latents before the first step (0) and after step `index - 1`.
    fn latents(&mut self, index: usize, latents: &[A::Latent]) {
        let _ = (index, latents);
    }

    /// A finished row of a layer's buffer, margins included.
    fn row(&mut self, step: usize, layer: usize, y: usize, row: &[A::Activation]) {
        let _ = (step, layer, y, row);
    }

    /// What a conditioner gave for one changed coordinate.
    fn coupled(&mut self, step: usize, coupled: Coupled) {
        let _ = (step, coupled);
    }
}

impl<A: Arithmetic> Observer<A> for () {
    const SEES_COUPLED: bool = false;
}
