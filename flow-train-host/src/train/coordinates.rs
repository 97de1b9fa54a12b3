//! Where the coordinates of a coupling lie, for every mask.
//!
//! A mask is two lists of coordinates made once: what the conditioner reads and what the step
//! changes. So checkerboard, halves, quadrants and vectors share one loop without a branch, and
//! only changed coordinates cost an exp. They go by sixteen, because tanh and exp do. Those of
//! vectors mostly lie side by side and are moved as a whole: number by number, with 32 bytes of
//! places each, they took a tenth of a dense flow's step. Places are those of one sample, the
//! others lie a constant step further on: lists of all samples left the cache, and waiting for them
//! took as long.

#[cfg(test)]
mod tests;

use super::step::Group;
use crate::nn::kernels::elementary::Sixteen;
use crate::nn::{LANES, Map};
use flow_infer::spec::{CouplingSpec, PlacedStep};

/// Of a group's samples.
pub(super) struct Coordinates {
    /// Of the first sample.
    kept: Vec<Kept>,
    changed: Vec<Changed>,
    samples: usize,
    step: Away,
    /// Whether sixteen neighbours of a list are neighbours everywhere, and whole blocks of
    /// channels.
    side_by_side: bool,
}

/// How far a sample lies from the first one.
#[derive(Clone, Copy, Debug, Default)]
struct Away {
    /// Among the latents.
    latents: usize,
    /// In a map.
    map: usize,
}

impl Away {
    fn times(self, sample: usize) -> Self {
        Self {
            latents: sample * self.latents,
            map: sample * self.map,
        }
    }
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
        let side_by_side = neighbours(&kept, |k| [k.latent, k.input], |k| vec![k.input])
            && neighbours(
                &changed,
                |c| [c.latent, c.raw_scale, c.shift, c.channel],
                |c| vec![c.raw_scale, c.shift],
            );
        Self {
            kept,
            changed,
            samples: group.samples,
            step: step(group, placed),
            side_by_side,
        }
    }

    /// All that the step changes, sample by sample.
    pub(super) fn changed(&self) -> impl Iterator<Item = Changed> {
        let of_sample = |sample| {
            let away = self.step.times(sample);
            let moved = move |c: &Changed| Changed {
                latent: c.latent + away.latents,
                raw_scale: c.raw_scale + away.map,
                shift: c.shift + away.map,
                channel: c.channel,
            };
            self.changed.iter().map(moved)
        };
        (0..self.samples).flat_map(of_sample)
    }

    /// What the step changes of a sample, by sixteen.
    pub(super) fn changed_of(&self, sample: usize) -> impl Iterator<Item = Together<'_>> {
        let all = self.changed.chunks(LANES);
        all.map(move |places| Together {
            places,
            away: self.step.times(sample),
            side_by_side: self.side_by_side,
        })
    }

    /// Numbers of a sample that the step changes.
    pub(super) fn changed_each(&self) -> usize {
        self.changed.len()
    }

    /// Numbers of all samples that it changes.
    pub(super) fn changed_len(&self) -> usize {
        self.samples * self.changed.len()
    }

    /// Writes what the conditioner reads of a sample.
    pub(super) fn read_kept(&self, sample: usize, z: &[f32], input: &mut Map) {
        let Away { latents, map } = self.step.times(sample);
        let z = &z[latents..];
        if !self.side_by_side {
            let kept = self.kept.iter();
            return kept.for_each(|k| input.set(map + k.input, z[k.latent]));
        }
        for k in self.kept.iter().step_by(LANES) {
            let to = &mut input.data_mut()[(map + k.input) / LANES].0;
            to.copy_from_slice(&z[k.latent..][..LANES]);
        }
    }

    /// Adds the gradient of what the conditioner read of a sample.
    pub(super) fn add_kept(&self, sample: usize, input: &Map, z: &mut [f32]) {
        let Away { latents, map } = self.step.times(sample);
        let z = &mut z[latents..];
        if !self.side_by_side {
            let kept = self.kept.iter();
            return kept.for_each(|k| z[k.latent] += input.get(map + k.input));
        }
        for k in self.kept.iter().step_by(LANES) {
            let from = &input.data()[(map + k.input) / LANES].0;
            let to = z[k.latent..].iter_mut().zip(from);
            to.for_each(|(to, from)| *to += from);
        }
    }
}

