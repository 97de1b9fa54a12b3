//! Pictures of nothing benign at all; of the image only the size is taken.

use super::{Picture, uniform};
use crate::random::SplitMix64;
use std::f64::consts::TAU;

fn grey(random: &mut SplitMix64) -> f64 {
    random.below(256) as f64
}

/// One grey, one in twenty black and as many white.
pub(super) fn constant(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let value = match random.below(20) {
        0 => 0.0,
        1 => 255.0,
        _ => grey(random),
    };
    image.like(|_, _, _| value)
}

/// Every byte as likely as any other.
pub(super) fn uniform_noise(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    image.like(|_, _, _| grey(random))
}

/// Normal noise about a grey, with a deviation of 5 to 60 grey levels.
pub(super) fn normal_noise(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let (mean, sigma) = (uniform(random, 64.0, 192.0), uniform(random, 5.0, 60.0));
    image.like(|_, _, _| (mean + sigma * random.normal()).clamp(0.0, 255.0))
}

/// A sine of 3 to 30 pixels a period in any direction.
pub(super) fn waves(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let (sin, cos) = uniform(random, 0.0, TAU).sin_cos();
    let period = 3.0 * 10f64.powf(random.uniform());
    image.like(|_, y, x| 127.5 + 127.5 * ((sin * y as f64 + cos * x as f64) * TAU / period).sin())
}

/// A smooth field: random greys at 4 x 4 nodes, and a smooth step between.
pub(super) fn smooth(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let nodes: Vec<f64> = (0..16 * image.channels).map(|_| grey(random)).collect();
    let place = |v: usize, n: usize| {
        let v = 3.0 * v as f64 / n as f64;
        let t = v - v.floor();
        (v as usize, t * t * (3.0 - 2.0 * t))
    };
    image.like(|c, y, x| {
        let ((row, ty), (column, tx)) = (place(y, image.height), place(x, image.width));
        let node = |i: usize, j: usize| nodes[16 * c + 4 * (row + i) + column + j];
        let along = |i: usize| node(i, 0) * (1.0 - tx) + node(i, 1) * tx;
        along(0) * (1.0 - ty) + along(1) * ty
    })
}

/// Two to six straight strokes, bright on black.
pub(super) fn strokes(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let (height, width) = (image.height as f64, image.width as f64);
    let count = 2 + random.below(5);
    let mut stroke = || {
        let mut end = || {
            let y = uniform(random, 0.1, 0.9) * height;
            (y, uniform(random, 0.1, 0.9) * width)
        };
        let (from, to) = (end(), end());
        let thick = uniform(random, 0.02, 0.07) * height.min(width);
        (from, to, thick, uniform(random, 80.0, 255.0))
    };
    let all: Vec<_> = (0..count).map(|_| stroke()).collect();
    image.like(|_, y, x| {
        let bright = all.iter().map(|&(from, to, thick, grey)| {
            let away = distance((y as f64, x as f64), from, to);
            grey * (thick + 0.5 - away).clamp(0.0, 1.0)
        });
        bright.fold(0.0, f64::max)
    })
}

/// From a point to a line between two others.
fn distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dy, dx) = (b.0 - a.0, b.1 - a.1);
    let along = ((p.0 - a.0) * dy + (p.1 - a.1) * dx) / (dy * dy + dx * dx).max(1e-9);
    let t = along.clamp(0.0, 1.0);
    (p.0 - a.0 - t * dy).hypot(p.1 - a.1 - t * dx)
}

/// An ellipse and a box, each in one grey, on black or on a grey.
pub(super) fn shapes(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let (height, width) = (image.height as f64, image.width as f64);
    let ground = if random.below(2) == 0 {
        0.0
    } else {
        grey(random)
    };
    let mut shape = || {
        let middle = (
            uniform(random, 0.2, 0.8) * height,
            uniform(random, 0.2, 0.8) * width,
        );
        let half = (
            uniform(random, 0.1, 0.4) * height,
            uniform(random, 0.1, 0.4) * width,
        );
        (middle, half, grey(random))
    };
    let (ellipse, rectangle) = (shape(), shape());
    image.like(|_, y, x| {
        let away = |(middle, half, _): &((f64, f64), (f64, f64), f64)| {
            (
                (y as f64 - middle.0) / half.0,
                (x as f64 - middle.1) / half.1,
            )
        };
        let (inside, within) = (away(&ellipse), away(&rectangle));
        if inside.0.hypot(inside.1) < 1.0 {
            ellipse.2
        } else if within.0.abs().max(within.1.abs()) < 1.0 {
            rectangle.2
        } else {
            ground
        }
    })
}
