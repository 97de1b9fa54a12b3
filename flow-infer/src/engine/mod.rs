//! Evaluates a flow: latents in one image-shaped buffer that never moves, conditioners row by row.
//!
//! One walk serves two number systems ([`Arithmetic`]): `Fixed` computes with integers only and gives the same bits
//! on every target; `F32` and `F16` (the storage of the weights) sum in a fixed order and take transcendental
//! functions from `libm`. What they share is here: order of rows, views, masks, rings. What differs is arithmetic.

mod arithmetic;
mod check;
mod conv;
mod couple;
mod dither;
mod fixed;
mod float;
mod halves;
mod input;
mod layer;
mod meeting;
mod observe;
mod scratch;
pub(crate) mod slices;
mod spread;
mod table;

pub use arithmetic::Arithmetic;
pub use dither::dither;
pub use fixed::{Fixed, LATENT_FRACTION_BITS, LOG_SCALE_STEPS_PER_OCTAVE};
pub use float::{F16, F32};
pub use halves::{Halves, evaluate_half};
pub use input::{InputError, Noise};
pub use meeting::Meeting;
pub use observe::{Coupled, Observer};
pub use scratch::{Scratch, ScratchMut};
pub use table::{IMAGE_TABLE_ENTRIES, TABLE_ENTRIES, TABLE_REACH, TABLE_STEPS_PER_UNIT};

pub(crate) use check::{
    check_actnorm, check_bounds, check_linear, check_standardization, check_sums, check_whitening,
};
pub(crate) use table::check_table;

use crate::artifact::Artifact;
use crate::plan::{Coupling, Schedule, Step, parts};
use crate::spec::View;

/// Most channels an `invertible_linear` may have: one pixel's channels lie on the stack.
pub const MAX_LINEAR_CHANNELS: usize = 64;
/// Most rows of a convolution's window.
pub(crate) const MAX_WINDOW_ROWS: usize = 32;

/// What the flow says of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Evaluation {
    /// log_prob in units of 2^-24 nats; meaningless but deterministic where `saturated`.
    pub log_prob_raw: i64,
    /// Whether a latent left the range of its numbers: the input is far from all data, and the density formula no
    /// longer holds.
    pub saturated: bool,
}

/// log_prob of one input, averaged over the draws of its noise; the last draw's latent is left in the scratch,
/// image-shaped.
///
/// `input` has one byte a coordinate for images, channel by channel, row by row; four bytes (f32, little-endian) a
/// coordinate for vectors.
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
    evaluate_with(artifact, input, noise, scratch, observer, &mut Alone)
}

/// How couplings are computed, and what happens to the energy at a draw's end.
trait Walk<A: Arithmetic, O> {
    /// Computes a coupling.
    fn coupling(
        &mut self,
        place: &couple::Place<'_>,
        latents: &mut [A::Latent],
        activations: &mut [A::Activation],
        energy: &mut A::Energy,
        observer: &mut O,
    ) -> Result<(), InputError>;

    /// Completes the energy of a draw.
    fn end(&mut self, _: &mut A::Energy) -> Result<(), InputError> {
        Ok(())
    }
}

/// All rows of every coupling.
struct Alone;

impl<A: Arithmetic, O: Observer<A>> Walk<A, O> for Alone {
    #[inline(always)]
    fn coupling(
        &mut self,
        place: &couple::Place<'_>,
        latents: &mut [A::Latent],
        activations: &mut [A::Activation],
        energy: &mut A::Energy,
        observer: &mut O,
    ) -> Result<(), InputError> {
        let schedule = Schedule::new(place.coupling);
        run_rows::<A>(place, schedule, latents, activations, energy, observer);
        Ok(())
    }
}

#[inline(always)]
fn evaluate_with<A: Arithmetic, O: Observer<A>>(
    artifact: &Artifact<'_>,
    input: &[u8],
    noise: Noise<'_>,
    scratch: ScratchMut<'_, A>,
    observer: &mut O,
    walk: &mut impl Walk<A, O>,
) -> Result<Evaluation, InputError> {
    let head = artifact.plan_head();
    if artifact.number_format() != A::FORMAT {
        return Err(InputError::NumberFormat);
    }
    let need = artifact.scratch_need();
    let latents = scratch.latents.get_mut(..need.latents as usize);
    let activations = scratch.activations.get_mut(..need.activations as usize);
    let (Some(latents), Some(activations)) = (latents, activations) else {
        return Err(InputError::Scratch);
    };
    let tensors = artifact.tensors();
    let draws = match noise {
        Noise::Given(_) => 1,
        Noise::Planned => head.input.draws(),
    };
    let mut sum = 0i64;
    let mut saturated = false;
    for draw in 0..draws {
        let mut energy = A::Energy::default();
        let drawn = input::Drawn { noise, draw };
        input::read::<A>(head, tensors, input, drawn, latents, &mut energy)?;
        let latents = slices::run_mut(latents, 0, artifact.dims());
        run_steps(artifact, latents, activations, &mut energy, observer, walk)?;
        walk.end(&mut energy)?;
        let evaluation = A::finish(&energy, latents, head.constant_raw);
        sum = sum.saturating_add(evaluation.log_prob_raw);
        saturated |= evaluation.saturated;
    }
    Ok(Evaluation {
        log_prob_raw: floor_div(sum.saturating_add(i64::from(draws / 2)), draws),
        saturated,
    })
}

