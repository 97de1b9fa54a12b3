//! What a kernel multiplies: a window of activations with four rows of weights, and the proof that all of it is there.

use crate::bytes;
use crate::plan::LANES;

/// Part of a window that lies side by side in the activations as in the weights: of a convolution, one row of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Run {
    /// Its place in a row of weights.
    pub weights: usize,
    /// Its place in the activations.
    pub activations: usize,
}

/// Runs of one length: the shape of a window, wherever the window is.
#[derive(Clone, Copy, Debug)]
pub struct Window<'t> {
    runs: &'t [Run],
    run_len: usize,
    weights_reach: usize,
    activations_reach: usize,
}

impl<'t> Window<'t> {
    /// A window of these runs, each as many whole groups of [`LANES`] as `run_len` holds.
    pub fn new(runs: &'t [Run], run_len: usize) -> Self {
        let run_len = run_len / LANES * LANES;
        let (mut weights, mut activations) = (0, 0);
        for run in runs {
            weights = run.weights.max(weights);
            activations = run.activations.max(activations);
        }
        Self {
            runs,
            run_len,
            weights_reach: weights.saturating_add(run_len),
            activations_reach: activations.saturating_add(run_len),
        }
    }

    /// The runs.
    pub fn runs(&self) -> &'t [Run] {
        self.runs
    }

    /// End of the furthest run in a row of weights.
    pub fn weights_reach(&self) -> usize {
        self.weights_reach
    }

    /// End of the furthest run in the activations.
    pub fn activations_reach(&self) -> usize {
        self.activations_reach
    }

    /// Length of every run, a multiple of [`LANES`].
    pub fn run_len(&self) -> usize {
        self.run_len
    }
}

/// A window at its place, four rows of weights, and a second place `distance` activations further on.
///
/// A tile that exists fits: every run lies within each of the rows, and within the activations at both places.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'t, T> {
    window: &'t Window<'t>,
    weights: &'t [u8],
    row_bytes: usize,
    activations: &'t [T],
    distance: usize,
}

impl<'t, T> Tile<'t, T> {
    /// A tile, if all of it is there. `weights` holds four rows of `row_bytes` bytes, whose weights have
    /// `weight_bytes` each; the window's runs count from the start of `activations`.
    #[inline(always)]
    pub fn new(
        window: &'t Window<'t>,
        (weights, row_bytes, weight_bytes): (&'t [u8], usize, usize),
        (activations, distance): (&'t [T], usize),
    ) -> Option<Self> {
        let rows_fit = row_bytes <= weights.len() / LANES;
        let weights_fit = window.weights_reach.checked_mul(weight_bytes)? <= row_bytes;
        let activations_fit =
            window.activations_reach <= activations.len().checked_sub(distance)?;
        (rows_fit && weights_fit && activations_fit && weight_bytes > 0).then_some(Self {
            window,
            weights,
            row_bytes,
            activations,
            distance,
        })
    }

    /// The window.
    pub fn window(&self) -> &'t Window<'t> {
        self.window
    }

    /// Four rows of weights, one after another.
    pub fn weights(&self) -> &'t [u8] {
        self.weights
    }

    /// Bytes of a row of weights.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// What the window's runs count from.
    pub fn activations(&self) -> &'t [T] {
        self.activations
    }

    /// The same at the second place alone.
    #[inline(always)]
    pub fn second(&self) -> Self {
        Self {
            activations: self.activations.get(self.distance..).unwrap_or(&[]),
            distance: 0,
            ..*self
        }
    }

    /// Where the activations of one pixel, or of two, begin.
    #[inline(always)]
    pub fn pixels<const PIXELS: usize>(&self) -> [usize; PIXELS] {
        const { assert!(PIXELS <= 2) };
        core::array::from_fn(|pixel| pixel * self.distance)
    }

    /// How much further on the second place is.
    pub fn distance(&self) -> usize {
        self.distance
    }

    /// A row's weights of a run, each `BYTES` long.
    #[inline(always)]
    pub fn weights_of<const BYTES: usize>(&self, row: usize, run: &Run) -> &'t [[u8; BYTES]] {
        let start = row * self.row_bytes + run.weights * BYTES;
        bytes::run(self.weights, start, self.window.run_len * BYTES)
            .as_chunks()
            .0
    }

    /// A run's activations at the first or, with `distance` more, the second place.
    #[inline(always)]
    pub fn activations_of(&self, run: &Run, distance: usize) -> &'t [T] {
        bytes::run(
            self.activations,
            run.activations + distance,
            self.window.run_len,
        )
    }
}