/// Up to sixteen changed coordinates of a sample.
#[derive(Clone, Copy)]
pub(super) struct Together<'a> {
    /// One by one, of the first sample.
    places: &'a [Changed],
    /// How far their own sample is.
    away: Away,
    side_by_side: bool,
}

impl Together<'_> {
    /// Their latents; 0 where there are fewer.
    #[inline(always)]
    pub(super) fn latents(&self, z: &[f32]) -> Sixteen {
        let z = &z[self.away.latents..];
        self.gathered(|c| z[c.latent], |c| run(z, c.latent))
    }

    /// Overwrites their latents.
    #[inline(always)]
    pub(super) fn set_latents(&self, z: &mut [f32], values: &Sixteen) {
        let z = &mut z[self.away.latents..];
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
        let from = self.away.map;
        let number = |at: usize| out.get(from + at);
        let block = |at: usize| out.data()[(from + at) / LANES].0;
        [
            self.gathered(|c| number(c.raw_scale), |c| block(c.raw_scale)),
            self.gathered(|c| number(c.shift), |c| block(c.shift)),
        ]
    }

    /// Overwrites these.
    #[inline(always)]
    pub(super) fn set_outputs(&self, out: &mut Map, [raw_scale, shift]: [&Sixteen; 2]) {
        let from = self.away.map;
        if let (true, [first, ..]) = (self.side_by_side, self.places) {
            out.data_mut()[(from + first.raw_scale) / LANES].0 = *raw_scale;
            out.data_mut()[(from + first.shift) / LANES].0 = *shift;
            return;
        }
        for (lane, c) in self.places.iter().enumerate() {
            out.set(from + c.raw_scale, raw_scale[lane]);
            out.set(from + c.shift, shift[lane]);
        }
    }

    /// Their channels.
    #[inline(always)]
    pub(super) fn channels(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|c| c.channel)
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

/// Whether every sixteen are neighbours in all places, those in maps a block of channels.
fn neighbours<T, const N: usize>(
    all: &[T],
    places: impl Fn(&T) -> [usize; N],
    in_maps: impl Fn(&T) -> Vec<usize>,
) -> bool {
    all.len().is_multiple_of(LANES)
        && all.chunks(LANES).all(|sixteen| {
            let first = places(&sixteen[0]);
            let follow = |(i, one): (usize, &T)| places(one) == first.map(|at| at + i);
            let aligned = in_maps(&sixteen[0]).iter().all(|at| at % LANES == 0);
            aligned && sixteen.iter().enumerate().all(follow)
        })
}

/// From one sample of a group to the next.
fn step(group: Group, placed: &PlacedStep) -> Away {
    if group.samples < 2 {
        return Away::default();
    }
    let grid = group.grid(placed.view);
    let place = Map::new(1, grid);
    let [first, second] = [0, 1].map(|sample| {
        let (y, x) = group.pixel(grid, sample, 0, 0);
        place.index(0, y, x)
    });
    Away {
        latents: group.dims,
        map: second - first,
    }
}

/// The lists of coordinates of the first sample.
fn lists(group: Group, placed: &PlacedStep, spec: &CouplingSpec) -> (Vec<Kept>, Vec<Changed>) {
    let (view, mask) = (placed.view, spec.mask);
    let (shape, grid) = (view.shape(), group.grid(view));
    let first_kept = mask.kept_channels(view.channels()).0;
    let (first_changed, changed_channels) = mask.changed_channels(view.channels());
    // Only for its indices: no pass writes to it.
    let place = Map::new(view.channels() * 2, grid);
    let (mut kept, mut changed) = (Vec::new(), Vec::new());
    for c in 0..view.channels() {
        for y in 0..usize::from(shape.height) {
            for x in 0..usize::from(shape.width) {
                let latent = view.offset(c, y, x);
                let (map_y, map_x) = group.pixel(grid, 0, y, x);
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
    (kept, changed)
}
