//! Many inputs through the engine on all cores.

use crate::data::Dataset;
use crate::parallel::try_map;
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, Evaluation, InputError, Noise, ScratchMut, evaluate};
use flow_infer::score::Scores;
use flow_infer::score::complexity::Coder;
use std::borrow::Cow;

impl Dataset {
    /// An input as a model's file has it: the image's bytes, the vector's floats, little-endian, or the window that it was
    /// measured in.
    pub fn input_bytes(&self, index: usize) -> Cow<'_, [u8]> {
        match self.windows() {
            Some(windows) => Cow::Owned(windows.bytes(index)),
            None => self.flow_bytes(index),
        }
    }

    /// An input as the flow behind the front end reads it: the image's bytes, or the vector's floats, little-endian.
    pub fn flow_bytes(&self, index: usize) -> Cow<'_, [u8]> {
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
    dims: usize,
    activations: Vec<A::Activation>,
}

impl<A: Arithmetic> HeapScratch<A> {
    /// As much as an artifact needs.
    pub fn new(artifact: &Artifact<'_>) -> Self {
        let need = artifact.scratch_need();
        Self {
            latents: vec![A::ZERO_LATENT; need.latents as usize],
            dims: artifact.dims(),
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
        &self.latents[..self.dims]
    }
}

/// Scores of every input, in order. `noise` gives the dequantization noise of an input, where it is not the midpoint;
/// `finished` is called after each input, from any thread.
///
/// # Errors
/// The first input in order that the engine refuses, with its index.
pub fn score_all(
    artifact: &Artifact<'_>,
    data: &Dataset,
    noise: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Scores>, (usize, InputError)> {
    crate::by_number_format!(
        artifact.number_format(),
        run(artifact, data, noise, finished)
    )
}

fn run<A>(
    artifact: &Artifact<'_>,
    data: &Dataset,
    noise: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Scores>, (usize, InputError)>
where
    A: Arithmetic,
    A::Latent: Send,
    A::Activation: Send,
{
    let memory = || (HeapScratch::<A>::new(artifact), Coder::new());
    let score = |(scratch, coder): &mut (HeapScratch<A>, Coder), index: usize| {
        let given = noise(index);
        let noise = given.as_deref().map_or(Noise::Planned, Noise::Given);
        let mut detector = Detector::new(artifact, scratch.borrow(), coder);
        let scores = detector.scores(&data.input_bytes(index), noise);
        finished();
        scores.map_err(|error| (index, error))
    };
    try_map(data.len(), memory, score)
}

/// Scores of the file's golden vectors, in order.
///
/// # Errors
/// The first vector that the engine refuses, with its index.
pub fn score_golden(artifact: &Artifact<'_>) -> Result<Vec<Scores>, (usize, InputError)> {
    crate::by_number_format!(artifact.number_format(), golden(artifact))
}

fn golden<A: Arithmetic>(artifact: &Artifact<'_>) -> Result<Vec<Scores>, (usize, InputError)> {
    let (mut scratch, mut coder) = (HeapScratch::<A>::new(artifact), Coder::new());
    let mut detector = Detector::new(artifact, scratch.borrow(), &mut coder);
    let vectors = artifact.golden().enumerate();
    let scores = vectors.map(|(index, vector)| {
        let scores = detector.scores(vector.input, Noise::Planned);
        scores.map_err(|error| (index, error))
    });
    scores.collect()
}

/// log_prob of every input, in order, and no other score; noise as the file says.
///
/// # Errors
/// The first input in order that the engine refuses, with its index.
pub fn log_prob_all(
    artifact: &Artifact<'_>,
    data: &Dataset,
) -> Result<Vec<Evaluation>, (usize, InputError)> {
    crate::by_number_format!(artifact.number_format(), evaluations(artifact, data))
}

fn evaluations<A>(
    artifact: &Artifact<'_>,
    data: &Dataset,
) -> Result<Vec<Evaluation>, (usize, InputError)>
where
    A: Arithmetic,
    A::Latent: Send,
    A::Activation: Send,
{
    let evaluation = |scratch: &mut HeapScratch<A>, index: usize| {
        let input = data.input_bytes(index);
        let found = evaluate(artifact, &input, Noise::Planned, scratch.borrow(), &mut ());
        found.map_err(|error| (index, error))
    };
    try_map(data.len(), || HeapScratch::<A>::new(artifact), evaluation)
}
