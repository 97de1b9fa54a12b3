//! Per channel y = (x + shift) exp(log_scale); log_det = H W sum of log_scale.
//!
//! dL/dx = g exp(log_scale) = dL/dshift of a coordinate; dL/dlog_scale = g y - weight.

use super::first_values::Moments;
use super::noise::Noise;
use super::pixels::Pixels;
use super::step::{Group, LatentGradients, Latents, Step, Tape};
use crate::model::tensors::step_prefix;
use crate::nn::conditioner::With;
use crate::nn::kernels::Cpu;
use crate::nn::{Conv, Registry, Scratch, Turn, Weights};
use flow_infer::spec::PlacedStep;
use std::ops::Range;

/// See the module.
pub(crate) struct Actnorm {
    shift: Range<usize>,
    log_scale: Range<usize>,
    pixels: Pixels,
}

impl Actnorm {
    /// Finds places for the parameters.
    pub(crate) fn new(registry: &mut Registry, group: Group, placed: &PlacedStep) -> Self {
        let at = step_prefix(placed.level, placed.index);
        let channels = placed.view.channels();
        let [shift, log_scale] =
            ["shift", "log_scale"].map(|name| registry.loose(format!("{at}{name}"), &[channels]));
        Self {
            shift,
            log_scale,
            pixels: Pixels::new(group, placed.view),
        }
    }

    fn apply(&self, loose: &[f32], z: &mut [f32]) {
        let (shift, log_scale) = (&loose[self.shift.clone()], &loose[self.log_scale.clone()]);
        let scale: Vec<f32> = log_scale.iter().map(|s| s.exp()).collect();
        for pixel in self.pixels.of(z.len()) {
            for (c, &at) in pixel.iter().enumerate() {
                z[at] = (z[at] + shift[c]) * scale[c];
            }
        }
    }
}

impl Step for Actnorm {
    /// Values: y.
    fn tape(&self) -> Tape {
        Tape {
            maps: Vec::new(),
            values: vec![[0.0; 3]; self.pixels.len()],
        }
    }

    fn to_latent(
        &self,
        with: With<'_>,
        latents: Latents<'_>,
        tape: &mut Tape,
        _scratch: &mut Scratch,
    ) {
        let loose = &with.weights.numbers.loose;
        self.apply(loose, latents.z);
        for (value, pixel) in tape
            .values
            .iter_mut()
            .zip(self.pixels.of(latents.z.len()).flatten())
        {
            value[0] = latents.z[*pixel];
        }
        let sum: f64 = loose[self.log_scale.clone()]
            .iter()
            .copied()
            .map(f64::from)
            .sum();
        let added = self.pixels.each() as f64 * sum;
        latents.log_det.iter_mut().for_each(|l| *l += added);
    }

    fn gradient(
        &self,
        with: With<'_>,
        latents: LatentGradients<'_>,
        tape: &Tape,
        turn: &mut Turn<'_, '_>,
        _scratch: &mut Scratch,
    ) {
        let log_scale = &with.weights.numbers.loose[self.log_scale.clone()];
        let scale: Vec<f32> = log_scale.iter().map(|s| s.exp()).collect();
        let mut values = tape.values.iter();
        for pixel in self.pixels.of(latents.z.len()) {
            for (c, (&at, [y, ..])) in pixel.iter().zip(&mut values).enumerate() {
                let above = latents.z[at];
                turn.loose[self.log_scale.start + c] += above * y;
                turn.loose[self.shift.start + c] += above * scale[c];
                latents.z[at] = above * scale[c];
            }
        }
        let weight: f32 = latents.weight.iter().sum();
        for g in &mut turn.loose[self.log_scale.clone()] {
            *g -= weight * self.pixels.each() as f32;
        }
    }

    /// Every channel gets mean 0 and deviation 1.
    fn initialize(&self, _cpu: Cpu, weights: &mut Weights, _noise: &mut Noise, z: &mut [f32]) {
        let mut moments = Moments::new(self.shift.len());
        for z in z.chunks_exact(self.pixels.coordinates()) {
            for pixel in self.pixels.of(z.len()) {
                for (c, &at) in pixel.iter().enumerate() {
                    moments.add(c, z[at]);
                }
                moments.count += 1.0;
            }
        }
        for (c, (mean, factor)) in moments.finish().enumerate() {
            weights.numbers.loose[self.shift.start + c] = -mean;
            weights.numbers.loose[self.log_scale.start + c] = factor.ln();
        }
        for z in z.chunks_exact_mut(self.pixels.coordinates()) {
            self.apply(&weights.numbers.loose, z);
        }
    }

    fn convs(&self) -> Vec<&Conv> {
        Vec::new()
    }
}
