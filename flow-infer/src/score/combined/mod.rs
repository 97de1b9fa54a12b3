//! One score of several tests.
//!
//! A sum of log_prob and code length has one threshold for images of every complexity, though its spread is twice as
//! wide for complex ones; and some of what is wrong with an image (an exposure, a lens out of focus) changes neither
//! much. So each *test* looks at one statistic, where it pays together with the code length by a density of the pair
//! learned from benign images, and a table turns what it finds into ln of the share of benign inputs that look at
//! least this strange. The combined score is the smallest of these logarithms (any test may reject, and the gate can
//! say which) or their sum, as the file says. All tables are the file's and are read in place.
//!
//! Tables are learned from one part of the calibration data and the threshold from another, so the promise of the
//! conformal gate does not depend on them.

mod curve;
mod kind;
mod test;

pub use kind::TestKind;

use super::Scores;
use test::Test;

/// Logarithms of tail probabilities count no further than this under [`Rule::Sum`], 16 fraction bits: -60 nats.
const LEAST_SUMMAND: i32 = -60 << 16;

/// How logarithms of tail probabilities become one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The smallest.
    Minimum = 0,
    /// The sum, each held at -60 nats.
    Sum = 1,
}

/// The tests of a file, checked.
#[derive(Clone, Copy, Debug)]
pub struct Tests<'b> {
    rule: Rule,
    /// Bit i for the test of code i.
    there: u16,
    records: &'b [u8],
}

/// What the tests say of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Combined {
    /// The score, in units of 2^-24 nats.
    pub score_raw: i64,
    /// The test that found the input strangest.
    pub smallest: TestKind,
    /// ln of the benign tail probability of each test by code, 16 fraction bits; zero where there is no such test.
    pub log_tails: [i32; TestKind::ALL.len()],
    /// The tests there are: bit i for the test of code i.
    pub tests: u16,
}

impl Combined {
    /// ln of the share of benign inputs that look at least this strange to a test, in units of 2^-24 nats.
    pub fn log_tail_raw(&self, kind: TestKind) -> Option<i64> {
        let is_there = self.tests >> kind.code() & 1 == 1;
        let tail = self.log_tails.get(usize::from(kind.code()));
        tail.filter(|_| is_there).map(|&tail| raw(tail))
    }
}

/// From 16 fraction bits to 24.
fn raw(tail: i32) -> i64 {
    i64::from(tail) << 8
}

impl<'b> Tests<'b> {
    /// Reads and checks the section; `images` says whether inputs have a code length. `None` where it is
    /// malformed.
    pub fn parse(bytes: &'b [u8], images: bool) -> Option<Self> {
        let (&[rule, count, 0, 0], records) = bytes.split_first_chunk::<4>()? else {
            return None;
        };
        let rule = match rule {
            0 => Rule::Minimum,
            1 => Rule::Sum,
            _ => return None,
        };
        let (mut rest, mut seen) = (records, 0u16);
        for _ in 0..count {
            let test = Test::take(&mut rest)?;
            let bit = 1u16 << test.kind.code();
            if seen & bit != 0 || (test.is_of_images() && !images) {
                return None;
            }
            seen |= bit;
        }
        (seen != 0 && rest.is_empty()).then_some(Self {
            rule,
            there: seen,
            records,
        })
    }

    /// How the tests are joined.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether none of these tests is there: bit i for the test of code i.
    pub(crate) fn lack(&self, tests: u16) -> bool {
        self.there & tests == 0
    }

    /// The tests in the order of the file.
    pub fn kinds(&self) -> impl Iterator<Item = TestKind> + 'b {
        self.iter().map(|test| test.kind)
    }

    /// What each test looks up in its table of tail probabilities, for those who make such tables; `None` where an
    /// input lacks the statistic.
    pub fn values(&self, scores: &Scores) -> impl Iterator<Item = Option<i32>> {
        self.iter().map(move |test| test.value(scores))
    }

    fn iter(&self) -> impl Iterator<Item = Test<'b>> + use<'b> {
        let mut rest = self.records;
        core::iter::from_fn(move || Test::take(&mut rest))
    }

    /// The combined score of an input; `None` where it lacks a statistic.
    pub fn combine(&self, scores: &Scores) -> Option<Combined> {
        let mut found = Combined {
            score_raw: 0,
            smallest: TestKind::Likelihood,
            log_tails: [0; TestKind::ALL.len()],
            tests: self.there,
        };
        let mut smallest = i32::MAX;
        for test in self.iter() {
            let tail = test.log_tail(scores)?;
            let code = test.kind.code();
            if let Some(slot) = found.log_tails.get_mut(usize::from(code)) {
                *slot = tail;
            }
            if tail < smallest {
                (smallest, found.smallest) = (tail, test.kind);
            }
            found.score_raw += raw(tail.max(LEAST_SUMMAND));
        }
        if self.rule == Rule::Minimum {
            found.score_raw = raw(smallest);
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests;
