//! One test: a statistic, what is known of it at a code length, and the logarithm of its benign tail probability.

use super::super::Scores;
use super::curve::Curve;
use super::kind::{TestKind, units};

/// Bytes in front of a test's tables: kind, knots, points, zero.
const HEAD_LEN: usize = 4;
/// Most points of a table.
const MOST_POINTS: usize = 127;

/// What benign images of one code length look like: code length, mean and inverse deviation of the statistic, and the
/// logarithm of the density's remaining factors.
type Knots<'b> = Curve<'b, 4>;
/// Value and logarithm of the benign tail probability.
type Points<'b> = Curve<'b, 2>;

/// A test as the file has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test<'b> {
    pub(super) kind: TestKind,
    /// None where the statistic counts as it is.
    knots: Option<Knots<'b>>,
    points: Points<'b>,
}

impl<'b> Test<'b> {
    /// Takes a test from the front of the bytes; `None` where they are none.
    pub(super) fn take(bytes: &mut &'b [u8]) -> Option<Self> {
        let (&[kind, knots, points, zero], rest) = bytes.split_first_chunk::<HEAD_LEN>()?;
        let (knots, points) = (usize::from(knots), usize::from(points));
        let (given, rest) = rest.split_at_checked(knots * Knots::RECORD_LEN)?;
        let (table, rest) = rest.split_at_checked(points * Points::RECORD_LEN)?;
        *bytes = rest;
        let test = Self {
            kind: TestKind::from_code(kind)?,
            knots: (knots > 0).then_some(Curve::new(given)),
            points: Curve::new(table),
        };
        let sizes = zero == 0 && knots <= MOST_POINTS && (1..=MOST_POINTS).contains(&points);
        (sizes && test.is_sound()).then_some(test)
    }

    /// Code lengths and values ascend, deviations are positive, tail probabilities are none above one and rise to one
    /// greatest and fall from there.
    fn is_sound(&self) -> bool {
        let knots = self.knots.is_none_or(|knots| {
            ascends(knots.records().map(|[code, ..]| code))
                && knots.records().all(|[_, _, inverse, _]| inverse > 0)
        });
        let mut tails = self.points.records().map(|[_, tail]| tail);
        let mut falls = false;
        let mut last = i32::MIN;
        let unimodal = tails.all(|tail| {
            let good = tail <= 0 && (!falls || tail <= last);
            falls |= tail < last;
            last = tail;
            good
        });
        knots && unimodal && ascends(self.points.records().map(|[value, _]| value))
    }

    /// Whether the test needs what only images have.
    pub(super) fn is_of_images(&self) -> bool {
        self.kind.is_of_images() || self.knots.is_some()
    }

    /// What is looked up in the table of tail probabilities: the statistic, or ln of its density with the code length.
    pub(super) fn value(&self, scores: &Scores) -> Option<i32> {
        let statistic = self.kind.statistic(scores)?;
        Some(match &self.knots {
            None => statistic,
            Some(knots) => density(knots, statistic, units(scores.code_length_raw?)),
        })
    }

    /// ln of the share of benign inputs that look at least this strange, 16 fraction bits.
    pub(super) fn log_tail(&self, scores: &Scores) -> Option<i32> {
        let [_, tail] = self.points.at(self.value(scores)?);
        Some(tail)
    }
}

fn ascends(mut values: impl Iterator<Item = i32>) -> bool {
    let Some(mut last) = values.next() else {
        return true;
    };
    values.all(|value| core::mem::replace(&mut last, value) < value)
}

/// ln of the benign density of (statistic, code length), 16 fraction bits: normal at each code length.
fn density(knots: &Knots<'_>, statistic: i32, code_length: i32) -> i32 {
    const MOST: i64 = 1 << 30;
    let [_, mean, inverse, rest] = knots.at(code_length);
    // The inverse deviation has 32 fraction bits in units of the statistic: 16 remain.
    let away = (i64::from(statistic.saturating_sub(mean)) * i64::from(inverse)) >> 16;
    let away = away.clamp(-MOST, MOST);
    let ln = i64::from(rest) - ((away * away) >> 17);
    ln.max(i64::from(i32::MIN)) as i32
}
