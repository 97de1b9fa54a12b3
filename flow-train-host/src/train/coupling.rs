//! The affine coupling, for every mask.
//!
//! A mask is two lists of coordinates made once: what the conditioner reads and what the step changes. So checkerboard,
//! halves, quadrants and vectors share one loop without a branch, and only changed coordinates cost an exp.
//!
//! With L = -sum of weight log_prob, e = exp(log_scale) and g = dL/dy, for y = (x + shift) e:
//! dL/dx = g e, dL/dshift = g e, dL/dlog_scale = g y - weight; for y = x e + shift: dL/dx = g e, dL/dshift = g,
//! dL/dlog_scale = g x e - weight.

use super::noise::Noise;
use super::scale_map;
use super::step::{Group, LatentGradients, Latents, Step, Tape};
use crate::model::tensors::step_prefix;
use crate::nn::conditioner::{self, Conditioner, Passed, Untrainable, With};
use crate::nn::kernels::{Cpu, Isa, Kernel, elementary};
use crate::nn::{Conv, Grid, LANES, Map, Registry, Scratch, Turn, Weights};
use flow_infer::spec::{AffineForm, ConditionerSpec, CouplingSpec, PlacedStep, ScaleMap};
use std::ops::Range;

/// See the module.
pub(crate) struct Coupling {
    pub(super) scale_map: ScaleMap,
    pub(super) affine: AffineForm,
    pub(super) conditioner: Box<dyn Conditioner>,
    pub(super) bound: Option<Range<usize>>,
    pub(super) grid: Grid,
    kept_channels: usize,
    pub(super) out_channels: usize,
    /// Of all samples of a group, sample by sample.
    kept: Vec<Kept>,
    pub(super) changed: Vec<Changed>,
    pub(super) group: Group,
}

#[derive(Clone, Copy)]
struct Kept {
    /// Place among the latents.
    latent: usize,
    /// Place in the conditioner's input.
    input: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Changed {
    /// Place among the latents.
    pub(super) latent: usize,
    /// Place of raw_scale in the conditioner's output.
    raw_scale: usize,
    /// Place of the shift there.
    shift: usize,
    /// Index among the changed channels.
    pub(super) channel: usize,
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
        let bound = (spec.scale_map == ScaleMap::TanhBound)
            .then(|| registry.loose(format!("{at}log_scale_bound"), &[changed_channels]));
        let conditioner = conditioner::build(
            &spec.conditioner,
            registry,
            &format!("{at}conditioner."),
            [kept_channels, 2 * changed_channels],
            group.grid(placed.view),
        )?;
        let (kept, changed) = coordinates(group, placed, spec);
        Ok(Self {
            scale_map: spec.scale_map,
            affine: spec.affine,
            conditioner,
            bound,
            grid: group.grid(placed.view),
            kept_channels,
            out_channels: 2 * changed_channels,
            kept,
            changed,
            group,
        })
    }

    fn bound_of(&self, loose: &[f32], channel: usize) -> f32 {
        match &self.bound {
            Some(range) => loose[range.start + channel],
            None => 0.0,
        }
    }

    /// The coordinates of one sample.
    fn of_sample<'a, T>(&self, all: &'a [T], sample: usize) -> &'a [T] {
        let each = all.len() / self.group.samples;
        &all[sample * each..][..each]
    }

    /// Runs the conditioner on the kept part of some samples.
    pub(super) fn condition(
        &self,
        with: With<'_>,
        z: &[f32],
        tape: &mut Tape,
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        let (input, maps) = tape.maps.split_at_mut(1);
        for sample in 0..z.len() / self.group.dims {
            for k in self.of_sample(&self.kept, sample) {
                input[0].set(k.input, z[k.latent]);
            }
        }
        self.conditioner
            .forward(with, &input[0], maps, out, scratch);
    }

    /// Gradient of the conditioner's output; the latents' gradient passes to the changed coordinates before the step.
    fn out_gradient(
        &self,
        loose: &[f32],
        latents: &mut LatentGradients<'_>,
        values: &[[f32; 3]],
        out: &mut Map,
        turn: &mut Turn<'_, '_>,
    ) {
        out.clear();
        for (sample, &weight) in latents.weight.iter().enumerate() {
            let changed = self.of_sample(&self.changed, sample);
            let values = self.of_sample(values, sample);
            for (c, &[scaled, scale, inner]) in changed.iter().zip(values) {
                let above = latents.z[c.latent];
                let below = above * scale;
                latents.z[c.latent] = below;
                let shift = match self.affine {
                    AffineForm::ShiftThenScale => below,
                    AffineForm::ScaleThenShift => above,
                };
                let log_scale = above * scaled - weight;
                let bound = self.bound_of(loose, c.channel);
                let slope = scale_map::slope(self.scale_map, inner, bound);
                out.set(c.raw_scale, log_scale * slope);
                out.set(c.shift, shift);
                if let Some(range) = &self.bound {
                    turn.loose[range.start + c.channel] += log_scale * inner;
                }
            }
        }
    }
}

/// Rewrites the changed coordinates; sixteen at once, because tanh and exp are.
struct ToLatent<'a> {
    coupling: &'a Coupling,
    loose: &'a [f32],
    out: &'a Map,
    z: &'a mut [f32],
    log_det: &'a mut [f64],
    values: &'a mut [[f32; 3]],
}

