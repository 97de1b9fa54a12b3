//! Per channel y = (x + shift) exp(log_scale); log_det = H W sum of log_scale.
//!
//! dL/dx = g exp(log_scale) = dL/dshift of a coordinate; dL/dlog_scale = g y - weight.

use super::noise::Noise;
use super::pixels::Pixels;
use super::step::{Group, LatentGradients, Latents, Step, Tape};
use crate::model::tensors::step_prefix;
use crate::moments::ChannelMoments;
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Conv, Registry, Scratch, Ticket, Weights};
use flow_infer::spec::PlacedStep;
use std::ops::Range;

/// The actnorm step: one shift and scale a channel.
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
        let [shift, log_scale] = ["shift", "log_scale"]
            .map(|name| registry.unblocked(format!("{at}{name}"), &[channels]));
        Self {
            shift,
            log_scale,
            pixels: Pixels::new(group, placed.view),
        }
    }

    fn apply(&self, unblocked: &[f32], z: &mut [f32]) {
        let (shift, log_scale) = (
            &unblocked[self.shift.clone()],
            &unblocked[self.log_scale.clone()],
        );
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
        context: PassContext<'_>,
        latents: Latents<'_>,
        tape: &mut Tape,
        _scratch: &mut Scratch,
    ) {
        let unblocked = &context.weights.numbers.unblocked;
        self.apply(unblocked, latents.z);
        for (value, pixel) in tape
            .values
            .iter_mut()
            .zip(self.pixels.of(latents.z.len()).flatten())
        {
            value[0] = latents.z[*pixel];
        }
        let sum: f64 = unblocked[self.log_scale.clone()]
            .iter()
            .copied()
            .map(f64::from)
            .sum();
        let added = self.pixels.each() as f64 * sum;
        latents.log_det.iter_mut().for_each(|l| *l += added);
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        tape: &Tape,
        ticket: &mut Ticket<'_, '_>,
        _scratch: &mut Scratch,
    ) {
        let log_scale = &context.weights.numbers.unblocked[self.log_scale.clone()];
        let scale: Vec<f32> = log_scale.iter().map(|s| s.exp()).collect();
        let mut values = tape.values.iter();
        for pixel in self.pixels.of(latents.z.len()) {
            for (c, (&at, [y, ..])) in pixel.iter().zip(&mut values).enumerate() {
                let grad_output = latents.z[at];
                ticket.unblocked[self.log_scale.start + c] += grad_output * y;
                ticket.unblocked[self.shift.start + c] += grad_output * scale[c];
                latents.z[at] = grad_output * scale[c];
            }
        }
        let weight: f32 = latents.weight.iter().sum();
        for g in &mut ticket.unblocked[self.log_scale.clone()] {
            *g -= weight * self.pixels.each() as f32;
        }
    }

    /// Every channel gets mean 0 and deviation 1.
    fn initialize(&self, _cpu: Cpu, weights: &mut Weights, _noise: &mut Noise, z: &mut [f32]) {
        let mut moments = ChannelMoments::new(self.shift.len());
        for z in z.chunks_exact(self.pixels.coordinates()) {
            for pixel in self.pixels.of(z.len()) {
                for (c, &at) in pixel.iter().enumerate() {
                    moments.add(c, z[at]);
                }
                moments.count(1);
            }
        }
        for (c, (mean, factor)) in moments.normalizing().enumerate() {
            weights.numbers.unblocked[self.shift.start + c] = -mean;
            weights.numbers.unblocked[self.log_scale.start + c] = factor.ln();
        }
        for z in z.chunks_exact_mut(self.pixels.coordinates()) {
            self.apply(&weights.numbers.unblocked, z);
        }
    }

    fn convs(&self) -> Vec<&Conv> {
        Vec::new()
    }
}
