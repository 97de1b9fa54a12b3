//! What a flow makes of an input on the way: latents after every step, shift and log_scale of every
//! coupling.
//!
//! All of it is the engine's own, seen through an [`Observer`]: a picture of another implementation
//! would not show what the device computes. Latents are image-shaped throughout, because the engine
//! never moves them; so is what a coupling says of the coordinates it changes.

mod ablate;
mod draws;

pub use ablate::ablate;
pub use draws::{Draws, draws, planned_draws};

use crate::data::Dataset;
use crate::evaluate::HeapScratch;
use crate::parallel::try_map;
use flow_infer::artifact::Artifact;
use flow_infer::engine::{
    Arithmetic, Coupled, InputError, LOG_SCALE_STEPS_PER_OCTAVE, Noise, Observer, evaluate,
};
use flow_infer::plan::{Coupling, NumberFormat, PlannedScale, Step};
use flow_infer::spec::units::nats_from_raw;
use flow_infer::spec::{AffineForm, CouplingMask, View};

/// Fraction bits of a bound in integer models (documents/format.md, Arithmetic of q8).
const BOUND_FRACTION_BITS: i32 = 8;

/// An image-shaped array with values at some coordinates only.
pub type Field = Vec<Option<f32>>;

/// What the flow makes of one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Before the first step, then after every step; image-shaped.
    pub latents: Vec<Vec<f32>>,
    /// Of every coupling, in the order data to latent.
    pub couplings: Vec<CouplingTrace>,
    /// log_prob of the input, over all draws that the model's file asks for.
    pub log_prob_nats: f64,
}

/// What a coupling's conditioner says of one input.
#[derive(Clone, Debug, PartialEq)]
pub struct CouplingTrace {
    /// Index of the step in the plan.
    pub step: usize,
    /// What it acts on.
    pub view: View,
    /// Which coordinates it keeps and changes.
    pub mask: CouplingMask,
    /// Order of shift and scale.
    pub affine: AffineForm,
    /// log_scale in nats, where a coordinate is changed.
    pub log_scale: Field,
    /// Shift, where a coordinate is changed.
    pub shift: Field,
}

impl CouplingTrace {
    /// What the coupling expects at the coordinates it changes: the x that it maps to 0, the middle
    /// of the prior.
    ///
    /// -shift for shift_then_scale, -shift exp(-log_scale) for scale_then_shift.
    pub fn expected(&self) -> Field {
        let both = self.shift.iter().zip(&self.log_scale);
        let expected = both.map(|(shift, log_scale)| match self.affine {
            AffineForm::ShiftThenScale => shift.map(|t| -t),
            AffineForm::ScaleThenShift => shift.zip(*log_scale).map(|(t, s)| -t * (-s).exp()),
        });
        expected.collect()
    }
}

