//! First values of a coupling's parameters, chosen by looking at data.
//!
//! Without batch norm nothing else centres the activations: images are mostly background, a constant far from zero, so
//! all hidden channels move together, and the steepest direction of the loss (everybody's mean) bounds the learning
//! rate of all others. So every hidden layer's first output gets mean 0 and a given deviation in every channel, layer
//! by layer, on a few samples; and the output layer's bias makes the coupling begin as the actnorm of what it changes.
//! `fashion-tiny` after 300 steps of 32 images: 4.23 bits per dim in training, 4.59 with plain He values.

use super::coupling::Coupling;
use super::noise::Noise;
use super::scale_map;
use super::step::{Latents, Step, Tape};
use crate::nn::conditioner::{Layer, Source, With};
use crate::nn::kernels::Cpu;
use crate::nn::{Map, Scratch, Weights};
use flow_infer::spec::AffineForm;

/// log_scale_bound before training: scales between 1/e and e.
const FIRST_BOUND: f32 = 1.0;
/// Below this a deviation is taken for that of a constant, which no factor makes 1.
const SMALLEST_DEVIATION: f64 = 1e-3;

/// Mean and deviation per channel.
pub(super) struct Moments {
    sums: Vec<[f64; 2]>,
    pub(super) count: f64,
}

impl Moments {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            sums: vec![[0.0; 2]; channels],
            count: 0.0,
        }
    }

    pub(super) fn add(&mut self, channel: usize, value: f32) {
        let value = f64::from(value);
        self.sums[channel][0] += value;
        self.sums[channel][1] += value * value;
    }

    fn add_map(&mut self, map: &Map) {
        let grid = map.grid();
        for c in 0..self.sums.len() {
            for y in 0..grid.rows() {
                (0..grid.width).for_each(|x| self.add(c, map.get(map.index(c, y, x))));
            }
        }
        self.count += (grid.rows() * grid.width) as f64;
    }

    /// Mean, and the factor that makes the deviation 1.
    pub(super) fn finish(&self) -> impl Iterator<Item = (f32, f32)> + '_ {
        self.sums.iter().map(|[sum, squares]| {
            let mean = sum / self.count;
            let deviation = (squares / self.count - mean * mean).max(0.0).sqrt();
            let factor = match deviation > SMALLEST_DEVIATION {
                true => 1.0 / deviation,
                false => 1.0,
            };
            (mean as f32, factor as f32)
        })
    }
}

/// Chooses all first values; `z` becomes the latents after the coupling.
pub(super) fn choose(
    coupling: &Coupling,
    cpu: Cpu,
    weights: &mut Weights,
    noise: &mut Noise,
    z: &mut [f32],
) {
    if let Some(range) = &coupling.bound {
        weights.numbers.loose[range.clone()].fill(FIRST_BOUND);
    }
    let layers = coupling.conditioner.layers();
    let Some((last, hidden)) = layers.split_last() else {
        return;
    };
    for layer in hidden {
        let deviation = (2.0 / layer.conv.fan_in() as f32).sqrt();
        let mut values = vec![0.0; layer.conv.weights() + layer.conv.biases()];
        values[..layer.conv.weights()].fill_with(|| deviation * noise.normal());
        layer.conv.set(&values, &mut weights.numbers);
        normalize(coupling, With { cpu, weights }, layer, z, &mut values);
        layer.conv.set(&values, &mut weights.numbers);
    }
    let mut values = vec![0.0; last.conv.weights()];
    values.extend(begin_as_actnorm(coupling, z));
    last.conv.set(&values, &mut weights.numbers);
    let (mut tape, mut scratch) = (coupling.tape(), Scratch::default());
    let mut log_det = vec![0.0; coupling.group.samples];
    for z in z.chunks_exact_mut(coupling.group.samples * coupling.group.dims) {
        let latents = Latents {
            z,
            log_det: &mut log_det,
        };
        let with = With { cpu, weights };
        coupling.to_latent(with, latents, &mut tape, &mut scratch);
    }
}

/// Gives a layer's outputs mean 0 and its deviation, all earlier layers being done; `values` are its weights and bias.
fn normalize(
    coupling: &Coupling,
    with: With<'_>,
    layer: &Layer<'_>,
    z: &[f32],
    values: &mut [f32],
) {
    let (mut tape, mut scratch) = (coupling.tape(), Scratch::default());
    let mut out = Map::new(coupling.out_channels, coupling.grid);
    let mut moments = Moments::new(layer.conv.biases());
    for z in z.chunks_exact(coupling.group.samples * coupling.group.dims) {
        coupling.condition(with, z, &mut tape, &mut out, &mut scratch);
        moments.add_map(&layer.output(with, read_by(layer, &tape)));
    }
    let (mean, factor): (Vec<_>, Vec<_>) = moments
        .finish()
        .map(|(mean, factor)| (mean, factor * layer.deviation))
        .unzip();
    layer.conv.normalize_outputs(values, &mean, &factor);
}

fn read_by<'a>(layer: &Layer<'_>, tape: &'a Tape) -> &'a Map {
    match layer.source {
        Source::Input => &tape.maps[0],
        Source::Tape(at) => &tape.maps[1 + at],
    }
}

/// Output bias that gives the changed coordinates of each channel mean 0 and deviation 1, as far as the map can.
fn begin_as_actnorm(coupling: &Coupling, z: &[f32]) -> Vec<f32> {
    let channels = coupling.out_channels / 2;
    let mut moments = Moments::new(channels);
    let groups = z.chunks_exact(coupling.group.samples * coupling.group.dims);
    for z in groups {
        for c in coupling.coordinates.changed() {
            moments.add(c.channel, z[c.latent]);
        }
        moments.count += (coupling.coordinates.changed_len() / channels) as f64;
    }
    let mut bias = vec![0.0; 2 * channels];
    for (channel, (mean, factor)) in moments.finish().enumerate() {
        let map = coupling.scale_map;
        let raw_scale = scale_map::raw_scale_for(map, factor.ln(), FIRST_BOUND);
        let scale = scale_map::apply_one(map, raw_scale, FIRST_BOUND).0.exp();
        bias[channel] = raw_scale;
        bias[channels + channel] = match coupling.affine {
            AffineForm::ShiftThenScale => -mean,
            AffineForm::ScaleThenShift => -mean * scale,
        };
    }
    bias
}
