//! The pixels around a pixel, and predictions from them.

use super::canvas::{Canvas, Plane};

/// How many predictors compete.
pub(super) const PREDICTORS: usize = 4;

/// Neighbours that come earlier in raster order; outside the image, the nearest one inside.
#[derive(Clone, Copy)]
pub(super) struct Neighbours {
    pub(super) left: i32,
    pub(super) above: i32,
    pub(super) above_left: i32,
    pub(super) above_right: i32,
    pub(super) left_left: i32,
}

impl Neighbours {
    /// The neighbours of a pixel. Above the first row lies the left neighbour, left of the first column the upper
    /// one, and before the first pixel a zero.
    pub(super) fn of(canvas: &impl Canvas, plane: Plane, x: usize, y: usize) -> Self {
        let at = |x, y| i32::from(canvas.get(plane.index(x, y)));
        let (left, above) = match (x, y) {
            (0, 0) => (0, 0),
            (_, 0) => (at(x - 1, 0), at(x - 1, 0)),
            (0, _) => (at(0, y - 1), at(0, y - 1)),
            _ => (at(x - 1, y), at(x, y - 1)),
        };
        let above_left = if x > 0 && y > 0 {
            at(x - 1, y - 1)
        } else {
            above
        };
        let above_right = if y > 0 && x + 1 < plane.width {
            at(x + 1, y - 1)
        } else {
            above
        };
        let left_left = if x > 1 { at(x - 2, y) } else { above_left };
        Self {
            left,
            above,
            above_left,
            above_right,
            left_left,
        }
    }

    /// Left, above and the plane through the three nearest: the one in the middle.
    pub(super) fn median(&self) -> i32 {
        let (low, high) = (self.left.min(self.above), self.left.max(self.above));
        self.plane().clamp(low, high)
    }

    fn plane(&self) -> i32 {
        self.left + self.above - self.above_left
    }

    /// Largest difference of the four nearest.
    pub(super) fn range(&self) -> i32 {
        let high = self
            .left
            .max(self.above)
            .max(self.above_left)
            .max(self.above_right);
        let low = self
            .left
            .min(self.above)
            .min(self.above_left)
            .min(self.above_right);
        high - low
    }

    /// Whether any two are equal: only then is it worth asking for a repetition.
    pub(super) fn repeat(&self) -> bool {
        let Self {
            left,
            above,
            above_left,
            above_right,
            left_left,
        } = *self;
        let others = [above, above_left, above_right, left_left];
        others.contains(&left)
            || [above_left, above_right, left_left].contains(&above)
            || [above_right, left_left].contains(&above_left)
            || above_right == left_left
    }
}

/// The competing predictions of a pixel: the median; the mean of left and above; the plane; and the median of the
/// differences to the channel before, added to that channel's pixel.
///
/// The first three suit edges, texture and gradients. Against the median alone MNIST gets 2 % shorter, photographs stay
/// as they are, FashionMNIST gets 0.3 % longer, and AUROC rises by 0.003. The fourth takes colour photographs from 5.13
/// to 4.32 bits per byte; in the first channel it repeats the median and so is never chosen.
pub(super) fn predictions(
    canvas: &impl Canvas,
    plane: Plane,
    x: usize,
    y: usize,
    near: &Neighbours,
) -> [i32; PREDICTORS] {
    let median = near.median();
    let carried = match plane.before() {
        None => median,
        Some(before) => {
            let there = Neighbours::of(canvas, before, x, y);
            let differences = Neighbours {
                left: near.left - there.left,
                above: near.above - there.above,
                above_left: near.above_left - there.above_left,
                above_right: 0,
                left_left: 0,
            };
            differences.median() + i32::from(canvas.get(before.index(x, y)))
        }
    };
    [
        median,
        (near.left + near.above) >> 1,
        near.plane().clamp(0, 255),
        carried.clamp(0, 255),
    ]
}

/// Distances of a pixel from its predictions.
pub(super) fn distances(predictions: [i32; PREDICTORS], value: i32) -> [i32; PREDICTORS] {
    predictions.map(|p| (value - p).abs())
}
