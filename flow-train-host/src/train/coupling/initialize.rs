//! Data-dependent initialization of a coupling's parameters.
//!
//! Without batch norm nothing else centres the activations: images are mostly background, a
//! constant far from zero, so all hidden channels move together, and the steepest direction of the
//! loss (everybody's mean) bounds the learning rate of all others. So every hidden layer's first
//! output gets mean 0 and a given deviation in every channel, layer by layer, on a few samples; and
//! the output layer's bias makes the coupling begin as the actnorm of what it changes.
//! `fashion-tiny` after 300 steps of 32 images: 4.23 bits per dim in training, 4.59 with plain He
//! values.

use super::{Coupling, CouplingPass};
use crate::moments::ChannelMoments;
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Map, Scratch, Weights};
use crate::train::noise::Noise;
use crate::train::scale_map;
use crate::train::step::{Latents, StepPass};
use flow_infer::spec::AffineForm;

/// log_scale_bound before training: scales between 1/e and e.
const INITIAL_BOUND: f32 = 1.0;

/// Initializes all parameters; `z` becomes the latents after the coupling.
pub(super) fn initialize(
    coupling: &Coupling,
    cpu: Cpu,
    weights: &mut Weights,
    noise: &mut Noise,
    z: &mut [f32],
) {
    if let Some(range) = &coupling.bound {
        weights.numbers.unblocked[range.clone()].fill(INITIAL_BOUND);
    }
    let layers = coupling.conditioner.layers();
    let Some((last, hidden)) = layers.split_last() else {
        return;
    };
    for (k, layer) in hidden.iter().enumerate() {
        let deviation = (2.0 / layer.conv.fan_in() as f32).sqrt();
        let mut values = vec![0.0; layer.conv.weights() + layer.conv.biases()];
        values[..layer.conv.weights()].fill_with(|| deviation * noise.normal());
        layer.conv.set(&values, &mut weights.numbers);
        let context = PassContext { cpu, weights };
        normalize(coupling, context, k, z, &mut values);
        layer.conv.set(&values, &mut weights.numbers);
    }
    let mut values = vec![0.0; last.conv.weights()];
    values.extend(begin_as_actnorm(coupling, z));
    last.conv.set(&values, &mut weights.numbers);
    let (mut pass, mut scratch) = (CouplingPass::new(coupling), Scratch::default());
    let mut log_det = vec![0.0; coupling.group.samples];
    for z in z.chunks_exact_mut(coupling.group.samples * coupling.group.dims) {
        let latents = Latents {
            z,
            log_det: &mut log_det,
        };
        let context = PassContext { cpu, weights };
        pass.to_latent(context, latents, &mut scratch);
    }
}

/// Gives a layer's outputs mean 0 and its deviation, all earlier layers being done; `values` are
/// its weights and bias.
fn normalize(
    coupling: &Coupling,
    context: PassContext<'_>,
    number: usize,
    z: &[f32],
    values: &mut [f32],
) {
    let (mut pass, mut scratch) = (CouplingPass::new(coupling), Scratch::default());
    let mut out = Map::new(coupling.out_channels, coupling.grid);
    let layer = coupling.conditioner.layers()[number];
    let mut moments = ChannelMoments::new(layer.conv.biases());
    for z in z.chunks_exact(coupling.group.samples * coupling.group.dims) {
        pass.condition(context, z, &mut out, &mut scratch);
        let read = pass.conditioner.read_by_layers(&pass.kept)[number];
        add_map(&mut moments, &layer.output(context, read));
    }
    let (mean, factor): (Vec<_>, Vec<_>) = moments
        .normalizing()
        .map(|(mean, factor)| (mean, factor * layer.initial_std))
        .unzip();
    layer.conv.normalize_outputs(values, &mean, &factor);
}

/// Adds every pixel of a map.
fn add_map(moments: &mut ChannelMoments, map: &Map) {
    let grid = map.grid();
    for c in 0..map.channels() {
        for y in 0..grid.rows() {
            (0..grid.width).for_each(|x| moments.add(c, map.get(map.index(c, y, x))));
        }
    }
    moments.count(grid.rows() * grid.width);
}

/// Output bias that gives the changed coordinates of each channel mean 0 and deviation 1, as far as
/// the map can.
fn begin_as_actnorm(coupling: &Coupling, z: &[f32]) -> Vec<f32> {
    let channels = coupling.out_channels / 2;
    let mut moments = ChannelMoments::new(channels);
    let groups = z.chunks_exact(coupling.group.samples * coupling.group.dims);
    for z in groups {
        for c in coupling.coordinates.changed() {
            moments.add(c.channel, z[c.latent]);
        }
        moments.count(coupling.coordinates.changed_len() / channels);
    }
    let mut bias = vec![0.0; 2 * channels];
    for (channel, (mean, factor)) in moments.normalizing().enumerate() {
        let map = coupling.scale_map;
        let raw_scale = scale_map::raw_scale_for(map, factor.ln(), INITIAL_BOUND);
        let scale = scale_map::apply_one(map, raw_scale, INITIAL_BOUND).0.exp();
        bias[channel] = raw_scale;
        bias[channels + channel] = match coupling.affine {
            AffineForm::ShiftThenScale => -mean,
            AffineForm::ScaleThenShift => -mean * scale,
        };
    }
    bias
}
