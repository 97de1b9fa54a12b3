//! Maps as vectors, one an image: what a dense layer reads of them.

use super::{Grid, Map};

/// Maps of `channels` x `grid`, their numbers in the order of the model: channel, row, column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat {
    pub(super) channels: usize,
    pub(super) grid: Grid,
}

impl Flat {
    /// Numbers of an image.
    pub(super) fn numbers(&self) -> usize {
        self.channels * self.grid.height * self.grid.width
    }

    /// A vector an image.
    pub(super) fn vectors(&self) -> Grid {
        Grid::vectors(self.grid.images)
    }

    pub(super) fn flatten(&self, map: &Map, vectors: &mut Map) {
        self.each(|[number, image], [c, y, x]| {
            vectors.set(vectors.index(number, 0, image), map.get(map.index(c, y, x)));
        });
    }

    pub(super) fn unflatten(&self, vectors: &Map, map: &mut Map) {
        self.each(|[number, image], [c, y, x]| {
            map.set(
                map.index(c, y, x),
                vectors.get(vectors.index(number, 0, image)),
            );
        });
    }

    /// Every number of every image's vector with its place in the map.
    fn each(&self, mut visit: impl FnMut([usize; 2], [usize; 3])) {
        let Grid { height, width, .. } = self.grid;
        for c in 0..self.channels {
            for row in 0..self.grid.rows() {
                let (image, y) = (row / height, row % height);
                let first = (c * height + y) * width;
                (0..width).for_each(|x| visit([first + x, image], [c, row, x]));
            }
        }
    }
}