/// floor(value / count), by four digits of 16 bits: a 64-bit division would bring a kilobyte of code to small cores.
fn floor_div(value: i64, count: u8) -> i64 {
    let count = u32::from(count.max(1));
    let sign = value >> 63;
    let mut digits = (value ^ sign) as u64;
    let (mut quotient, mut rest) = (0u64, 0u32);
    for _ in 0..4 {
        let part = rest << 16 | (digits >> 48) as u32;
        digits <<= 16;
        quotient = quotient << 16 | u64::from(part / count);
        rest = part % count;
    }
    quotient as i64 ^ sign
}

fn run_steps<A: Arithmetic, O: Observer<A>>(
    artifact: &Artifact<'_>,
    latents: &mut [A::Latent],
    activations: &mut [A::Activation],
    energy: &mut A::Energy,
    observer: &mut O,
    walk: &mut impl Walk<A, O>,
) -> Result<(), InputError> {
    let (head, tensors) = (artifact.plan_head(), artifact.tensors());
    observer.latents(0, latents);
    let mut steps = artifact.steps();
    let mut room = Coupling::empty();
    for index in 0..usize::from(head.steps) {
        // The artifact decoded every step when it was loaded; a step that no longer decodes cannot happen.
        let Some(Ok(step)) = steps.next_in(&mut room) else {
            break;
        };
        match step {
            Step::Actnorm { view, records } if parts::GLOW => {
                actnorm::<A>(view, slices::tail(tensors, records), latents, energy);
            }
            Step::InvertibleLinear { view, weights } if parts::GLOW => {
                linear::<A>(view, slices::tail(tensors, weights), latents, energy);
            }
            Step::Coupling(coupling) => {
                let place = couple::Place {
                    coupling,
                    head,
                    tensors,
                    index,
                };
                walk.coupling(&place, latents, activations, energy, observer)?;
            }
            // Left out of this build, and refused when loaded.
            Step::Actnorm { .. } | Step::InvertibleLinear { .. } => {}
        }
        observer.latents(index + 1, latents);
    }
    Ok(())
}

/// Computes the rows of a schedule.
fn run_rows<A: Arithmetic>(
    place: &couple::Place<'_>,
    schedule: Schedule<'_>,
    latents: &mut [A::Latent],
    activations: &mut [A::Activation],
    energy: &mut A::Energy,
    observer: &mut impl Observer<A>,
) {
    // Margins and padding lanes of the rings must read as zero, whatever the last coupling left there.
    clear::<A>(place.coupling, activations);
    let mut packed = A::PackedWeights::default();
    for event in schedule {
        layer::run_row::<A>(
            place,
            event,
            latents,
            activations,
            &mut packed,
            energy,
            observer,
        );
    }
}

fn clear<A: Arithmetic>(coupling: &Coupling, activations: &mut [A::Activation]) {
    let end = coupling
        .buffers
        .last()
        .map_or(0, |b| b.offset as usize + b.ring_len().unwrap_or(0));
    for value in activations.iter_mut().take(end) {
        *value = A::ZERO_ACTIVATION;
    }
}

fn actnorm<A: Arithmetic>(
    view: View,
    records: &[u8],
    latents: &mut [A::Latent],
    energy: &mut A::Energy,
) {
    let size = A::FORMAT.sizes().actnorm;
    let shape = view.shape();
    for (channel, record) in (0..view.channels()).zip(records.chunks_exact(size)) {
        for y in 0..usize::from(shape.height) {
            for x in 0..usize::from(shape.width) {
                if let Some(latent) = latents.get_mut(view.offset(channel, y, x)) {
                    *latent = A::actnorm(*latent, record, energy);
                }
            }
        }
    }
}

fn linear<A: Arithmetic>(
    view: View,
    weights: &[u8],
    latents: &mut [A::Latent],
    energy: &mut A::Energy,
) {
    let shape = view.shape();
    let channels = view.channels();
    let mut pixel = [A::ZERO_LATENT; MAX_LINEAR_CHANNELS];
    let row_len = channels * A::FORMAT.sizes().linear;
    for y in 0..usize::from(shape.height) {
        for x in 0..usize::from(shape.width) {
            for (channel, slot) in pixel.iter_mut().enumerate().take(channels) {
                *slot = slices::at(latents, view.offset(channel, y, x));
            }
            let inputs = pixel.get(..channels).unwrap_or(&[]);
            for channel in 0..channels {
                let row = slices::run(weights, channel * row_len, row_len);
                if let Some(latent) = latents.get_mut(view.offset(channel, y, x)) {
                    *latent = A::linear(inputs, row, energy);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_down() {
        let mut value = 0x1234_5678_9ABC_DEF0u64;
        for count in 1..=u8::MAX {
            for shift in 0..64 {
                value = value
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let value = value as i64 >> shift;
                let wanted = value.div_euclid(i64::from(count));
                assert_eq!(floor_div(value, count), wanted, "{value} / {count}");
            }
        }
        assert_eq!(floor_div(i64::MIN, 1), i64::MIN);
        assert_eq!(floor_div(-1, 255), -1);
    }
}
