//! What benign inputs look like when something has happened to them: a fixed list of families.
//!
//! `calibrate` chooses a model's tests by what they see of these, so that the choice needs nothing foreign. The list
//! was written down before anything foreign was scored, and names what happens to cameras and what costs nothing to
//! think of: geometry, tone, optics, noise, things in the way, parts in the wrong place, and pictures made of nothing.
//! It is documented in `documents/calibration.md`. [`kinds`] are others, to evaluate on. [`negatives`] are for training
//! a flow against.

mod geometry;
mod kinds;
mod nothing;
mod parts;
mod tone;
mod vectors;
mod windows;

use crate::data::{Dataset, Images, Vectors, WindowSet};
use crate::random::SplitMix64;
use rayon::prelude::*;

/// One image of bytes, channel by channel.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<f64>,
}

impl Picture {
    fn like(&self, of: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let mut of = of;
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for c in 0..self.channels {
            for y in 0..self.height {
                pixels.extend((0..self.width).map(|x| of(c, y, x)));
            }
        }
        Self { pixels, ..*self }
    }

    /// A pixel; the nearest one of the edge outside.
    fn at(&self, c: usize, y: isize, x: isize) -> f64 {
        let y = y.clamp(0, self.height as isize - 1) as usize;
        let x = x.clamp(0, self.width as isize - 1) as usize;
        self.pixels[(c * self.height + y) * self.width + x]
    }
}

type OnPicture = fn(&Picture, &Picture, &mut SplitMix64) -> Picture;

/// What is darker may be the black of a sensor.
const DARK: f64 = 16.0;
/// Share of the dark pixels, the darkest, that are taken for black; the others are edges.
const BLACK: f64 = 0.9;

impl Picture {
    /// Nothing darker than the black of another picture.
    ///
    /// A perturbation happens to the scene, and what it paints black is not 0 to a camera that sees 1 and 2 there: with a
    /// black of exactly 0, tests of the black level see everything, and tell nothing of what they see of a real scene.
    fn with_black_of(mut self, other: &Self, random: &mut SplitMix64) -> Self {
        let mut dark: Vec<f64> = other
            .pixels
            .iter()
            .copied()
            .filter(|&p| p <= DARK)
            .collect();
        dark.sort_unstable_by(f64::total_cmp);
        dark.truncate((BLACK * dark.len() as f64) as usize);
        let Some(&lightest) = dark.last() else {
            return self;
        };
        for pixel in self.pixels.iter_mut().filter(|p| **p < lightest) {
            *pixel = pixel.max(dark[random.below(dark.len())]);
        }
        self
    }
}

/// Families of images: a name and what it does to one image, beside which another benign one is given.
const IMAGES: [(&str, OnPicture); 28] = [
    ("rotated", geometry::rotated),
    ("shifted", geometry::shifted),
    ("zoomed_out", geometry::zoomed_out),
    ("zoomed_in", geometry::zoomed_in),
    ("inverted", tone::inverted),
    ("gamma", tone::gamma),
    ("darkened", tone::darkened),
    ("brightened", tone::brightened),
    ("binarized", tone::binarized),
    ("blurred", tone::blurred),
    ("edges", tone::edges),
    ("noise", tone::noise),
    ("salt", tone::salt),
    ("lines", tone::lines),
    ("covered", parts::covered),
    ("quarters", parts::quarters),
    ("sixteenths", parts::sixteenths),
    ("mixed", parts::mixed),
    ("spliced", parts::spliced),
    ("pixelated", parts::pixelated),
    ("permuted", parts::permuted),
    ("constant", nothing::constant),
    ("uniform_noise", nothing::uniform_noise),
    ("normal_noise", nothing::normal_noise),
    ("waves", nothing::waves),
    ("smooth", nothing::smooth),
    ("strokes", nothing::strokes),
    ("shapes", nothing::shapes),
];

/// Every family of perturbed inputs of the data, up to `most` inputs each.
pub fn families(
    data: &Dataset,
    most: usize,
    seed: u64,
) -> impl Iterator<Item = (&'static str, Dataset)> {
    let of_images = match data {
        Dataset::Images(images) => Some(of_images(&IMAGES, images, most, seed, true)),
        Dataset::Vectors(_) => None,
    };
    let of_vectors = match data {
        Dataset::Images(_) => None,
        Dataset::Vectors(vectors) if vectors.windows().is_some() => None,
        Dataset::Vectors(vectors) => Some(of_vectors(vectors, most, seed)),
    };
    let of_windows = data.windows().map(|set| of_windows(set, most, seed));
    let images = of_images.into_iter().flatten();
    let vectors = images.chain(of_vectors.into_iter().flatten());
    vectors.chain(of_windows.into_iter().flatten())
}

/// Kinds of foreign images to evaluate on, made of benign ones, of which a gate knows nothing; see `documents/calibration.md`.
pub fn kinds(
    images: &Images,
    most: usize,
    seed: u64,
) -> impl Iterator<Item = (&'static str, Dataset)> {
    of_images(&kinds::KINDS, images, most, seed, false)
}

/// Names of the families of images.
pub fn image_families() -> impl Iterator<Item = &'static str> {
    IMAGES.iter().map(|(name, _)| *name)
}

