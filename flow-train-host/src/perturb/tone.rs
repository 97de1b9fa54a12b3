//! The same picture through a worse camera.

use super::{Picture, sign, uniform};
use crate::random::SplitMix64;

fn each(image: &Picture, mut of: impl FnMut(f64) -> f64) -> Picture {
    let pixels = image.pixels.iter().map(|&p| of(p).clamp(0.0, 255.0));
    Picture {
        pixels: pixels.collect(),
        ..*image
    }
}

/// Black for white.
pub(super) fn inverted(image: &Picture, _: &Picture, _: &mut SplitMix64) -> Picture {
    each(image, |p| 255.0 - p)
}

/// A gamma of 0.4 or 2.5.
pub(super) fn gamma(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let exponent = if sign(random) < 0.0 { 0.4 } else { 2.5 };
    each(image, |p| 255.0 * (p / 255.0).powf(exponent))
}

/// 0.15 to 0.5 of the light.
pub(super) fn darkened(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let share = uniform(random, 0.15, 0.5);
    each(image, |p| share * p)
}

/// 30 to 120 grey levels more.
pub(super) fn brightened(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let more = uniform(random, 30.0, 120.0);
    each(image, |p| p + more)
}

/// White above the mean, black below.
pub(super) fn binarized(image: &Picture, _: &Picture, _: &mut SplitMix64) -> Picture {
    let mean = image.pixels.iter().sum::<f64>() / image.pixels.len() as f64;
    each(image, |p| if p > mean { 255.0 } else { 0.0 })
}

/// Out of focus: a normal blur with a deviation of 0.8 to 3 pixels.
pub(super) fn blurred(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    blur(image, uniform(random, 0.8, 3.0))
}

pub(super) fn blur(image: &Picture, sigma: f64) -> Picture {
    let reach = (3.0 * sigma).ceil() as isize;
    let weights: Vec<(isize, f64)> = (-reach..=reach)
        .map(|i| (i, (-(i as f64 / sigma).powi(2) / 2.0).exp()))
        .collect();
    let total: f64 = weights.iter().map(|w| w.1).sum();
    let along = |image: &Picture, dy: isize, dx: isize| {
        image.like(|c, y, x| {
            let at = |i: isize| image.at(c, y as isize + i * dy, x as isize + i * dx);
            weights.iter().map(|&(i, w)| w * at(i)).sum::<f64>() / total
        })
    };
    along(&along(image, 1, 0), 0, 1)
}

/// How much each pixel differs from its eight neighbours.
pub(super) fn edges(image: &Picture, _: &Picture, _: &mut SplitMix64) -> Picture {
    let found = image.like(|c, y, x| {
        let at = |i: isize, j: isize| image.at(c, y as isize + i, x as isize + j);
        let around = (-1..=1).flat_map(|i| (-1..=1).map(move |j| (i, j)));
        9.0 * at(0, 0) - around.map(|(i, j)| at(i, j)).sum::<f64>()
    });
    each(&found, |p| p)
}

/// Normal noise with a deviation of 6 to 60 grey levels.
pub(super) fn noise(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let sigma = uniform(random, 6.0, 60.0);
    noisy(image, sigma, random)
}

pub(super) fn noisy(image: &Picture, sigma: f64, random: &mut SplitMix64) -> Picture {
    each(image, |p| p + sigma * random.normal())
}

/// One to fifteen pixels of a hundred black or white.
pub(super) fn salt(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let share = uniform(random, 0.01, 0.15);
    each(image, |p| match random.uniform() < share {
        true if random.uniform() < 0.5 => 0.0,
        true => 255.0,
        false => p,
    })
}

/// Every fourth row white.
pub(super) fn lines(image: &Picture, _: &Picture, _: &mut SplitMix64) -> Picture {
    image.like(|c, y, x| match y % 4 {
        0 => 255.0,
        _ => image.at(c, y as isize, x as isize),
    })
}
