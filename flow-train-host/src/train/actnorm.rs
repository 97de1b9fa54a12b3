//! Per channel y = (x + shift) exp(log_scale); log_det = H W sum of log_scale.
//!
//! dL/dx = g exp(log_scale) = dL/dshift of a coordinate; dL/dlog_scale = g y - weight.

use super::noise::Noise;
use super::pixels::Pixels;
use super::step::{Group, LatentGradients, Latents, Step, StepPass};
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
    /// Whether it stays what the data made it.
    is_fixed: bool,
}

impl Actnorm {
    /// Finds places for the parameters. What `standardizes` every value of an image is not trained: its means and deviations
    /// are those of the data, which the gate's test of marginals relies on.
    pub(crate) fn new(
        registry: &mut Registry,
        group: Group,
        placed: &PlacedStep,
        standardizes: bool,
    ) -> Self {
        let at = step_prefix(placed.level, placed.index);
        let channels = placed.view.channels();
        let [shift, log_scale] = ["shift", "log_scale"]
            .map(|name| registry.unblocked(format!("{at}{name}"), &[channels]));
        Self {
            shift,
            log_scale,
            pixels: Pixels::new(group, placed.view),
            is_fixed: standardizes,
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

struct ActnormPass<'s> {
    step: &'s Actnorm,
    y: Vec<f32>,
}

impl StepPass for ActnormPass<'_> {
    fn to_latent(&mut self, context: PassContext<'_>, latents: Latents<'_>, _: &mut Scratch) {
        let step = self.step;
        let unblocked = &context.weights.numbers.unblocked;
        step.apply(unblocked, latents.z);
        let pixels = step.pixels.of(latents.z.len()).flatten();
        for (y, &at) in self.y.iter_mut().zip(pixels) {
            *y = latents.z[at];
        }
        let sum: f64 = unblocked[step.log_scale.clone()]
            .iter()
            .copied()
            .map(f64::from)
            .sum();
        let added = step.pixels.each() as f64 * sum;
        latents.log_det.iter_mut().for_each(|l| *l += added);
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        ticket: &mut Ticket<'_, '_>,
        _scratch: &mut Scratch,
    ) {
        let step = self.step;
        let log_scale = &context.weights.numbers.unblocked[step.log_scale.clone()];
        let scale: Vec<f32> = log_scale.iter().map(|s| s.exp()).collect();
        let mut ys = self.y.iter();
        for pixel in step.pixels.of(latents.z.len()) {
            for (c, (&at, y)) in pixel.iter().zip(&mut ys).enumerate() {
                let grad_output = latents.z[at];
                latents.z[at] = grad_output * scale[c];
                if step.is_fixed {
                    continue;
                }
                ticket.unblocked[step.log_scale.start + c] += grad_output * y;
                ticket.unblocked[step.shift.start + c] += grad_output * scale[c];
            }
        }
        if step.is_fixed {
            return;
        }
        let weight: f32 = latents.weight.iter().sum();
        for g in &mut ticket.unblocked[step.log_scale.clone()] {
            *g -= weight * step.pixels.each() as f32;
        }
    }
}

impl Step for Actnorm {
    fn pass(&self) -> Box<dyn StepPass + '_> {
        Box::new(ActnormPass {
            step: self,
            y: vec![0.0; self.pixels.len()],
        })
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
