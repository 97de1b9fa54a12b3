//! The walk through a flow: input, steps, and the sum of what they add to the log-likelihood.

use super::arithmetic::Arithmetic;
use super::{Elements, Evaluation, InputError, Noise, Observer, ScratchMut, couple, input, layer};
use crate::artifact::Artifact;
use crate::bytes;
use crate::plan::{Coupling, MAX_LINEAR_CHANNELS, Schedule, Step, parts};
use crate::spec::View;

/// How couplings are computed, and what happens to the energy at a draw's end.
pub(super) trait Walk<A: Arithmetic, O> {
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

/// Evaluates an input as [`evaluate`](super::evaluate) does, couplings as `walk` says.
#[inline(always)]
pub(super) fn evaluate_with<A: Arithmetic, O: Observer<A>>(
    artifact: &Artifact<'_>,
    input: Elements<'_>,
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
    let (mut sum, mut squares) = (0i64, 0i64);
    let mut saturated = false;
    for draw in 0..draws {
        let mut energy = A::Energy::default();
        let drawn = input::Drawn { noise, draw };
        input::read::<A>(head, tensors, input, drawn, latents, &mut energy)?;
        let latents = bytes::run_mut(latents, 0, artifact.dims());
        run_steps(artifact, latents, activations, &mut energy, observer, walk)?;
        walk.end(&mut energy)?;
        let evaluation = A::finish(&energy, latents, head.constant_raw);
        sum = sum.saturating_add(evaluation.log_prob_raw);
        squares = squares.saturating_add(evaluation.squares_raw);
        saturated |= evaluation.saturated;
    }
    let mean = |sum: i64| floor_div(sum.saturating_add(i64::from(draws / 2)), draws);
    Ok(Evaluation {
        log_prob_raw: mean(sum),
        squares_raw: mean(squares),
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
                actnorm::<A>(view, bytes::tail(tensors, records), latents, energy);
            }
            Step::InvertibleLinear { view, weights } if parts::GLOW => {
                linear::<A>(view, bytes::tail(tensors, weights), latents, energy);
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
pub(super) fn run_rows<A: Arithmetic>(
    place: &couple::Place<'_>,
    schedule: &mut Schedule<'_>,
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
                *slot = bytes::at(latents, view.offset(channel, y, x));
            }
            let inputs = pixel.get(..channels).unwrap_or(&[]);
            for channel in 0..channels {
                let row = bytes::run(weights, channel * row_len, row_len);
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
