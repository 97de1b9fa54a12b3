//! What is known of a pixel before it is coded: its prediction and its contexts.
//!
//! Everything here is a function of pixels that come earlier, read from the image itself: nothing but a few numbers is
//! carried along a row, so the state does not grow with the width.

use super::log2;
use super::neighbours::{Neighbours, PREDICTORS};

/// Everything the questions about one pixel need.
pub(super) struct Surroundings {
    /// The pixels around.
    pub(super) near: Neighbours,
    /// The prediction that was closest to the pixels around.
    pub(super) prediction: i32,
    /// How well it did there: binary digits of what it missed by, added up.
    pub(super) misses: usize,
    /// How much the neighbours differ: binary digits of their range.
    pub(super) spread: usize,
    /// Sizes of the steps from left to above and from above to above right, two bits each.
    pub(super) steps: usize,
}

impl Surroundings {
    /// `missed` are the distances of each prediction from its pixel, added over the pixels left, above and above right.
    pub(super) fn new(
        near: Neighbours,
        predictions: [i32; PREDICTORS],
        missed: [i32; PREDICTORS],
    ) -> Self {
        let mut best = (0, i32::MAX);
        for (prediction, missed) in predictions.into_iter().zip(missed) {
            if missed < best.1 {
                best = (prediction, missed);
            }
        }
        let (prediction, missed) = best;
        let step = |from: i32, to: i32| digits(from - to).div_ceil(2).min(3);
        Self {
            near,
            prediction,
            misses: digits(missed),
            spread: digits(near.range()),
            steps: 4 * step(near.left, near.above) + step(near.above, near.above_right),
        }
    }

    /// Which neighbours are equal, and whether they suggest black, white or something between.
    pub(super) fn pattern(&self) -> usize {
        let n = &self.near;
        let ends = match n.median() {
            0 => 0,
            255 => 1,
            _ => 2,
        };
        16 * ends
            + 8 * usize::from(n.left == n.left_left)
            + 4 * usize::from(n.above == n.above_right)
            + 2 * usize::from(n.above == n.above_left)
            + usize::from(n.left == n.above)
    }

    /// On which side of the prediction three neighbours lie.
    pub(super) fn tilt(&self) -> usize {
        let side = |neighbour: i32| match neighbour - self.prediction {
            ..-1 => 0,
            -1..=1 => 1,
            2.. => 2,
        };
        9 * side(self.near.left) + 3 * side(self.near.above) + side(self.near.above_right)
    }

    /// Eighth of the range of values in which the prediction lies.
    pub(super) fn level(&self) -> usize {
        (self.prediction >> 5).clamp(0, 7) as usize
    }
}

/// Number of binary digits of a magnitude, at most 8.
fn digits(value: i32) -> usize {
    log2::digits(value.unsigned_abs().min(255) as u8) as usize
}
