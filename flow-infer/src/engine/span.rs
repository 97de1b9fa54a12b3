//! How much of the work at hand one step does.

use core::ops::Range;

/// Products that a step computes at most in a program that does other things meanwhile: on Cortex-M4, two instructions
/// each.
pub const STEP_PRODUCTS: usize = 1 << 16;

/// Where a step takes up work, and how much of it it may do.
///
/// A build that never divides anything sees so at compile time, and has no code for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    from: usize,
    /// Products of a step; none if nothing is divided.
    most: Option<usize>,
}

impl Span {
    /// Work that goes on at this unit.
    #[inline(always)]
    pub(super) fn new(from: usize, most: Option<usize>) -> Self {
        let from = if most.is_some() { from } else { 0 };
        Self { from, most }
    }

    /// The units of this step, of `count` that cost so many products each.
    #[inline(always)]
    pub(super) fn take(&mut self, count: usize, products: usize) -> Range<usize> {
        self.take_of(count, count, products)
    }

    /// The same of groups of `group` units, of which a step does no more than one.
    #[inline(always)]
    pub(super) fn take_of(&mut self, group: usize, count: usize, products: usize) -> Range<usize> {
        let Some(most) = self.most else {
            return 0..count;
        };
        let most = most / products.max(1);
        // Two units are often done faster together than one after the other.
        let most = if most > 1 { most & !1 } else { 1 };
        let start = self.from.min(count);
        let left = group - start.checked_rem(group).unwrap_or(0);
        let end = start.saturating_add(most.min(left)).min(count);
        self.from = if end == count { 0 } else { end };
        start..end
    }

    /// Products that a step may have; none if nothing is divided.
    #[inline(always)]
    pub(super) fn most(self) -> Option<usize> {
        self.most
    }

    /// Where the next step goes on; zero if nothing is left.
    #[inline(always)]
    pub(super) fn next(self) -> usize {
        self.from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_everything_once() {
        for (count, products) in [(0, 1), (1, 1), (7, 500), (5, usize::MAX), (3, 0)] {
            let (mut from, mut covered) = (0, 0);
            loop {
                let mut span = Span::new(from, Some(1000));
                let units = span.take(count, products);
                assert_eq!(units.start, covered);
                covered = units.end;
                from = span.next();
                if from == 0 {
                    break;
                }
            }
            assert_eq!(covered, count);
            assert_eq!(Span::new(0, None).take(count, products), 0..count);
        }
        // Two columns of five blocks, of which a step may do four.
        let mut from = 0;
        for units in [0..4, 4..5, 5..9, 9..10] {
            let mut span = Span::new(from, Some(4));
            assert_eq!(span.take_of(5, 10, 1), units);
            from = span.next();
        }
        assert_eq!(from, 0);
    }
}
