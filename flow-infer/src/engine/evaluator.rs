//! The evaluation of one input: everything that it carries from step to step, so that it can be left and resumed.

use super::arithmetic::Arithmetic;
use super::couple::Context;
use super::span::Span;
use super::{Elements, Evaluation, InputError, Noise, Observer, ScratchMut};
use super::{input, layer, pointwise};
use crate::artifact::Artifact;
use crate::bytes;
use crate::plan::{Coupling, Event, PlannedInput, Schedule, Step, Steps, parts};
use crate::spec::{CouplingMask, View};
use core::convert::Infallible;
use core::task::Poll;

/// Who computes which rows of a coupling; [`OneCore`] computes all of them.
pub(super) trait Sharing<A: Arithmetic> {
    /// Why it fails.
    type Error;

    /// The rows to compute of a coupling that begins.
    #[inline(always)]
    fn begin(&mut self, _: usize, coupling: &Coupling, schedule: &mut Schedule, _: &mut A::LogDet) {
        schedule.restart(coupling);
    }

    /// Completes the latents of a coupling whose rows are computed.
    #[inline(always)]
    fn end(
        &mut self,
        _: usize,
        _: &Coupling,
        _: &mut [A::Latent],
        _: &mut A::LogDet,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Completes the log_det of a draw.
    #[inline(always)]
    fn complete(&mut self, _: &mut A::LogDet) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// One core computes all rows of every coupling.
pub(super) struct OneCore;

impl<A: Arithmetic> Sharing<A> for OneCore {
    type Error = Infallible;
}

/// An input with a model and memory to evaluate it: checked, so that nothing can go wrong from here on.
#[derive(Debug)]
pub struct Request<'a, A: Arithmetic> {
    artifact: &'a Artifact<'a>,
    input: Elements<'a>,
    noise: Noise<'a>,
    latents: &'a mut [A::Latent],
    /// Standardized measurements of an input that is whitened.
    measured: &'a mut [A::Latent],
    activations: &'a mut [A::Activation],
}

/// The evaluation of one input, step by step.
///
/// A step is a row of a layer, or as much of a row as has a stated number of products; a few rows of the input or of a
/// step of the plan without a conditioner; the change to the plan's next step; or the end of a draw. Left between steps
/// and resumed, an evaluation gives the bits that it gives in one go.
#[derive(Debug)]
pub struct Evaluator<'a, A: Arithmetic> {
    request: Request<'a, A>,
    /// The draw of noise that is being evaluated, and the sums over those before it.
    draw: u8,
    sums: Evaluation,
    log_det: A::LogDet,
    /// Steps of the plan that have not begun, and how many have.
    steps: Steps<'a>,
    begun: usize,
    /// What is being done, and the unit of it that comes next.
    task: Task,
    next: usize,
    /// The coupling that is being computed, the order of its rows, and the row that is not complete.
    coupling: Coupling,
    schedule: Schedule,
    row: Option<Event>,
}

/// What an evaluation is doing.
#[derive(Clone, Copy, Debug)]
enum Task {
    Read,
    Whiten,
    Actnorm { view: View, records: u32 },
    InvertibleLinear { view: View, weights: u32 },
    Coupling,
    Finish,
    Done,
}

impl<'a, A: Arithmetic> Request<'a, A> {
    /// Checks that the input is one of the model's, and that the memory is large enough.
    ///
    /// # Errors
    /// Those of [`evaluate`](super::evaluate()).
    pub fn new(
        artifact: &'a Artifact<'a>,
        input: Elements<'a>,
        noise: Noise<'a>,
        scratch: ScratchMut<'a, A>,
    ) -> Result<Self, InputError> {
        if artifact.number_format() != A::FORMAT {
            return Err(InputError::NumberFormat);
        }
        let need = artifact.scratch_need();
        let latents = scratch.latents.get_mut(..need.latents as usize);
        let latents = latents.and_then(|all| all.split_at_mut_checked(artifact.dims()));
        let activations = scratch.activations.get_mut(..need.activations as usize);
        let (Some((latents, measured)), Some(activations)) = (latents, activations) else {
            return Err(InputError::Scratch);
        };
        let input = input.of_model(artifact);
        input::check::<A>(artifact.input(), input, noise)?;
        Ok(Self {
            artifact,
            input,
            noise,
            latents,
            measured,
            activations,
        })
    }
}