impl Kernel for ToLatent<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        let coupling = self.coupling;
        let each = coupling.changed.len() / coupling.group.samples;
        let samples = self.log_det.iter_mut().zip(self.values.chunks_mut(each));
        for (sample, (log_det, values)) in samples.enumerate() {
            let changed = coupling.of_sample(&coupling.changed, sample).chunks(LANES);
            for (changed, values) in changed.zip(values.chunks_mut(LANES)) {
                let mut lanes = [[0.0; LANES]; 4];
                for (lane, c) in changed.iter().enumerate() {
                    lanes[0][lane] = self.out.get(c.raw_scale);
                    lanes[1][lane] = self.out.get(c.shift);
                    lanes[2][lane] = coupling.bound_of(self.loose, c.channel);
                    lanes[3][lane] = self.z[c.latent];
                }
                let [raw_scale, shift, bound, x] = lanes;
                let map = scale_map::apply(coupling.scale_map, raw_scale, bound);
                let scale = elementary::exp(map.log_scale);
                for (lane, (c, value)) in changed.iter().zip(values).enumerate() {
                    let (x, shift, scale) = (x[lane], shift[lane], scale[lane]);
                    let (scaled, y) = match coupling.affine {
                        AffineForm::ShiftThenScale => ((x + shift) * scale, (x + shift) * scale),
                        AffineForm::ScaleThenShift => (x * scale, x * scale + shift),
                    };
                    self.z[c.latent] = y;
                    *value = [scaled, scale, map.inner[lane]];
                    *log_det += f64::from(map.log_scale[lane]);
                }
            }
        }
    }
}

/// The lists of coordinates of all samples of a group.
fn coordinates(
    group: Group,
    placed: &PlacedStep,
    spec: &CouplingSpec,
) -> (Vec<Kept>, Vec<Changed>) {
    let (view, mask) = (placed.view, spec.mask);
    let (shape, grid) = (view.shape(), group.grid(view));
    let first_kept = mask.kept_channels(view.channels()).0;
    let (first_changed, changed_channels) = mask.changed_channels(view.channels());
    // Only for its indices: no pass writes to it.
    let place = Map::new(view.channels() * 2, grid);
    let (mut kept, mut changed) = (Vec::new(), Vec::new());
    for sample in 0..group.samples {
        for c in 0..view.channels() {
            for y in 0..usize::from(shape.height) {
                for x in 0..usize::from(shape.width) {
                    let latent = sample * group.dims + view.offset(c, y, x);
                    let (map_y, map_x) = group.pixel(grid, sample, y, x);
                    if mask.is_kept(c, y, x, shape) {
                        let input = place.index(c - first_kept, map_y, map_x);
                        kept.push(Kept { latent, input });
                    }
                    if mask.is_changed(c, y, x, shape) {
                        let channel = c - first_changed;
                        changed.push(Changed {
                            latent,
                            raw_scale: place.index(channel, map_y, map_x),
                            shift: place.index(changed_channels + channel, map_y, map_x),
                            channel,
                        });
                    }
                }
            }
        }
    }
    (kept, changed)
}

impl Step for Coupling {
    /// Maps: the conditioner's input, then its own. Values: the scaled coordinate, the scale, the scale map's inner.
    fn tape(&self) -> Tape {
        let mut maps = vec![Map::new(self.kept_channels, self.grid)];
        maps.extend(self.conditioner.tape(self.grid));
        Tape {
            maps,
            values: vec![[0.0; 3]; self.changed.len()],
        }
    }

    fn to_latent(
        &self,
        with: With<'_>,
        latents: Latents<'_>,
        tape: &mut Tape,
        scratch: &mut Scratch,
    ) {
        let Latents { z, log_det } = latents;
        let mut out = scratch.lend(self.out_channels, self.grid);
        self.condition(with, z, tape, &mut out, scratch);
        with.cpu.run(ToLatent {
            coupling: self,
            loose: &with.weights.numbers.loose,
            out: &out,
            z,
            log_det,
            values: &mut tape.values,
        });
        scratch.give_back(out);
    }

    fn gradient(
        &self,
        with: With<'_>,
        mut latents: LatentGradients<'_>,
        tape: &Tape,
        turn: &mut Turn<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let mut out = scratch.lend(self.out_channels, self.grid);
        let loose = &with.weights.numbers.loose;
        self.out_gradient(loose, &mut latents, &tape.values, &mut out, turn);
        let passed = Passed {
            input: &tape.maps[0],
            tape: &tape.maps[1..],
            out_gradient: &out,
        };
        let mut input = scratch.lend(self.kept_channels, self.grid);
        self.conditioner
            .gradient(with, passed, &mut input, turn, scratch);
        for sample in 0..latents.weight.len() {
            for k in self.of_sample(&self.kept, sample) {
                latents.z[k.latent] += input.get(k.input);
            }
        }
        scratch.give_back(out);
        scratch.give_back(input);
    }

    fn initialize(&self, cpu: Cpu, weights: &mut Weights, noise: &mut Noise, z: &mut [f32]) {
        super::first_values::choose(self, cpu, weights, noise, z);
    }

    fn convs(&self) -> Vec<&Conv> {
        let layers = self.conditioner.layers();
        layers.into_iter().map(|layer| layer.conv).collect()
    }
}
