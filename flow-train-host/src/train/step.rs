//! What every step of a flow can do while training.
//!
//! A new kind of step is one file with its [`Step`] and its [`StepPass`], and a line in `network.rs`.
//! What the gradient needs of the way to latent are fields of the pass, which nothing else sees.

use super::noise::Noise;
use crate::model::{Model, Tensor};
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Conv, Grid, Scratch, Ticket, Weights};
use flow_infer::spec::View;
use std::collections::BTreeMap;

/// Which samples pass through the flow together.
///
/// Few images: their pixels fill the registers, and their activations stay in the cache. Vectors
/// have one pixel each, so the vectors of a group are the pixels of one map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Coordinates of a sample.
    pub(crate) dims: usize,
    /// Most samples at once.
    pub(crate) samples: usize,
    /// Whether samples are vectors.
    pub(crate) vectors: bool,
}

impl Group {
    /// The pixels that a step with this view works on.
    pub(crate) fn grid(&self, view: View) -> Grid {
        match self.vectors {
            true => Grid::vectors(self.samples),
            false => {
                let shape = view.shape();
                Grid::image(shape.height.into(), shape.width.into()).times(self.samples)
            }
        }
    }

    /// Row and column in a map of this grid of a sample's pixel.
    pub(crate) fn pixel(&self, grid: Grid, sample: usize, y: usize, x: usize) -> (usize, usize) {
        match self.vectors {
            true => (0, sample),
            false => (sample * grid.height + y, x),
        }
    }
}

/// Latents on their way: as many samples as there are log_dets.
pub(crate) struct Latents<'a> {
    /// Samples x D.
    pub(crate) z: &'a mut [f32],
    /// log_det of each sample, in nats, so far.
    pub(crate) log_det: &'a mut [f64],
}

/// Gradients on their way back.
pub(crate) struct LatentGradients<'a> {
    /// Gradient of the loss with respect to the latents, samples x D.
    pub(crate) z: &'a mut [f32],
    /// Weight of each sample's negative log_prob in the loss: minus the gradient with respect to
    /// log_det.
    pub(crate) weight: &'a [f32],
    /// Whether anybody reads what the step makes of them; nothing is trained before the first step.
    pub(crate) wanted: bool,
}

/// One step of a flow.
pub(crate) trait Step: Send + Sync {
    /// Room for passes through it.
    fn pass(&self) -> Box<dyn StepPass + '_>;

    /// Chooses the parameters' first values. `z` are the latents before the step of whole groups of
    /// samples; they are replaced by those after it.
    fn initialize(&self, cpu: Cpu, weights: &mut Weights, noise: &mut Noise, z: &mut [f32]);

    /// Convolutions and dense layers, to be blocked.
    fn convs(&self) -> Vec<&Conv>;

    /// Sets the unblocked parameters that the model holds in another form.
    fn read_model(&self, _model: &Model, _loose: &mut [f32]) {}

    /// Adds the tensors that the unblocked parameters hold in another form.
    fn write_model(&self, _loose: &[f32], _tensors: &mut BTreeMap<String, Tensor>) {}
}

/// Passes of groups of samples through one step, one after another: to latent, then back.
pub(crate) trait StepPass: Send {
    /// Replaces the latents by those after the step and adds its log_det.
    fn to_latent(&mut self, context: PassContext<'_>, latents: Latents<'_>, scratch: &mut Scratch);

    /// Replaces the latents' gradient by that before the step, if it is wanted, and adds the
    /// parameters' gradients of the last [`to_latent`](Self::to_latent).
    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    );
}
