//! Many inputs through the engine on all cores.

use crate::data::Dataset;
use flow_infer::artifact::Artifact;
use flow_infer::engine::{
    Arithmetic, Evaluation, F16, F32, Fixed, InputError, Noise, ScratchMut, evaluate,
};
use flow_infer::plan::NumberFormat;
use flow_infer::score::Scores;
use rayon::prelude::*;
use std::borrow::Cow;

impl Dataset {
    /// An input as the engine reads it: the image's bytes, or the vector's floats, little-endian.
    pub fn input_bytes(&self, index: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Images(images) => Cow::Borrowed(images.get(index)),
            Self::Vectors(vectors) => Cow::Owned(
                vectors
                    .get(index)
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect(),
            ),
        }
    }
}

/// Memory for one evaluation, from the heap.
#[derive(Debug)]
pub struct HeapScratch<A: Arithmetic> {
    latents: Vec<A::Latent>,
    activations: Vec<A::Activation>,
}

impl<A: Arithmetic> HeapScratch<A> {
    /// As much as an artifact needs.
    pub fn new(artifact: &Artifact<'_>) -> Self {
        let need = artifact.scratch_need();
        Self {
            latents: vec![A::ZERO_LATENT; need.latents as usize],
            activations: vec![A::ZERO_ACTIVATION; need.activations as usize],
        }
    }

    /// Borrows it for an evaluation.
    pub fn borrow(&mut self) -> ScratchMut<'_, A> {
        ScratchMut {
            latents: &mut self.latents,
            activations: &mut self.activations,
        }
    }

    /// The latents that the last evaluation left.
    pub fn latents(&self) -> &[A::Latent] {
        &self.latents
    }
}

/// log_prob of every input, in order. `noise` gives the dequantization noise of an input, where it is not the
/// midpoint; `finished` is called after each input, from any thread.
///
/// # Errors
/// The first input in order that the engine refuses, with its index.
pub fn evaluate_all(
    artifact: &Artifact<'_>,
    data: &Dataset,
    noise: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Evaluation>, (usize, InputError)> {
    match artifact.number_format() {
        NumberFormat::Q8 => run::<Fixed>(artifact, data, noise, finished),
        NumberFormat::F32 => run::<F32>(artifact, data, noise, finished),
        NumberFormat::F16 => run::<F16>(artifact, data, noise, finished),
    }
}

fn run<A>(
    artifact: &Artifact<'_>,
    data: &Dataset,
    noise: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Evaluation>, (usize, InputError)>
where
    A: Arithmetic,
    A::Latent: Send,
    A::Activation: Send,
{
    let evaluate_one = |scratch: &mut HeapScratch<A>, index: usize| {
        let given = noise(index);
        let noise = given.as_deref().map_or(Noise::Midpoint, Noise::Given);
        let input = data.input_bytes(index);
        let result = evaluate(artifact, &input, noise, scratch.borrow(), &mut ());
        finished();
        result.map_err(|error| (index, error))
    };
    let inputs = (0..data.len()).into_par_iter();
    inputs
        .map_init(|| HeapScratch::<A>::new(artifact), evaluate_one)
        .collect()
}

/// Scores of every input, in order: log_prob, and for images the code length. Arguments as in [`evaluate_all`].
///
/// # Errors
/// The first input in order that the engine refuses, with its index.
pub fn score_all(
    artifact: &Artifact<'_>,
    data: &Dataset,
    noise: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Scores>, (usize, InputError)> {
    let evaluations = evaluate_all(artifact, data, noise, finished)?;
    let scores = evaluations.into_iter().map(|evaluation| Scores {
        log_prob_raw: evaluation.log_prob_raw,
        code_length_raw: None,
        saturated: evaluation.saturated,
    });
    Ok(scores.collect())
}
