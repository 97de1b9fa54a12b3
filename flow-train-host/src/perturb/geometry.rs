//! The same thing in another place.

use super::{Picture, sign, uniform};
use crate::random::SplitMix64;

/// The image through an affine map about its middle: where each pixel is taken from. Black outside.
fn mapped(image: &Picture, of: impl Fn(f64, f64) -> (f64, f64)) -> Picture {
    let middle = |n: usize| (n as f64 - 1.0) / 2.0;
    let (my, mx) = (middle(image.height), middle(image.width));
    image.like(|c, y, x| {
        let (dy, dx) = of(y as f64 - my, x as f64 - mx);
        let (y, x) = (my + dy, mx + dx);
        let inside = |v: f64, n: usize| (-0.5..=n as f64 - 0.5).contains(&v);
        if !inside(y, image.height) || !inside(x, image.width) {
            return 0.0;
        }
        let (top, left) = (y.floor(), x.floor());
        let (ty, tx) = (y - top, x - left);
        let at = |i: isize, j: isize| image.at(c, top as isize + i, left as isize + j);
        let row = |i: isize| at(i, 0) * (1.0 - tx) + at(i, 1) * tx;
        row(0) * (1.0 - ty) + row(1) * ty
    })
}

/// By 20 to 160 degrees.
pub(super) fn rotated(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let angle = sign(random) * uniform(random, 20.0, 160.0).to_radians();
    let (sin, cos) = angle.sin_cos();
    mapped(image, |y, x| (cos * y - sin * x, sin * y + cos * x))
}

/// By a seventh to a third of the side, both ways.
pub(super) fn shifted(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let side = image.height.min(image.width) as f64;
    let mut by = || (sign(random) * uniform(random, side / 7.0, side / 3.0)).round();
    let (dy, dx) = (by(), by());
    mapped(image, |y, x| (y + dy, x + dx))
}

/// To a third to seven tenths of its size, on black.
pub(super) fn zoomed_out(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let times = 1.0 / uniform(random, 0.35, 0.7);
    mapped(image, |y, x| (times * y, times * x))
}

/// The middle, 1.5 to 2.5 times enlarged.
pub(super) fn zoomed_in(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let times = 1.0 / uniform(random, 1.5, 2.5);
    mapped(image, |y, x| (times * y, times * x))
}
