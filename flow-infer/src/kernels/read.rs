//! Kept coordinates of a row at once, in integers: from latents to the activations that a conditioner reads.
//!
//! One at a time a coordinate took 53 instructions of a host and asked for its sign, which nobody foresees: a twentieth
//! of an image's time in `fashion-bottleneck`.

use crate::plan::Activation;

/// How a channel's latents are read.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(kernel = "x86_64"), allow(dead_code))] // elsewhere nothing reads it
pub(crate) struct Reading {
    /// Multiplier, of which the product's high word counts, rounded.
    pub(crate) gain: i32,
    /// Added to it; the sum is held to 17 bits.
    pub(crate) offset: i32,
    /// Applied to that and, of a pair, to its negative.
    pub(crate) activation: Activation,
}

/// A channel's kept coordinates in a row, and the pixels that they are read into.
#[derive(Debug)]
pub struct Kept<'r, L, T> {
    /// Latents, from the first coordinate on.
    pub latents: &'r [L],
    /// Distance of two neighbouring coordinates in the latents.
    pub stride: usize,
    /// How many coordinates there are.
    pub count: usize,
    /// Activations, from the first coordinate's pixel on.
    pub pixels: &'r mut [T],
    /// Distance of two neighbouring coordinates' pixels.
    pub distance: usize,
    /// Where in a pixel the value goes.
    pub positive: usize,
    /// Where in a pixel its negative goes, if that is read as well.
    pub negative: Option<usize>,
}

/// Writes a channel's values into pixels so far apart.
#[inline(always)]
pub(crate) fn write<T>(
    pixels: &mut [T],
    distance: usize,
    (positive, negative): (usize, Option<usize>),
    values: impl Iterator<Item = (T, T)>,
) {
    for (pixel, values) in pixels.chunks_mut(distance.max(1)).zip(values) {
        if let Some(slot) = pixel.get_mut(positive) {
            *slot = values.0;
        }
        if let Some(slot) = negative.and_then(|place| pixel.get_mut(place)) {
            *slot = values.1;
        }
    }
}
