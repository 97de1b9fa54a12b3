//! The affine coupling.
//!
//! With L = -sum of weight log_prob, e = exp(log_scale) and g = dL/dy, for y = (x + shift) e: dL/dx
//! = g e, dL/dshift = g e, dL/dlog_scale = g y - weight; for y = x e + shift: dL/dx = g e,
//! dL/dshift = g, dL/dlog_scale = g x e - weight.

mod initialize;

use super::coordinates::Coordinates;
use super::noise::Noise;
use super::scale_map;
use super::step::{Group, LatentGradients, Latents, Step, StepPass};
use crate::model::tensors::step_prefix;
use crate::nn::build::{self, Untrainable};
use crate::nn::conditioner::{Backward, Conditioner, ConditionerPass, PassContext};
use crate::nn::kernels::{Cpu, Isa, Kernel, elementary};
use crate::nn::{Conv, Grid, LANES, Map, Registry, Scratch, Ticket, Weights};
use flow_infer::spec::{AffineForm, ConditionerSpec, CouplingSpec, PlacedStep, ScaleMap};
use std::ops::Range;

/// The affine coupling step.
pub(crate) struct Coupling {
    pub(super) scale_map: ScaleMap,
    pub(super) affine: AffineForm,
    pub(super) conditioner: Box<dyn Conditioner>,
    pub(super) bound: Option<Range<usize>>,
    pub(super) grid: Grid,
    kept_channels: usize,
    pub(super) out_channels: usize,
    pub(super) coordinates: Coordinates,
    pub(super) group: Group,
}

impl Coupling {
    /// Builds the step and finds places for its parameters.
    pub(crate) fn new(
        registry: &mut Registry,
        group: Group,
        placed: &PlacedStep,
        spec: &CouplingSpec,
    ) -> Result<Self, Untrainable> {
        if group.vectors && !matches!(spec.conditioner, ConditionerSpec::Mlp { .. }) {
            // Vectors are computed side by side, as the pixels of a row: a window would mix them.
            return Err(Untrainable("a convolution over a vector's one pixel"));
        }
        let at = step_prefix(placed.level, placed.index);
        let channels = placed.view.channels();
        let kept_channels = spec.mask.kept_channels(channels).1;
        let changed_channels = spec.mask.changed_channels(channels).1;
        let bound = spec
            .scale_map
            .has_bound()
            .then(|| registry.unblocked(format!("{at}log_scale_bound"), &[changed_channels]));
        let conditioner = build::conditioner(
            &spec.conditioner,
            registry,
            &format!("{at}conditioner."),
            [kept_channels, 2 * changed_channels],
            group.grid(placed.view),
        )?;
        Ok(Self {
            scale_map: spec.scale_map,
            affine: spec.affine,
            conditioner,
            bound,
            grid: group.grid(placed.view),
            kept_channels,
            out_channels: 2 * changed_channels,
            coordinates: Coordinates::new(group, placed, spec),
            group,
        })
    }

    /// The changed channels' bounds, if the scale map has any.
    fn bounds<'a>(&self, unblocked: &'a [f32]) -> Option<&'a [f32]> {
        self.bound.clone().map(|range| &unblocked[range])
    }
}

/// What the gradient needs of a changed coordinate.
#[derive(Clone, Copy, Default)]
struct Changed {
    /// x times the scale, plus its shift if that comes first.
    scaled: f32,
    scale: f32,
    /// The scale map's inner value.
    inner: f32,
}

struct CouplingPass<'s> {
    step: &'s Coupling,
    /// What the conditioner reads.
    kept: Map,
    conditioner: Box<dyn ConditionerPass + 's>,
    changed: Vec<Changed>,
}

impl<'s> CouplingPass<'s> {
    fn new(step: &'s Coupling) -> Self {
        Self {
            step,
            kept: Map::new(step.kept_channels, step.grid),
            conditioner: step.conditioner.pass(step.grid),
            changed: vec![Changed::default(); step.coordinates.changed_len()],
        }
    }

    /// Runs the conditioner on the kept part of some samples.
    fn condition(
        &mut self,
        context: PassContext<'_>,
        z: &[f32],
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        for sample in 0..z.len() / self.step.group.dims {
            self.step.coordinates.read_kept(sample, z, &mut self.kept);
        }
        self.conditioner.forward(context, &self.kept, out, scratch);
    }
}

/// Rewrites the changed coordinates.
struct ToLatent<'a> {
    coupling: &'a Coupling,
    unblocked: &'a [f32],
    out: &'a Map,
    z: &'a mut [f32],
    log_det: &'a mut [f64],
    changed: &'a mut [Changed],
}