impl<'a, A: Arithmetic> Evaluator<'a, A> {
    /// An evaluation that has not begun.
    #[inline(always)]
    pub fn new(request: Request<'a, A>) -> Self {
        Self {
            draw: 0,
            sums: Evaluation::default(),
            log_det: A::LogDet::default(),
            steps: request.artifact.steps(),
            begun: 0,
            task: Task::Read,
            next: 0,
            coupling: Coupling::empty(),
            schedule: Schedule::empty(),
            row: None,
            request,
        }
    }

    /// Does at most so many steps and counts them down, each of at most so many products, or rows as long as they are.
    /// An evaluation that is done says so again.
    pub fn poll(&mut self, steps: &mut u32, most: Option<usize>) -> Poll<Evaluation> {
        let Ok(found) = self.advance(steps, most, &mut OneCore, &mut ());
        found
    }

    /// Does all steps, without dividing a row.
    pub(super) fn run<E>(
        &mut self,
        sharing: &mut impl Sharing<A, Error = E>,
        observer: &mut impl Observer<A>,
    ) -> Result<Evaluation, E> {
        loop {
            let found = self.advance(&mut { u32::MAX }, None, sharing, observer)?;
            if let Poll::Ready(found) = found {
                return Ok(found);
            }
        }
    }

    /// Does so many steps, each of at most so many products.
    #[inline(always)]
    fn advance<E>(
        &mut self,
        steps: &mut u32,
        most: Option<usize>,
        sharing: &mut impl Sharing<A, Error = E>,
        observer: &mut impl Observer<A>,
    ) -> Result<Poll<Evaluation>, E> {
        loop {
            let is_complete = match self.task {
                Task::Done => return Ok(Poll::Ready(self.mean())),
                _ if *steps == 0 => return Ok(Poll::Pending),
                Task::Coupling => {
                    if !self.rows(steps, most, observer) {
                        continue;
                    }
                    self.take_ratio();
                    let (index, latents) = (self.begun - 1, &mut *self.request.latents);
                    sharing.end(index, &self.coupling, latents, &mut self.log_det)?;
                    true
                }
                Task::Finish => {
                    sharing.complete(&mut self.log_det)?;
                    self.finish();
                    false
                }
                _ => self.units(most),
            };
            *steps -= 1;
            if is_complete {
                self.begin_step(sharing, observer);
            }
        }
    }

    /// Begins the plan's next step, whose predecessor is complete.
    #[inline(never)]
    fn begin_step<E>(
        &mut self,
        sharing: &mut impl Sharing<A, Error = E>,
        observer: &mut impl Observer<A>,
    ) {
        observer.latents(self.begun, self.request.latents);
        self.task = match self.steps.next_in(&mut self.coupling) {
            Some(Ok(Step::Actnorm { view, records })) if parts::GLOW => {
                Task::Actnorm { view, records }
            }
            Some(Ok(Step::InvertibleLinear { view, weights })) if parts::GLOW => {
                Task::InvertibleLinear { view, weights }
            }
            Some(Ok(Step::Coupling(coupling) | Step::Ratio(coupling))) => {
                clear::<A>(coupling, self.request.activations);
                let schedule = &mut self.schedule;
                sharing.begin(self.begun, coupling, schedule, &mut self.log_det);
                Task::Coupling
            }
            other => {
                debug_assert!(other.is_none(), "loading has decoded every step");
                Task::Finish
            }
        };
        self.begun += 1;
    }

    /// What a ratio net says, if the network that is complete is one.
    #[inline(always)]
    fn take_ratio(&mut self) {
        let network = &self.coupling;
        if network.mask != CouplingMask::Whole {
            return;
        }
        let place = network.ratio().map_or(0, |buffer| buffer.offset as usize);
        let unit = bytes::tail(self.request.artifact.tensors(), network.bounds);
        let last = self.request.activations.get(place).copied();
        let nats = A::nats(last.unwrap_or(A::ZERO_ACTIVATION), unit);
        self.sums.ratio_raw = self.sums.ratio_raw.saturating_add(nats);
    }

    /// Ends a draw, and begins the next one if there is one.
    #[inline(always)]
    fn finish(&mut self) {
        let constant = self.request.artifact.plan_head().constant_raw;
        let found = A::finish(&self.log_det, self.request.latents, constant);
        let sums = &mut self.sums;
        sums.log_prob_raw = sums.log_prob_raw.saturating_add(found.log_prob_raw);
        sums.squares_raw = sums.squares_raw.saturating_add(found.squares_raw);
        sums.saturated |= found.saturated;
        self.draw += 1;
        self.task = Task::Done;
        if self.draw < self.draws() {
            self.task = Task::Read;
            self.log_det = A::LogDet::default();
            self.steps = self.request.artifact.steps();
            self.begun = 0;
        }
    }