/// Looks at every input of a data set as the model reads it (the midpoint, or else the last draw
/// that its file asks for), on all cores; `finished` is called after each, from
/// any thread.
///
/// # Errors
/// The first input in order that the engine refuses, with its index.
pub fn trace_all(
    artifact: &Artifact<'_>,
    data: &Dataset,
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Trace>, (usize, InputError)> {
    let one = |(): &mut (), index| {
        let trace = trace(artifact, &data.input_bytes(index), Noise::default());
        finished();
        trace.map_err(|error| (index, error))
    };
    try_map(data.len(), || (), one)
}

/// Looks at one input.
///
/// # Errors
/// [`InputError`] as of [`evaluate`].
pub fn trace(artifact: &Artifact<'_>, input: &[u8], noise: Noise<'_>) -> Result<Trace, InputError> {
    crate::by_number_format!(artifact.number_format(), trace_with(artifact, input, noise))
}

fn trace_with<A: Arithmetic>(
    artifact: &Artifact<'_>,
    input: &[u8],
    noise: Noise<'_>,
) -> Result<Trace, InputError> {
    let mut scratch = HeapScratch::<A>::new(artifact);
    let mut seen = Seen::default();
    let evaluation = evaluate(artifact, input, noise, scratch.borrow(), &mut seen)?;
    let dims = artifact.dims();
    // The artifact decoded every step when it was loaded.
    let steps = artifact.steps().flatten().enumerate();
    let couplings = steps.filter_map(|(step, planned)| match planned {
        Step::Coupling(coupling) => {
            let of_step = seen.coupled.iter().filter(|(s, _)| *s == step);
            let said = of_step.map(|(_, coupled)| coupled);
            Some(coupling_trace(artifact, step, &coupling, said, dims))
        }
        _ => None,
    });
    Ok(Trace {
        couplings: couplings.collect(),
        latents: seen.latents,
        log_prob_nats: nats_from_raw(evaluation.log_prob_raw),
    })
}

/// Collects what the engine shows.
#[derive(Default)]
struct Seen {
    latents: Vec<Vec<f32>>,
    coupled: Vec<(usize, Coupled)>,
}

impl<A: Arithmetic> Observer<A> for Seen {
    fn latents(&mut self, index: usize, latents: &[A::Latent]) {
        if index == 0 {
            // An input that is evaluated several times is looked at once.
            *self = Self::default();
        }
        self.latents.push(natural::<A>(latents));
    }

    fn coupled(&mut self, step: usize, coupled: Coupled) {
        self.coupled.push((step, coupled));
    }
}

/// Latents in natural units.
fn natural<A: Arithmetic>(latents: &[A::Latent]) -> Vec<f32> {
    let value = |&latent| A::latent_value(latent) as f32;
    latents.iter().map(value).collect()
}

fn coupling_trace<'c>(
    artifact: &Artifact<'_>,
    step: usize,
    coupling: &Coupling,
    said: impl Iterator<Item = &'c Coupled>,
    dims: usize,
) -> CouplingTrace {
    let channels = channel_of_offset(coupling, dims);
    let (mut log_scale, mut shift) = (vec![None; dims], vec![None; dims]);
    for coupled in said {
        let bound = bound_nats(artifact, coupling, channels[coupled.offset]);
        let value = bound * unbounded(coupling.scale, coupled.raw_scale);
        log_scale[coupled.offset] = Some(value as f32);
        shift[coupled.offset] = Some(coupled.shift as f32);
    }
    CouplingTrace {
        step,
        view: coupling.view,
        mask: coupling.mask,
        affine: coupling.affine,
        log_scale,
        shift,
    }
}

/// Index among the changed channels of every coordinate that the coupling changes.
fn channel_of_offset(coupling: &Coupling, dims: usize) -> Vec<usize> {
    let (view, shape) = (coupling.view, coupling.view.shape());
    let (first, count) = coupling.mask.changed_channels(view.channels());
    let mut channels = vec![0; dims];
    for channel in 0..count {
        for y in 0..usize::from(shape.height) {
            for x in 0..usize::from(shape.width) {
                channels[view.offset(first + channel, y, x)] = channel;
            }
        }
    }
    channels
}

/// The factor of the scale map at a changed channel, in nats.
fn bound_nats(artifact: &Artifact<'_>, coupling: &Coupling, channel: usize) -> f64 {
    let at = coupling.bounds as usize + 4 * channel;
    let word = artifact.tensors().get(at..).and_then(<[u8]>::first_chunk);
    // A loaded artifact has a bound for every changed channel.
    let word = *word.unwrap_or(&[0; 4]);
    match artifact.number_format() {
        NumberFormat::Q8 => {
            let steps = f64::from(i32::from_le_bytes(word)) * 2f64.powi(-BOUND_FRACTION_BITS);
            steps * std::f64::consts::LN_2 / f64::from(LOG_SCALE_STEPS_PER_OCTAVE)
        }
        NumberFormat::F32 | NumberFormat::F16 => f64::from(f32::from_le_bytes(word)),
    }
}

/// log_scale for a bound of 1.
fn unbounded(scale: PlannedScale, raw_scale: f64) -> f64 {
    match scale {
        PlannedScale::Tanh => raw_scale.tanh(),
        PlannedScale::Linear => raw_scale,
        PlannedScale::Atan => raw_scale.atan(),
        PlannedScale::Softsign => raw_scale / (1.0 + raw_scale.abs()),
        PlannedScale::SigmoidInverse => (-raw_scale).exp().ln_1p(),
        PlannedScale::Softplus { floor, most } => {
            let softplus = raw_scale.max(0.0) + (-raw_scale.abs()).exp().ln_1p();
            (softplus + f64::from(floor)).min(f64::from(most)).ln()
        }
        PlannedScale::Sigmoid { floor } => {
            (1.0 / (1.0 + (-raw_scale).exp()) + f64::from(floor)).ln()
        }
    }
}
