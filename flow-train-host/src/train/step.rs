//! What every step of a flow can do while training.
//!
//! A new kind of step is one file with one implementation of [`Step`], and a line in `network.rs`.

use super::noise::Noise;
use crate::model::{Model, Tensor};
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Conv, Grid, Map, Scratch, Ticket, Weights};
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

/// What a step remembers from `to_latent` for its gradient.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    /// Activations.
    pub(crate) maps: Vec<Map>,
    /// Numbers for each coordinate that the step changes.
    pub(crate) values: Vec<[f32; 3]>,
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
    /// Room for what the gradient needs.
    fn tape(&self) -> Tape;

    /// Replaces the latents by those after the step and adds its log_det.
    fn to_latent(
        &self,
        context: PassContext<'_>,
        latents: Latents<'_>,
        tape: &mut Tape,
        scratch: &mut Scratch,
    );

    /// Replaces the latents' gradient by that before the step, if it is wanted, and adds the
    /// parameters' gradients.
    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        tape: &Tape,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    );

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