    fn draws(&self) -> u8 {
        match self.request.noise {
            Noise::Given(_) => 1,
            Noise::Planned => self.request.artifact.input().draws(),
        }
    }

    /// The mean of all draws; of marginals the last one's, since noise within a grey level is little to them.
    #[inline(always)]
    fn mean(&self) -> Evaluation {
        let draws = self.draws();
        let mean = |sum: i64| floor_div(sum.saturating_add(i64::from(draws / 2)), draws);
        Evaluation {
            log_prob_raw: mean(self.sums.log_prob_raw),
            squares_raw: mean(self.sums.squares_raw),
            ratio_raw: mean(self.sums.ratio_raw),
            marginals: self.sums.marginals,
            saturated: self.sums.saturated,
        }
    }

    /// Computes rows of a coupling; says whether it has computed the last one.
    #[inline(never)]
    fn rows(
        &mut self,
        steps: &mut u32,
        most: Option<usize>,
        observer: &mut impl Observer<A>,
    ) -> bool {
        let context = Context {
            coupling: &self.coupling,
            head: self.request.artifact.plan_head(),
            tensors: self.request.artifact.tensors(),
            index: self.begun - 1,
        };
        // What a kernel keeps of the coupling's weights from row to row is too large to be left behind.
        let mut packed = A::PackedWeights::default();
        while *steps > 0 {
            let begun = if most.is_some() { self.row } else { None };
            let next = begun.or_else(|| self.schedule.next_row(&self.coupling));
            let Some(event) = next else {
                return true;
            };
            let mut span = Span::new(self.next, most);
            let state = layer::State {
                latents: self.request.latents,
                activations: self.request.activations,
                packed: &mut packed,
                log_det: &mut self.log_det,
            };
            layer::run_row::<A>(&context, event, &mut span, state, observer);
            self.next = span.next();
            self.row = (self.next > 0).then_some(event);
            *steps -= 1;
        }
        false
    }

    /// Does some of what is neither a coupling nor the end of a draw; says whether all of it is done.
    #[inline(always)]
    fn units(&mut self, most: Option<usize>) -> bool {
        let (head, tensors) = (
            self.request.artifact.plan_head(),
            self.request.artifact.tensors(),
        );
        let (latents, log_det) = (&mut *self.request.latents, &mut self.log_det);
        let mut span = Span::new(self.next, most);
        match self.task {
            Task::Actnorm { view, records } if parts::GLOW => {
                let records = bytes::tail(tensors, records);
                pointwise::actnorm::<A>(view, records, latents, log_det, &mut span);
                if self.request.artifact.standardizes_after(self.begun) {
                    self.sums.marginals = A::marginals(latents);
                }
            }
            Task::InvertibleLinear { view, weights } if parts::GLOW => {
                let weights = bytes::tail(tensors, weights);
                pointwise::linear::<A>(view, weights, latents, log_det, &mut span);
            }
            Task::Whiten if parts::VECTORS => {
                input::whiten::<A>(
                    head,
                    tensors,
                    self.request.measured,
                    latents,
                    log_det,
                    &mut span,
                );
            }
            _ => {
                let drawn = input::Drawn {
                    noise: self.request.noise,
                    draw: self.draw,
                };
                let target = match head.input {
                    PlannedInput::Whitened { .. } if parts::VECTORS => &mut *self.request.measured,
                    _ => latents,
                };
                input::read::<A>(
                    head,
                    tensors,
                    self.request.input,
                    drawn,
                    target,
                    log_det,
                    &mut span,
                );
            }
        }
        self.next = span.next();
        let is_complete = self.next == 0;
        let is_whitened = matches!(head.input, PlannedInput::Whitened { .. });
        if parts::VECTORS && is_complete && is_whitened && matches!(self.task, Task::Read) {
            self.task = Task::Whiten;
            return false;
        }
        is_complete
    }
}

/// Margins and padding lanes of the rings must read as zero, whatever the last coupling left there.
fn clear<A: Arithmetic>(coupling: &Coupling, activations: &mut [A::Activation]) {
    let end = coupling
        .buffers
        .last()
        .map_or(0, |b| b.offset as usize + b.ring_len().unwrap_or(0));
    for value in activations.iter_mut().take(end) {
        *value = A::ZERO_ACTIVATION;
    }
}

/// floor(value / count), by four digits of 16 bits: a 64-bit division would bring a kilobyte of code to small cores.
#[inline(never)]
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
