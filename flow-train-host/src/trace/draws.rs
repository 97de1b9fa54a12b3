//! Latents of several dequantization draws, and their mean.
//!
//! One draw of a latent is mostly noise on flat areas; the mean over forty shows which edges of the
//! image the flow has left in it (the paper's section 5).

use super::natural;
use crate::data::Dataset;
use crate::evaluate::HeapScratch;
use crate::parallel::try_map;
use crate::train::noise::{Noise as Random, Purpose};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Arithmetic, F16, F32, InputError, Noise, Observer, evaluate};
use flow_infer::plan::NumberFormat;

/// Latents of one image, image-shaped.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// Of the first draw.
    pub first: Vec<f32>,
    /// Mean over all draws.
    pub mean: Vec<f32>,
}

/// `count` draws of every image's latent, on all cores. A draw is a function of seed, number and
/// image; `finished` is called after each draw, from any thread.
///
/// # Errors
/// The first image in order that the engine refuses, with its index:
/// [`InputError::NoiseUnsupported`] for integer models, which have [`planned_draws`] only.
pub fn draws(
    artifact: &Artifact<'_>,
    data: &Dataset,
    count: u32,
    seed: u64,
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Draws>, (usize, InputError)> {
    let of_image = |index: usize| {
        let input = data.input_bytes(index);
        let draws = (0..u64::from(count.max(1))).map(|draw| {
            let noise = noise(seed, [draw, index as u64], artifact.dims());
            let latents = latents(artifact, &input, &noise);
            finished();
            latents.map_err(|error| (index, error))
        });
        mean(draws)
    };
    try_map(data.len(), || (), |(), index| of_image(index))
}

/// The noise that an evaluation with this seed draws for an image.
fn noise(seed: u64, key: [u64; 2], dims: usize) -> Vec<f32> {
    let mut random = Random::new(seed, Purpose::Evaluate, key);
    (0..dims).map(|_| random.uniform()).collect()
}

fn latents(artifact: &Artifact<'_>, input: &[u8], noise: &[f32]) -> Result<Vec<f32>, InputError> {
    match artifact.number_format() {
        NumberFormat::Q8 => Err(InputError::NoiseUnsupported),
        NumberFormat::F32 => latents_with::<F32>(artifact, input, noise),
        NumberFormat::F16 => latents_with::<F16>(artifact, input, noise),
    }
}

fn latents_with<A: Arithmetic>(
    artifact: &Artifact<'_>,
    input: &[u8],
    noise: &[f32],
) -> Result<Vec<f32>, InputError> {
    let mut scratch = HeapScratch::<A>::new(artifact);
    let noise = Noise::Given(noise);
    evaluate(artifact, input, noise, scratch.borrow(), &mut ())?;
    Ok(natural::<A>(&scratch.latents()[..artifact.dims()]))
}

/// The draws that the model's own file asks for, of every image; both are the same where it asks
/// for none. On all cores; `finished` is called after each image, from any thread.
///
/// # Errors
/// The first image in order that the engine refuses, with its index.
pub fn planned_draws(
    artifact: &Artifact<'_>,
    data: &Dataset,
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<Draws>, (usize, InputError)> {
    let of_image = |index: usize| {
        let input = data.input_bytes(index);
        let draws =
            crate::by_number_format!(artifact.number_format(), planned_with(artifact, &input));
        finished();
        draws.map_err(|error| (index, error))
    };
    try_map(data.len(), || (), |(), index| of_image(index))
}

fn planned_with<A: Arithmetic>(artifact: &Artifact<'_>, input: &[u8]) -> Result<Draws, InputError> {
    let mut scratch = HeapScratch::<A>::new(artifact);
    let mut last = Last {
        index: usize::from(artifact.plan_head().steps),
        draws: Vec::new(),
    };
    evaluate(artifact, input, Noise::Planned, scratch.borrow(), &mut last)?;
    mean(last.draws.into_iter().map(Ok))
}

/// Collects the latents of every draw.
struct Last {
    /// Number of steps.
    index: usize,
    draws: Vec<Vec<f32>>,
}

impl<A: Arithmetic> Observer<A> for Last {
    fn latents(&mut self, index: usize, latents: &[A::Latent]) {
        if index == self.index {
            self.draws.push(natural::<A>(latents));
        }
    }
}

fn mean<E>(mut draws: impl Iterator<Item = Result<Vec<f32>, E>>) -> Result<Draws, E> {
    let first = draws.next().transpose()?.unwrap_or_default();
    let mut sum: Vec<f64> = first.iter().map(|&z| f64::from(z)).collect();
    let mut count = 1.0;
    for draw in draws {
        let draw = draw?;
        sum.iter_mut()
            .zip(&draw)
            .for_each(|(s, &z)| *s += f64::from(z));
        count += 1.0;
    }
    let mean = sum.iter().map(|s| (s / count) as f32).collect();
    Ok(Draws { first, mean })
}
