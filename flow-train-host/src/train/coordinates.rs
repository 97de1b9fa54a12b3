//! Where the coordinates of a coupling lie, for every mask.
//!
//! A mask is two lists of coordinates made once: what the conditioner reads and what the step changes. So checkerboard,
//! halves, quadrants and vectors share one loop without a branch, and only changed coordinates cost an exp. They go by
//! sixteen, because tanh and exp do. Those of vectors mostly lie side by side and are moved as a whole: number by
//! number, with 32 bytes of places each, they took a tenth of a dense flow's step.

#[cfg(test)]
mod tests;

use super::step::Group;
use crate::nn::kernels::elementary::Sixteen;
use crate::nn::{LANES, Map};
use flow_infer::spec::{CouplingSpec, PlacedStep};

/// Of all samples of a group, sample by sample.
pub(super) struct Coordinates {
    kept: Vec<Kept>,
    changed: Vec<Changed>,
    samples: usize,
    /// Whether sixteen neighbours of a list are neighbours everywhere, and whole blocks of channels.
    side_by_side: bool,
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

impl Coordinates {
    pub(super) fn new(group: Group, placed: &PlacedStep, spec: &CouplingSpec) -> Self {
        let (kept, changed) = lists(group, placed, spec);
        let samples = group.samples;
        let side_by_side = neighbours(&kept, samples, |k| [k.latent, k.input], |k| vec![k.input])
            && neighbours(
                &changed,
                samples,
                |c| [c.latent, c.raw_scale, c.shift, c.channel],
                |c| vec![c.raw_scale, c.shift],
            );
        Self {
            kept,
            changed,
            samples,
            side_by_side,
        }
    }

    /// All that the step changes.
    pub(super) fn changed(&self) -> &[Changed] {
        &self.changed
    }

    /// What the step changes of a sample, by sixteen.
    pub(super) fn changed_of(&self, sample: usize) -> impl Iterator<Item = Together<'_>> {
        let all = of_sample(&self.changed, self.samples, sample).chunks(LANES);
        all.map(|places| Together {
            places,
            side_by_side: self.side_by_side,
        })
    }

    /// Numbers of a sample that the step changes.
    pub(super) fn changed_each(&self) -> usize {
        self.changed.len() / self.samples
    }

    /// Writes what the conditioner reads of a sample.
    pub(super) fn read_kept(&self, sample: usize, z: &[f32], input: &mut Map) {
        let kept = of_sample(&self.kept, self.samples, sample);
        if !self.side_by_side {
            return kept.iter().for_each(|k| input.set(k.input, z[k.latent]));
        }
        for k in kept.iter().step_by(LANES) {
            let to = &mut input.data_mut()[k.input / LANES].0;
            to.copy_from_slice(&z[k.latent..][..LANES]);
        }
    }

    /// Adds the gradient of what the conditioner read of a sample.
    pub(super) fn add_kept(&self, sample: usize, input: &Map, z: &mut [f32]) {
        let kept = of_sample(&self.kept, self.samples, sample);
        if !self.side_by_side {
            return kept.iter().for_each(|k| z[k.latent] += input.get(k.input));
        }
        for k in kept.iter().step_by(LANES) {
            let from = &input.data()[k.input / LANES].0;
            let to = z[k.latent..].iter_mut().zip(from);
            to.for_each(|(to, from)| *to += from);
        }
    }
}

/// Up to sixteen changed coordinates of a sample.
#[derive(Clone, Copy)]
pub(super) struct Together<'a> {
    /// One by one.
    pub(super) places: &'a [Changed],
    side_by_side: bool,
}

impl Together<'_> {
    /// Their latents; 0 where there are fewer.
    #[inline(always)]
    pub(super) fn latents(&self, z: &[f32]) -> Sixteen {
        self.gathered(|c| z[c.latent], |c| run(z, c.latent))
    }

    /// Overwrites their latents.
    #[inline(always)]
    pub(super) fn set_latents(&self, z: &mut [f32], values: &Sixteen) {
        match (self.side_by_side, self.places) {
            (true, [first, ..]) => z[first.latent..][..LANES].copy_from_slice(values),
            (_, places) => places
                .iter()
                .zip(values)
                .for_each(|(c, v)| z[c.latent] = *v),
        }
    }

    /// The conditioner's raw_scale and shift for them.
    #[inline(always)]
    pub(super) fn outputs(&self, out: &Map) -> [Sixteen; 2] {
        let block = |at: usize| out.data()[at / LANES].0;
        [
            self.gathered(|c| out.get(c.raw_scale), |c| block(c.raw_scale)),
            self.gathered(|c| out.get(c.shift), |c| block(c.shift)),
        ]
    }

    /// Overwrites these.
    #[inline(always)]
    pub(super) fn set_outputs(&self, out: &mut Map, [raw_scale, shift]: [&Sixteen; 2]) {
        if let (true, [first, ..]) = (self.side_by_side, self.places) {
            out.data_mut()[first.raw_scale / LANES].0 = *raw_scale;
            out.data_mut()[first.shift / LANES].0 = *shift;
            return;
        }
        for (lane, c) in self.places.iter().enumerate() {
            out.set(c.raw_scale, raw_scale[lane]);
            out.set(c.shift, shift[lane]);
        }
    }

    /// Numbers of their channels; 0 where there are none.
    #[inline(always)]
    pub(super) fn of_channels(&self, numbers: Option<&[f32]>) -> Sixteen {
        match numbers {
            Some(numbers) => self.gathered(|c| numbers[c.channel], |c| run(numbers, c.channel)),
            None => [0.0; LANES],
        }
    }

    #[inline(always)]
    fn gathered(
        &self,
        one: impl Fn(&Changed) -> f32,
        all: impl Fn(&Changed) -> Sixteen,
    ) -> Sixteen {
        if let (true, [first, ..]) = (self.side_by_side, self.places) {
            return all(first);
        }
        let mut lanes = [0.0; LANES];
        for (lane, c) in lanes.iter_mut().zip(self.places) {
            *lane = one(c);
        }
        lanes
    }
}

/// Sixteen neighbours.
#[inline(always)]
fn run(numbers: &[f32], at: usize) -> Sixteen {
    let mut lanes = [0.0; LANES];
    lanes.copy_from_slice(&numbers[at..][..LANES]);
    lanes
}

fn of_sample<T>(all: &[T], samples: usize, sample: usize) -> &[T] {
    let each = all.len() / samples;
    &all[sample * each..][..each]
}

/// Whether every sixteen of a sample are neighbours in all places, those in maps a block of channels.
fn neighbours<T, const N: usize>(
    all: &[T],
    samples: usize,
    places: impl Fn(&T) -> [usize; N],
    in_maps: impl Fn(&T) -> Vec<usize>,
) -> bool {
    let whole = (all.len() / samples).is_multiple_of(LANES);
    whole
        && all.chunks(LANES).all(|sixteen| {
            let first = places(&sixteen[0]);
            let follow = |(i, one): (usize, &T)| places(one) == first.map(|at| at + i);
            let aligned = in_maps(&sixteen[0]).iter().all(|at| at % LANES == 0);
            aligned && sixteen.iter().enumerate().all(follow)
        })
}

/// The lists of coordinates of all samples of a group.
fn lists(group: Group, placed: &PlacedStep, spec: &CouplingSpec) -> (Vec<Kept>, Vec<Changed>) {
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
