//! Columns of a row, evenly apart: what a mask keeps or changes of it.

use core::ops::Range;

/// Goes through columns from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    first: usize,
    stride: usize,
    count: usize,
}

impl Columns {
    /// So many columns side by side.
    pub const fn adjacent(first: usize, count: usize) -> Self {
        Self {
            first,
            stride: 1,
            count,
        }
    }

    /// Every other column of a row, beginning with 0 or 1.
    pub const fn alternate(first: usize, width: usize) -> Self {
        Self {
            first,
            stride: 2,
            count: (width + 1).saturating_sub(first) / 2,
        }
    }

    /// So many columns from one on, at this distance.
    pub(crate) const fn apart(first: usize, stride: usize, count: usize) -> Self {
        Self {
            first,
            stride,
            count,
        }
    }

    /// Those from one to another, counted from the left.
    pub(crate) const fn part(&self, Range { start, end }: Range<usize>) -> Self {
        Self {
            first: self.first + start * self.stride,
            stride: self.stride,
            count: end - start,
        }
    }

    /// The leftmost column, if there are any.
    pub const fn first(&self) -> usize {
        self.first
    }

    /// Distance of two neighbours.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }
}

impl Iterator for Columns {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        self.count = self.count.checked_sub(1)?;
        let column = self.first;
        self.first += self.stride;
        Some(column)
    }
}
