//! Which part of a line falls on which pixel of the input, in integers.

/// Cuts `cells` pixels of a line into `parts` equal spans, one after the other.
///
/// A cell counts `parts` units and a span `cells` units, so that every edge falls on a whole unit.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    parts: u32,
    /// Cells of a span: whole ones, and units left.
    quotient: u32,
    remainder: u32,
    /// Next cell, and its units that the last span left; none if it is untouched.
    cell: u32,
    left: u32,
}

/// One span: units of its first cell, whole cells, units of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The cell that `head` belongs to; the whole cells begin there if `head` is zero.
    pub(super) cell: u32,
    pub(super) head: u32,
    pub(super) whole: u32,
    pub(super) tail: u32,
}

impl Span {
    /// Sum of the span's cells by their units, `parts` a whole one: `one` is a cell, `run` the sum of
    /// so many from a cell on, both counted from the span's first.
    #[inline(always)]
    pub(super) fn weighted(
        self,
        parts: u32,
        one: impl Fn(u32) -> u32,
        run: impl Fn(u32, u32) -> u32,
    ) -> u32 {
        let before = u32::from(self.head > 0);
        let mut total = parts * run(before, self.whole);
        if self.head > 0 {
            total += self.head * one(0);
        }
        if self.tail > 0 {
            total += self.tail * one(before + self.whole);
        }
        total
    }
}

impl Spans {
    /// `cells` is at least `parts`, and neither is zero.
    pub(super) fn new(cells: u32, parts: u32) -> Self {
        Self {
            parts,
            quotient: cells.checked_div(parts).unwrap_or(0),
            remainder: cells.checked_rem(parts).unwrap_or(0),
            cell: 0,
            left: 0,
        }
    }

    /// The next span; there are as many as parts.
    pub(super) fn step(&mut self) -> Span {
        let head = self.left;
        let (whole, tail) = match self.remainder.checked_sub(head) {
            Some(tail) => (self.quotient, tail),
            None => (self.quotient - 1, self.remainder + self.parts - head),
        };
        let span = Span {
            cell: self.cell,
            head,
            whole,
            tail,
        };
        self.cell += whole + u32::from(head > 0);
        self.left = if tail > 0 { self.parts - tail } else { 0 };
        span
    }
}
