//! The tables of the combined score's tests, learned from benign scores, and their bytes.
//!
//! Everything is counted in the integers that the device counts in, so that a table means on the device what it meant
//! when it was fitted.

use flow_infer::score::Scores;
use flow_infer::score::combined::{Rule, TestKind, Tests};
use std::collections::BTreeSet;

/// Bins of code length, each with its mean and deviation.
const MOST_BINS: usize = 16;
/// Fewest images a bin.
const BIN_SAMPLES: usize = 60;
/// Quantiles of a table of tail probabilities.
const QUANTILES: usize = 64;
/// A tail goes on as steeply as it falls over this many of the strangest benign values.
const TAIL_RANK: usize = 30;
/// ... for so many nats, and is constant from there.
const TAIL_NATS: f64 = 256.0;
/// Beyond the code lengths that were seen, in units of the distance from the last bin's middle to the end.
const BEYOND: [f64; 4] = [1.0, 2.0, 4.0, 8.0];
/// 16 fraction bits, of logarithms.
const ONE: f64 = 65536.0;

/// One test's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestTable {
    /// The test.
    pub kind: TestKind,
    /// Code length, mean and inverse deviation of the statistic there, ln of the density's other factors; empty where
    /// the statistic counts as it is.
    pub knots: Vec<[i32; 4]>,
    /// Value and ln of its benign tail probability.
    pub points: Vec<[i32; 2]>,
}

impl TestTable {
    /// Learns a test from benign scores; `None` of none, and where they lack its statistic.
    pub fn fit(kind: TestKind, benign: &[&Scores]) -> Option<Self> {
        if benign.is_empty() {
            return None;
        }
        let statistics = benign.iter().map(|s| kind.statistic(s));
        let statistics: Vec<i32> = statistics.collect::<Option<_>>()?;
        let codes = benign.iter().map(|s| TestKind::CodeLength.statistic(s));
        let codes: Option<Vec<i32>> = codes.collect();
        let mut table = Self {
            kind,
            knots: Vec::new(),
            points: vec![[0, 0]],
        };
        let joint = matches!(kind, TestKind::Likelihood | TestKind::GoodnessOfFit);
        let values = match codes {
            Some(codes) if joint => {
                table.knots = knots(&statistics, &codes)?;
                table.densities(benign)?
            }
            _ => statistics,
        };
        let two_sided = match kind {
            TestKind::Likelihood => false,
            TestKind::GoodnessOfFit => table.knots.is_empty(),
            TestKind::Complexity | TestKind::Highlights | TestKind::Ratio | TestKind::Marginals => {
                false
            }
            _ => true,
        };
        table.points = points(values, two_sided)?;
        Some(table)
    }

    /// What the device will look up for these inputs in a table of tail probabilities.
    fn densities(&self, benign: &[&Scores]) -> Option<Vec<i32>> {
        let bytes = to_bytes(Rule::Minimum, std::slice::from_ref(self));
        let tests = Tests::parse(&bytes, true)?;
        let values = benign.iter().map(|scores| tests.values(scores).next()?);
        values.collect()
    }
}

/// The section of the file.
pub fn to_bytes(rule: Rule, tests: &[TestTable]) -> Vec<u8> {
    let mut bytes = vec![rule as u8, tests.len() as u8, 0, 0];
    for test in tests {
        bytes.extend([
            test.kind.code(),
            test.knots.len() as u8,
            test.points.len() as u8,
            0,
        ]);
        let words = test.knots.as_flattened().iter();
        let words = words.chain(test.points.as_flattened());
        bytes.extend(words.flat_map(|word| word.to_le_bytes()));
    }
    bytes
}

/// A bin of code length.
struct Bin {
    code: f64,
    mean: f64,
    deviation: f64,
    /// ln of the share of inputs a unit of code length.
    ln_share: f64,
}

/// The density of (statistic, code length): normal at each code length, with mean and deviation of its bin and a line
/// between the middles of bins; beyond the last bin a code length is as unlikely as of a normal distribution.
fn knots(statistics: &[i32], codes: &[i32]) -> Option<Vec<[i32; 4]>> {
    let mut pairs: Vec<(f64, f64)> = codes
        .iter()
        .zip(statistics)
        .map(|(&c, &s)| (c.into(), s.into()))
        .collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let count = (pairs.len() / BIN_SAMPLES).clamp(1, MOST_BINS);
    let edge = |i: usize| i * pairs.len() / count;
    let mut bins: Vec<Bin> = Vec::new();
    for i in 0..count {
        let after = pairs[edge(i + 1).min(pairs.len() - 1)].0;
        let bin = bin(&pairs[edge(i)..edge(i + 1)], after, pairs.len())?;
        // Bins of one code length are one bin.
        if bins.last().is_none_or(|last| last.code + 1.0 < bin.code) {
            bins.push(bin);
        }
    }
    let (least, greatest) = (pairs.first()?.0, pairs.last()?.0);
    let mut all = beyond(&bins, least, -1.0)?;
    all.reverse();
    let after = beyond(&bins, greatest, 1.0)?;
    all.extend(bins);
    all.extend(after);
    let mut knots: Vec<[i32; 4]> = all.iter().map(knot).collect();
    knots.dedup_by_key(|knot| knot[0]);
    Some(knots)
}