/// Whether there is a family of images of this name.
pub fn is_image_family(name: &str) -> bool {
    image_families().any(|known| known == name)
}

/// Families that no ratio net is trained on by default, one or two of every kind: `calibrate` judges by them what such a net
/// sees.
const HELD_OUT: [&str; 8] = [
    "zoomed_in",
    "gamma",
    "edges",
    "salt",
    "quarters",
    "pixelated",
    "waves",
    "shapes",
];

/// The families of images that a ratio net is trained on by default.
pub fn trained_families() -> impl Iterator<Item = &'static str> {
    image_families().filter(|name| !is_held_out(name))
}

/// Whether a ratio net is not trained on this family by default.
pub fn is_held_out(name: &str) -> bool {
    HELD_OUT.contains(&name)
}

/// One image that is not to be likely for each of these, of a family drawn from those named, and followed by another one
/// with probability `twice`; nothing where none is named.
pub fn negatives(images: &Images, names: &[String], seed: u64, twice: f64) -> Images {
    let named = |(name, _): &&(&str, OnPicture)| names.iter().any(|n| n == name);
    let families: Vec<_> = IMAGES.iter().filter(named).collect();
    let one = |index: usize| {
        let mut random = SplitMix64::keyed([seed, index as u64]);
        let (_, perturb) = families[random.below(families.len())];
        let other = picture(
            images,
            (index + 1 + random.below(images.len())) % images.len(),
        );
        let mut found = perturb(&picture(images, index), &other, &mut random);
        if twice > 0.0 && random.uniform() < twice {
            let (_, perturb) = families[random.below(families.len())];
            found = perturb(&found, &other, &mut random);
        }
        let found = found.with_black_of(&other, &mut random);
        found.pixels.iter().map(|p| p.round() as u8).collect()
    };
    let count = if families.is_empty() { 0 } else { images.len() };
    let pixels: Vec<Vec<u8>> = (0..count).into_par_iter().map(one).collect();
    let [c, h, w] = [images.channels(), images.height(), images.width()];
    // As many pixels as the images have, or none.
    Images::new(c, h, w, pixels.concat()).unwrap_or_else(|_| images.take(0..0))
}

fn picture(images: &Images, index: usize) -> Picture {
    Picture {
        channels: images.channels(),
        height: images.height(),
        width: images.width(),
        pixels: images.get(index).iter().map(|&p| p.into()).collect(),
    }
}

fn of_images<'i>(
    list: &'static [(&'static str, OnPicture)],
    images: &'i Images,
    most: usize,
    seed: u64,
    black: bool,
) -> impl Iterator<Item = (&'static str, Dataset)> + use<'i> {
    let [channels, height, width] = [images.channels(), images.height(), images.width()];
    let count = images.len();
    let families = list.iter().enumerate();
    families.filter_map(move |(family, &(name, perturb))| {
        let mut random = SplitMix64(seed ^ (family as u64) << 32);
        let mut pixels = Vec::new();
        for index in 0..count.min(most) {
            let other = picture(images, (index + 1 + random.below(count)) % count);
            let found = perturb(&picture(images, index), &other, &mut random);
            let found = match black {
                true => found.with_black_of(&other, &mut random),
                false => found,
            };
            pixels.extend(found.pixels.iter().map(|p| p.round() as u8));
        }
        let images = Images::new(channels, height, width, pixels).ok()?;
        Some((name, Dataset::Images(images)))
    })
}

fn of_vectors(
    data: &Vectors,
    most: usize,
    seed: u64,
) -> impl Iterator<Item = (&'static str, Dataset)> {
    let columns = vectors::Columns::of(data);
    let families = vectors::FAMILIES.iter().enumerate();
    families.filter_map(move |(family, &(name, perturb))| {
        let mut random = SplitMix64(seed ^ (family as u64) << 32);
        let mut values = Vec::new();
        for index in 0..data.len().min(most) {
            values.extend(perturb(data, index, &columns, &mut random));
        }
        let vectors = Vectors::new(data.dims(), values).ok()?;
        Some((name, Dataset::Vectors(vectors)))
    })
}

fn of_windows(
    set: &WindowSet,
    most: usize,
    seed: u64,
) -> impl Iterator<Item = (&'static str, Dataset)> + use<'_> {
    let deviations = windows::deviations(set);
    let families = windows::FAMILIES.iter().enumerate();
    families.filter_map(move |(family, &(name, perturb))| {
        let mut random = SplitMix64(seed ^ (family as u64) << 32);
        let mut samples = Vec::new();
        for index in 0..set.len().min(most) {
            let other = (index + 1 + random.below(set.len())) % set.len();
            let pair = windows::Pair {
                window: windows::window(set, index),
                other: windows::window(set, other),
                deviations: deviations.clone(),
            };
            samples.extend(windows::samples(&perturb(&pair, &mut random)));
        }
        let perturbed = WindowSet::new(set.spec().clone(), samples).ok()?;
        Some((name, Dataset::Vectors(Vectors::of_windows(perturbed))))
    })
}

/// Uniform in a range.
fn uniform(random: &mut SplitMix64, low: f64, high: f64) -> f64 {
    low + (high - low) * random.uniform()
}

/// One of two signs.
fn sign(random: &mut SplitMix64) -> f64 {
    if random.uniform() < 0.5 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests;
