//! One input on two cores: each computes half of a coupling's rows, and of its conditioner the rows that these need.
//!
//! Two cores of a microcontroller or two threads of a host call [`evaluate_half`] with the same input and memory of
//! their own. After each coupling that is worth it they exchange the latents that they changed; everything else both
//! compute. Integer sums may be split anywhere, so the evaluation is the one of [`evaluate`](super::evaluate) to the
//! bit. A convolution of side 3 costs each core a row beyond its half, so of `fashion-tiny` each computes two thirds.

use super::evaluator::{Evaluator, Request, Sharing};
use super::fixed::FixedLogDet;
use super::rendezvous::Rendezvous;
use super::{Evaluation, Fixed, InputError, Noise, ScratchMut};
use crate::artifact::Artifact;
use crate::plan::{Coupling, Layer, LayerKind, Schedule, Step, check_schedule};
use crate::spec::{Half, MAX_LEVELS, MAX_STEPS};
use core::ops::Range;

/// Share of a coupling's multiplications, of 8, that a half may cost at most to be worth an exchange.
const WORTH: u64 = 7;
/// Words of 32 steps: of as many as a flow has levels and steps.
const WORDS: usize = (MAX_LEVELS * MAX_STEPS).div_ceil(32);

/// Which couplings of a flow two cores share: those whose halves need few rows beyond themselves. A conditioner that
/// reads the whole image for each of its rows (as dense layers do) is computed twice.
#[derive(Clone, Debug)]
pub struct RowSplit {
    /// A bit for each step.
    shared: [u32; WORDS],
}

impl RowSplit {
    /// The couplings of this flow to share.
    pub fn of(artifact: &Artifact<'_>) -> Self {
        let mut split = Self { shared: [0; WORDS] };
        let mut steps = artifact.steps();
        let mut room = Coupling::empty();
        let mut index = 0;
        while let Some(Ok(step)) = steps.next_in(&mut room) {
            if let Step::Coupling(coupling) = step
                && is_worth_it(coupling)
                && let Some(word) = split.shared.get_mut(index / 32)
            {
                *word |= 1 << (index % 32);
            }
            index += 1;
        }
        split
    }

    /// Whether both cores compute half of this step.
    pub fn shares(&self, step: usize) -> bool {
        let word = self.shared.get(step / 32).copied().unwrap_or(0);
        word >> (step % 32) & 1 == 1
    }

    /// How many steps they share.
    pub fn count(&self) -> u32 {
        self.shared.iter().map(|word| word.count_ones()).sum()
    }
}

/// The rows of a half.
fn rows(coupling: &Coupling, half: Half) -> Range<u16> {
    let height = coupling.view.shape().height;
    let start = half.start(usize::from(height)) as u16;
    start..start + half.count(usize::from(height)) as u16
}

fn is_worth_it(coupling: &Coupling) -> bool {
    let whole = multiplies(coupling, &Schedule::new(coupling));
    [Half::First, Half::Second].into_iter().all(|half| {
        let mut schedule = Schedule::of_rows(coupling, rows(coupling, half));
        let worth = 8 * multiplies(coupling, &schedule) <= WORTH * whole;
        // Rings were made for the whole image: a half must not read what it has overwritten.
        worth && check_schedule(coupling, &mut schedule).is_ok()
    })
}

/// Multiplications of a schedule that has not begun.
fn multiplies(coupling: &Coupling, schedule: &Schedule) -> u64 {
    let of_layer = |(index, layer): (usize, &Layer)| {
        let (LayerKind::Conv(window) | LayerKind::ConvTransposed(window)) = layer.kind else {
            return 0;
        };
        let source = coupling.buffers.get(usize::from(layer.source));
        let pixel = source.map_or(0, |source| source.pixel_len() as u64);
        let outputs = coupling.output_shape(layer);
        let outputs = outputs.map_or(0, |s| u64::from(s.width) * u64::from(s.channels));
        let rows = schedule.end(index).saturating_sub(schedule.done(index)) as u64;
        rows * outputs * pixel * u64::from(window.height) * u64::from(window.width)
    };
    coupling.layers.iter().enumerate().map(of_layer).sum()
}

/// log_prob of one input, on one of two cores; both get the same result. The other core calls it with the other half and
/// otherwise the same, in memory of its own.
///
/// # Errors
/// Those of [`evaluate`](super::evaluate), and [`InputError::Rendezvous`] if the rendezvous's rooms are too small or the other
/// half refused its input, now or ever before.
pub fn evaluate_half(
    artifact: &Artifact<'_>,
    input: &[u8],
    noise: Noise<'_>,
    scratch: ScratchMut<'_, Fixed>,
    (half, split): (Half, &RowSplit),
    rendezvous: &Rendezvous<'_>,
) -> Result<Evaluation, InputError> {
    let mut sharing = Shared {
        half,
        split,
        rendezvous,
        own: FixedLogDet::default(),
    };
    let request = Request::new(artifact, input.into(), noise, scratch);
    let found = request.and_then(|request| Evaluator::new(request).run(&mut sharing, &mut ()));
    if found.is_err() {
        rendezvous.refuse();
    }
    found
}

/// Computes as one of two.
struct Shared<'h> {
    half: Half,
    split: &'h RowSplit,
    rendezvous: &'h Rendezvous<'h>,
    /// What the rows of this half add; the other half's evaluator holds its own.
    own: FixedLogDet,
}

impl Sharing<Fixed> for Shared<'_> {
    type Error = InputError;

    fn begin(
        &mut self,
        step: usize,
        coupling: &Coupling,
        schedule: &mut Schedule,
        log_det: &mut FixedLogDet,
    ) {
        if !self.split.shares(step) {
            return schedule.restart(coupling);
        }
        // What the rows add goes to `own` until the coupling ends.
        core::mem::swap(&mut self.own, log_det);
        *schedule = Schedule::of_rows(coupling, rows(coupling, self.half));
    }

    fn end(
        &mut self,
        step: usize,
        coupling: &Coupling,
        latents: &mut [i32],
        log_det: &mut FixedLogDet,
    ) -> Result<(), InputError> {
        if !self.split.shares(step) {
            return Ok(());
        }
        core::mem::swap(&mut self.own, log_det);
        self.rendezvous.exchange(self.half, coupling.view, latents)
    }

    fn complete(&mut self, log_det: &mut FixedLogDet) -> Result<(), InputError> {
        let own = core::mem::take(&mut self.own);
        let theirs = self.rendezvous.log_det(self.half, &own)?;
        log_det.add(&own);
        log_det.add(&theirs);
        Ok(())
    }
}