/// One bin: the mean is that of a line fitted to it, at its middle.
fn bin(pairs: &[(f64, f64)], after: f64, total: usize) -> Option<Bin> {
    let n = pairs.len() as f64;
    let code = pairs.iter().map(|p| p.0).sum::<f64>() / n;
    let mean = pairs.iter().map(|p| p.1).sum::<f64>() / n;
    let moment = |f: &dyn Fn(f64, f64) -> f64| {
        pairs
            .iter()
            .map(|&(c, s)| f(c - code, s - mean))
            .sum::<f64>()
            / n
    };
    let (spread, joint) = (moment(&|c, _| c * c), moment(&|c, s| c * s));
    let slope = if spread > 0.0 { joint / spread } else { 0.0 };
    let deviation = moment(&|c, s| (s - slope * c).powi(2)).sqrt();
    let width = (after - pairs.first()?.0).max(1.0);
    Some(Bin {
        code,
        mean,
        // The inverse has 32 fraction bits and must fit 31.
        deviation: deviation.max(4.0),
        ln_share: (n / total as f64 / width).ln(),
    })
}

/// Knots beyond an end of the bins.
fn beyond(bins: &[Bin], end: f64, side: f64) -> Option<Vec<Bin>> {
    let (last, before) = match side < 0.0 {
        true => (bins.first()?, bins.get(1)),
        false => (bins.last()?, bins.len().checked_sub(2).map(|i| &bins[i])),
    };
    // A nat at least, where all code lengths are the same.
    let reach = ((end - last.code) * side).max(256.0);
    let slope = before.map_or(0.0, |b| (last.mean - b.mean) / (last.code - b.code));
    let knots = BEYOND.iter().map(|times| Bin {
        code: last.code + side * times * reach,
        mean: last.mean + slope * side * times * reach,
        deviation: last.deviation,
        // The end of what was seen counts as two deviations.
        ln_share: last.ln_share - 2.0 * times * times,
    });
    Some(knots.collect())
}

fn knot(bin: &Bin) -> [i32; 4] {
    let inverse = (2f64.powi(32) / bin.deviation).clamp(1.0, f64::from(i32::MAX));
    let ln = bin.ln_share - bin.deviation.ln();
    // A conversion from float holds what does not fit.
    [bin.code, bin.mean, inverse, ln * ONE].map(|v| v.round() as i32)
}

/// The table of tail probabilities at quantiles of the values, dense where they are small.
fn points(mut values: Vec<i32>, two_sided: bool) -> Option<Vec<[i32; 2]>> {
    values.sort_unstable();
    let n = values.len();
    let least = *values.first()?;
    let picked = match two_sided {
        false => ranks(n, QUANTILES).map(|r| values[r - 1]).collect(),
        true => {
            let half = ranks(n.div_ceil(2), QUANTILES * 3 / 4);
            let both = half.flat_map(|r| [values[r - 1], values[n - r]]);
            both.collect::<BTreeSet<i32>>()
        }
    };
    let ln_tail = |value: i32| {
        let below = values.partition_point(|&v| v <= value);
        let above = n - values.partition_point(|&v| v < value);
        let count = if two_sided {
            (2 * below.min(above)).min(n + 1)
        } else {
            below
        };
        (count as f64 / (n + 1) as f64).ln()
    };
    let mut points: Vec<(f64, f64)> = picked.iter().map(|&v| (v.into(), ln_tail(v))).collect();
    let at = |rank: usize| f64::from(values[rank.min(n - 1)]);
    let low = slope((least.into(), points.first()?.1), at(TAIL_RANK), |v| {
        ln_tail(v as i32)
    });
    let (x, y) = points[0];
    points.insert(0, (x - TAIL_NATS / low, y - TAIL_NATS));
    if two_sided {
        let (x, y) = points[points.len() - 1];
        let inner = f64::from(values[n - 1 - TAIL_RANK.min(n - 1)]);
        let high = slope((x, y), inner, |v| ln_tail(v as i32));
        points.push((x + TAIL_NATS / high, y - TAIL_NATS));
    }
    let points = points
        .into_iter()
        .map(|(x, y)| [x.round() as i32, (y.min(0.0) * ONE).round() as i32]);
    let mut points: Vec<[i32; 2]> = points.collect();
    points.dedup_by_key(|point| point[0]);
    Some(points)
}

/// Nats a unit from the strangest value to one further in; steep where all are the same.
fn slope((x, y): (f64, f64), inner: f64, ln_tail: impl Fn(f64) -> f64) -> f64 {
    let nats = (ln_tail(inner) - y) / (inner - x).abs();
    if nats.is_finite() && nats > 0.0 {
        nats
    } else {
        1.0
    }
}

/// So many ranks from 1 to n, further apart the greater they are; each once.
fn ranks(n: usize, count: usize) -> impl Iterator<Item = usize> {
    let ratio = (n as f64).ln() / (count - 1) as f64;
    let ranks: BTreeSet<usize> = (0..count)
        .map(|i| ((ratio * i as f64).exp().round() as usize).clamp(1, n))
        .collect();
    ranks.into_iter()
}