impl Kernel for ToLatent<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        let coupling = self.coupling;
        let bounds = coupling.bounds(self.unblocked);
        let values = self.changed.chunks_mut(coupling.coordinates.changed_each());
        for (sample, (log_det, values)) in self.log_det.iter_mut().zip(values).enumerate() {
            let changed = coupling.coordinates.changed_of(sample);
            for (changed, values) in changed.zip(values.chunks_mut(LANES)) {
                let x = changed.latents(self.z);
                let [raw_scale, shift] = changed.outputs(self.out);
                let map =
                    scale_map::apply(coupling.scale_map, raw_scale, changed.of_channels(bounds));
                let scale = elementary::exp(map.log_scale);
                let (mut scaled, mut y) = ([0.0; LANES], [0.0; LANES]);
                for i in 0..LANES {
                    (scaled[i], y[i]) = match coupling.affine {
                        AffineForm::ShiftThenScale => {
                            let y = (x[i] + shift[i]) * scale[i];
                            (y, y)
                        }
                        AffineForm::ScaleThenShift => (x[i] * scale[i], x[i] * scale[i] + shift[i]),
                    };
                }
                changed.set_latents(self.z, &y);
                for (i, value) in values.iter_mut().enumerate() {
                    *value = Changed {
                        scaled: scaled[i],
                        scale: scale[i],
                        inner: map.inner[i],
                    };
                    *log_det += f64::from(map.log_scale[i]);
                }
            }
        }
    }
}

/// Gradient of the conditioner's output; the latents' gradient passes to the changed coordinates
/// before the step.
struct OutGradient<'a> {
    coupling: &'a Coupling,
    unblocked: &'a [f32],
    /// Gradients of the unblocked numbers, to be added to.
    unblocked_gradient: &'a mut [f32],
    latents: LatentGradients<'a>,
    changed: &'a [Changed],
    out: &'a mut Map,
}

impl Kernel for OutGradient<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        let coupling = self.coupling;
        let bounds = coupling.bounds(self.unblocked);
        let z = self.latents.z;
        self.out.clear();
        let values = self.changed.chunks(coupling.coordinates.changed_each());
        for (sample, (&weight, values)) in self.latents.weight.iter().zip(values).enumerate() {
            let changed = coupling.coordinates.changed_of(sample);
            for (changed, values) in changed.zip(values.chunks(LANES)) {
                let [mut scaled, mut scale, mut inner] = [[0.0; LANES]; 3];
                for (i, value) in values.iter().enumerate() {
                    (scaled[i], scale[i], inner[i]) = (value.scaled, value.scale, value.inner);
                }
                let (grad_output, bound) = (changed.latents(z), changed.of_channels(bounds));
                let [mut grad_input, mut log_scale, mut raw_scale] = [[0.0; LANES]; 3];
                for i in 0..LANES {
                    grad_input[i] = grad_output[i] * scale[i];
                    log_scale[i] = grad_output[i] * scaled[i] - weight;
                    let slope = scale_map::slope(coupling.scale_map, inner[i], bound[i]);
                    raw_scale[i] = log_scale[i] * slope;
                }
                let shift = match coupling.affine {
                    AffineForm::ShiftThenScale => &grad_input,
                    AffineForm::ScaleThenShift => &grad_output,
                };
                changed.set_outputs(self.out, [&raw_scale, shift]);
                changed.set_latents(z, &grad_input);
                if let Some(range) = &coupling.bound {
                    for (i, channel) in changed.channels().enumerate() {
                        self.unblocked_gradient[range.start + channel] += log_scale[i] * inner[i];
                    }
                }
            }
        }
    }
}

impl StepPass for CouplingPass<'_> {
    fn to_latent(&mut self, context: PassContext<'_>, latents: Latents<'_>, scratch: &mut Scratch) {
        let step = self.step;
        let Latents { z, log_det } = latents;
        let mut out = scratch.lend(step.out_channels, step.grid);
        self.condition(context, z, &mut out, scratch);
        context.cpu.run(ToLatent {
            coupling: step,
            unblocked: &context.weights.numbers.unblocked,
            out: &out,
            z,
            log_det,
            changed: &mut self.changed,
        });
        scratch.give_back(out);
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let step = self.step;
        let mut out = scratch.lend(step.out_channels, step.grid);
        let LatentGradients { z, weight, wanted } = latents;
        context.cpu.run(OutGradient {
            coupling: step,
            unblocked: &context.weights.numbers.unblocked,
            unblocked_gradient: ticket.unblocked,
            latents: LatentGradients { z, weight, wanted },
            changed: &self.changed,
            out: &mut out,
        });
        let backward = Backward {
            input: &self.kept,
            grad_output: &out,
        };
        let mut input = wanted.then(|| scratch.lend(step.kept_channels, step.grid));
        self.conditioner
            .gradient(context, backward, input.as_mut(), ticket, scratch);
        scratch.give_back(out);
        if let Some(input) = input {
            for sample in 0..weight.len() {
                step.coordinates.add_kept(sample, &input, z);
            }
            scratch.give_back(input);
        }
    }
}

impl Step for Coupling {
    fn pass(&self) -> Box<dyn StepPass + '_> {
        Box::new(CouplingPass::new(self))
    }

    fn initialize(&self, cpu: Cpu, weights: &mut Weights, noise: &mut Noise, z: &mut [f32]) {
        initialize::initialize(self, cpu, weights, noise, z);
    }

    fn convs(&self) -> Vec<&Conv> {
        let layers = self.conditioner.layers();
        layers.into_iter().map(|layer| layer.conv).collect()
    }
}
