//! Evaluates a flow: latents in one image-shaped buffer that never moves, conditioners row by row.
//!
//! One [`Evaluator`] serves two number systems ([`Arithmetic`]): `Fixed` computes with integers only and gives the same bits
//! on every target; `F32` and `F16` (the storage of the weights) sum in a fixed order and take transcendental
//! functions from `libm`. What they share is here: order of rows, views, masks, rings. What differs is arithmetic.

mod arithmetic;
mod conv;
mod couple;
#[cfg(test)]
mod couple_tests;
mod dilated;
mod dither;
mod elements;
mod error;
mod evaluator;
mod fixed;
mod float;
mod input;
mod kept;
#[cfg(test)]
mod kept_tests;
mod layer;
mod observe;
mod pointwise;
mod rendezvous;
mod row_split;
mod scratch;
mod span;
mod table;
mod transposed;

pub use arithmetic::Arithmetic;
pub use dither::dither;
pub use elements::Elements;
pub use error::InputError;
pub use evaluator::{Evaluator, Request};
pub use fixed::{Fixed, LATENT_FRACTION_BITS, LOG_SCALE_STEPS_PER_OCTAVE};
pub use float::{F16, F32};
pub use input::Noise;
pub use observe::{Coupled, Observer};
pub use rendezvous::Rendezvous;
pub use row_split::{RowSplit, evaluate_half};
pub use scratch::{Scratch, ScratchMut};
pub use span::STEP_PRODUCTS;

use crate::artifact::Artifact;
use crate::kernels::Run;
use evaluator::OneCore;
use heapless::Vec;

/// Most rows of a convolution's window.
pub(crate) const MAX_WINDOW_ROWS: usize = 32;

/// A window's runs, for which no room is cleared.
type Runs = Vec<Run, MAX_WINDOW_ROWS>;

/// What the flow says of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Evaluation {
    /// log_prob in units of 2^-24 nats; meaningless but deterministic where `saturated`.
    pub log_prob_raw: i64,
    /// Half the sum of the latents' squares, what the prior takes from log_prob, in the same units.
    pub squares_raw: i64,
    /// What the ratio net says, in the same units; zero without one.
    pub ratio_raw: i64,
    /// What the values of the input say each by itself, as of [`Arithmetic::marginals`]; zero where the plan's first step
    /// standardizes none.
    pub marginals: u32,
    /// Whether a latent left the range of its numbers: the input is far from all data, and the density formula no
    /// longer holds.
    pub saturated: bool,
}

/// log_prob of one input, averaged over the draws of its noise; the last draw's latent is left in the scratch,
/// image-shaped.
///
/// `input` has one byte a coordinate for images, channel by channel, row by row; four bytes (f32, little-endian) a
/// coordinate for vectors; two bytes (i16, little-endian) a value for windows, sample by sample.
///
/// # Errors
/// [`InputError`] for a wrong length, NaN or infinite values, a scratch that is too small, noise that this number
/// system does not take, or an artifact of another number format.
pub fn evaluate<A: Arithmetic>(
    artifact: &Artifact<'_>,
    input: &[u8],
    noise: Noise<'_>,
    scratch: ScratchMut<'_, A>,
    observer: &mut impl Observer<A>,
) -> Result<Evaluation, InputError> {
    evaluate_elements(artifact, input.into(), noise, scratch, observer)
}

/// log_prob of one input, as [`evaluate`] gives it, of elements of any type.
///
/// # Errors
/// Those of [`evaluate`].
pub fn evaluate_elements<A: Arithmetic>(
    artifact: &Artifact<'_>,
    input: Elements<'_>,
    noise: Noise<'_>,
    scratch: ScratchMut<'_, A>,
    observer: &mut impl Observer<A>,
) -> Result<Evaluation, InputError> {
    let request = Request::new(artifact, input, noise, scratch)?;
    let Ok(found) = Evaluator::new(request).run(&mut OneCore, observer);
    Ok(found)
}
