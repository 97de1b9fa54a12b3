//! What is known of a pixel before it is coded: its prediction and its contexts.
//!
//! Everything here is a function of pixels that come earlier, read from the image itself: nothing but a few numbers is
//! carried along a row, so the state does not grow with the width.

use super::neighbours::{Neighbours, PREDICTORS};

/// Everything the questions about one pixel need.
pub(super) struct Surroundings {
    /// The pixels around.
    pub(super) near: Neighbours,
    /// The prediction that was closest to the pixels around.
    pub(super) prediction: i32,
    /// By how much it missed those, added up.
    missed: i32,
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
        Self {
            near,
            prediction,
            missed,
        }
    }

    /// How much the neighbours differ: bit length of their range.
    pub(super) fn spread(&self) -> usize {
        bit_length(self.near.range())
    }

    /// How well the prediction did around here: bit length of what it missed by.
    pub(super) fn misses(&self) -> usize {
        bit_length(self.missed)
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

    /// Sizes of the steps from left to above and from above to above right, two bits each.
    pub(super) fn steps(&self) -> usize {
        let n = &self.near;
        let size = |step| bit_length(step).div_ceil(2).min(3);
        4 * size(n.left - n.above) + size(n.above - n.above_right)
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

/// Number of binary digits of a magnitude.
fn bit_length(value: i32) -> usize {
    (u32::BITS - value.unsigned_abs().leading_zeros()) as usize
}
