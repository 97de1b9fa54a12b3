//! How well a score tells benign inputs from foreign ones.
//!
//! Every score is higher for benign inputs, which are the positive class here: the true positive
//! rate is the share of benign inputs that a threshold accepts, the false positive rate the share
//! of foreign ones. Equal scores are one step of the curve, so that a score with many ties gets
//! neither the luck nor the blame of an order it did not state.
//!
//! Precision depends on how many inputs of each kind there are. Here it is that of equal shares,
//! each kind weighing as much as the other however many inputs it has: figures of sets of any size
//! can then be compared, and 1/2 is chance.

use std::cmp::Ordering;

/// Deviations of a normal variable to either side that hold 95 % of it.
const Z: f64 = 1.959_963_984_540_054;

/// A point of the receiver operating characteristic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Share of foreign inputs at or above the threshold.
    pub false_positive_rate: f64,
    /// Share of benign inputs at or above the threshold.
    pub true_positive_rate: f64,
}

/// How far two sets lie apart under a score; see the functions of the same names.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Separation {
    /// Area under the receiver operating characteristic.
    pub auroc: f64,
    /// Where it lies with 95 % confidence; see [`auroc_interval`].
    pub auroc_interval: [f64; 2],
    /// Average precision with benign inputs as the positive class, at equal shares of both.
    pub aupr_in: f64,
    /// Average precision with foreign inputs as the positive class, at equal shares of both.
    pub aupr_out: f64,
    /// Share of foreign inputs that are accepted where at least 95 % of the benign ones are.
    pub fpr_at_95_tpr: f64,
    /// Share of foreign inputs that are rejected where at most 1 % of the benign ones are.
    pub rejected_at_1_percent: f64,
    /// Where it lies with 95 % confidence at least: Wilson's interval and the threshold's
    /// uncertainty included.
    pub rejected_at_1_percent_interval: [f64; 2],
    /// Share of foreign inputs that are rejected where at most 0.1 % of the benign ones are.
    pub rejected_at_0_1_percent: f64,
    /// Where it lies with 95 % confidence at least: Wilson's interval and the threshold's
    /// uncertainty included.
    pub rejected_at_0_1_percent_interval: [f64; 2],
}

impl Separation {
    /// All of them; `None` if a set is empty.
    pub fn new(benign: &[f64], foreign: &[f64]) -> Option<Self> {
        if benign.is_empty() || foreign.is_empty() {
            return None;
        }
        let steps = Steps::descending(benign, foreign);
        let curve = steps.roc();
        let negated = |scores: &[f64]| scores.iter().map(|s| -number(*s)).collect::<Vec<_>>();
        let reversed = Steps::descending(&negated(foreign), &negated(benign));
        let counts = [benign.len(), foreign.len()];
        Some(Self {
            auroc: area(&curve),
            auroc_interval: auroc_interval(area(&curve), counts),
            aupr_in: steps.average_precision(),
            aupr_out: reversed.average_precision(),
            fpr_at_95_tpr: false_positive_rate_at(&curve, 0.95),
            rejected_at_1_percent: 1.0 - false_positive_rate_at(&curve, 0.99),
            rejected_at_1_percent_interval: rejected_interval(&curve, 0.01, counts),
            rejected_at_0_1_percent: 1.0 - false_positive_rate_at(&curve, 0.999),
            rejected_at_0_1_percent_interval: rejected_interval(&curve, 0.001, counts),
        })
    }
}

/// The receiver operating characteristic from (0, 0) to (1, 1), a point for each distinct score.
pub fn roc(benign: &[f64], foreign: &[f64]) -> Vec<RocPoint> {
    Steps::descending(benign, foreign).roc()
}

/// Area under the receiver operating characteristic: the probability that a benign score lies above
/// a foreign one, ties counted half (Mann and Whitney's U over n m).
pub fn auroc(benign: &[f64], foreign: &[f64]) -> f64 {
    area(&roc(benign, foreign))
}

/// Where an area lies with 95 % confidence that was found of so many benign and foreign scores.
///
/// Newcombe's method 5 (Statistics in Medicine 25, 2006): all areas whose own variance, as Hanley
/// and McNeil estimate it, allows the one that was found. Unlike an interval about the found area
/// it has a width where all scores are separated: an area of 1 of twenty inputs proves little.
pub fn auroc_interval(area: f64, counts: [usize; 2]) -> [f64; 2] {
    let [m, n] = counts.map(|count| count.max(1) as f64);
    let more = (m + n) / 2.0 - 1.0;
    let allowed = |theta: f64| {
        let pairs = 1.0 + more * ((1.0 - theta) / (2.0 - theta) + theta / (1.0 + theta));
        let variance = theta * (1.0 - theta) * pairs / (m * n);
        (area - theta).abs() <= Z * variance.sqrt()
    };
    // The area itself is allowed, an end is not (or is the bound): bisect between them.
    let end = |bound: f64| {
        let (mut inside, mut outside) = (area, bound);
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            match allowed(middle) {
                true => inside = middle,
                false => outside = middle,
            }
        }
        inside
    };
    [end(0.0), end(1.0)]
}

/// Where the share of rejected foreign inputs lies with 95 % confidence at least, the threshold
/// being that of a rate of false alarms among the benign ones.
///
/// Two things are uncertain: the threshold, which is an order statistic of few benign scores and
/// may be off by two deviations of its rank, and the share beyond it (Wilson's interval). The
/// interval reaches from the lower end at the lower rank to the upper end at the upper one.
fn rejected_interval(curve: &[RocPoint], rate: f64, [benign, foreign]: [usize; 2]) -> [f64; 2] {
    let rank = rate * benign as f64;
    let share_at = |rank: f64| {
        let accepted = 1.0 - rank / benign.max(1) as f64;
        1.0 - false_positive_rate_at(curve, accepted)
    };
    let share = |rank: f64| {
        let hits = share_at(rank) * foreign as f64;
        share_interval(hits.round() as usize, foreign)
    };
    let low = share((rank - Z * rank.sqrt()).max(0.0));
    let high = share(rank + Z * (rank + 1.0).sqrt());
    [low[0], high[1]]
}

/// Counts of both sets at each distinct score, from the highest down.
struct Steps {
    /// Positive and negative items with this score.
    counts: Vec<(usize, usize)>,
    positives: usize,
    negatives: usize,
}

impl Steps {
    fn descending(positive: &[f64], negative: &[f64]) -> Self {
        let mut all: Vec<(f64, bool)> = Vec::with_capacity(positive.len() + negative.len());
        all.extend(positive.iter().map(|&s| (number(s), true)));
        all.extend(negative.iter().map(|&s| (number(s), false)));
        all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let groups = all.chunk_by(|a, b| a.0 == b.0);
        let counts = groups.map(|group| {
            let positives = group.iter().filter(|(_, positive)| *positive).count();
            (positives, group.len() - positives)
        });
        Self {
            counts: counts.collect(),
            positives: positive.len(),
            negatives: negative.len(),
        }
    }

    fn roc(&self) -> Vec<RocPoint> {
        let (mut positives, mut negatives) = (0, 0);
        let start = RocPoint {
            false_positive_rate: 0.0,
            true_positive_rate: 0.0,
        };
        let points = self.counts.iter().map(|&(more_positives, more_negatives)| {
            positives += more_positives;
            negatives += more_negatives;
            RocPoint {
                false_positive_rate: negatives as f64 / self.negatives as f64,
                true_positive_rate: positives as f64 / self.positives as f64,
            }
        });
        std::iter::once(start).chain(points).collect()
    }

    /// Sum of precision times the gain in recall, over the distinct scores; both classes weigh 1.
    fn average_precision(&self) -> f64 {
        let (mut found, mut mistaken, mut sum) = (0, 0, 0.0);
        for &(positives, negatives) in &self.counts {
            found += positives;
            mistaken += negatives;
            let recall = found as f64 / self.positives as f64;
            let false_positive_rate = mistaken as f64 / self.negatives as f64;
            sum += positives as f64 * (recall / (recall + false_positive_rate));
        }
        sum / self.positives as f64
    }
}

/// A score that is no number says nothing in favour of its input.
fn number(score: f64) -> f64 {
    match score.is_nan() {
        true => f64::NEG_INFINITY,
        // -0.0 and 0.0 are one score, though not to `total_cmp`.
        false => score + 0.0,
    }
}

fn area(curve: &[RocPoint]) -> f64 {
    let trapezoid = |pair: &[RocPoint]| {
        let height = (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0;
        (pair[1].false_positive_rate - pair[0].false_positive_rate) * height
    };
    curve.windows(2).map(trapezoid).sum()
}

fn false_positive_rate_at(curve: &[RocPoint], true_positive_rate: f64) -> f64 {
    let enough = curve
        .iter()
        .find(|p| p.true_positive_rate >= true_positive_rate);
    enough.map_or(1.0, |p| p.false_positive_rate)
}

/// The q-quantile of a set, 0 <= q <= 1: the value of rank round(q (n - 1)), so always a member;
/// NaN of no values.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let rank = (q * last as f64).round() as usize;
    sorted.get(rank).copied().unwrap_or(f64::NAN)
}

/// The median: the mean of the two middle values where there are two; NaN of no values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (n, half) if n % 2 == 1 => sorted[half],
        (_, half) => (sorted[half - 1] + sorted[half]) / 2.0,
    }
}

/// The value at or below which this share of values in ascending order lies: the nearest rank, no
/// mean of two; none of no values.
pub fn nearest_rank<T: Copy>(ascending: &[T], share: f64) -> Option<T> {
    let rank = (share * ascending.len() as f64).ceil().max(1.0) as usize;
    ascending.get(rank - 1).copied()
}

/// Where a share lies that was found as `hits` of `count`, with 95 % confidence (Wilson's interval).
pub fn share_interval(hits: usize, count: usize) -> [f64; 2] {
    let (hits, n) = (hits as f64, count.max(1) as f64);
    let share = hits / n;
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // Rounding must not put the share itself outside.
    let (low, high) = ((middle - half) / scale, (middle + half) / scale);
    [low.clamp(0.0, share), high.clamp(share, 1.0)]
}

/// Most false alarms among `tests` benign inputs that a split-conformal gate gives with this
/// confidence.
///
/// With the k-th smallest of n calibration scores as the threshold, the chance of a false alarm is
/// itself random over calibration sets, Beta(k, n + 1 - k); the number of false alarms among m
/// further inputs is then beta-binomial (Vovk 2012). A rate a little above alpha is no broken
/// promise: this says how much is.
pub fn conformal_upper(rank: u32, samples: u32, tests: usize, confidence: f64) -> usize {
    let (a, b, m) = (
        f64::from(rank),
        f64::from(samples + 1 - rank.min(samples)),
        tests as f64,
    );
    // Weights relative to the first, in logarithms: the ratio of neighbours needs no gamma
    // function.
    let mut logs = vec![0.0f64];
    for j in 0..tests {
        let j = j as f64;
        let ratio = (m - j) * (a + j) / ((j + 1.0) * (b + m - j - 1.0));
        logs.push(logs[logs.len() - 1] + ratio.ln());
    }
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
    let wanted = confidence * weights.iter().sum::<f64>();
    let mut sum = 0.0;
    let enough = weights.iter().position(|w| {
        sum += w;
        sum >= wanted
    });
    enough.unwrap_or(tests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn a_nearest_rank_is_one_of_the_values() {
        let values = [10, 20, 30, 40];
        for (share, wanted) in [(0.0, 10), (0.25, 10), (0.26, 20), (0.99, 40), (1.0, 40)] {
            assert_eq!(nearest_rank(&values, share), Some(wanted), "{share}");
        }
        assert_eq!(nearest_rank::<u32>(&[], 0.5), None);
    }

    #[test]
    fn intervals_of_shares_are_wilsons() {
        // Newcombe 1998, table I: 81 of 263 and 0 of 20.
        let near = |found: [f64; 2], wanted: [f64; 2]| {
            assert!(
                found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 5e-5),
                "{found:?}"
            );
        };
        near(share_interval(81, 263), [0.2553, 0.3662]);
        near(share_interval(0, 20), [0.0, 0.1611]);
        near(share_interval(20, 20), [0.8389, 1.0]);
    }

    #[test]
    fn intervals_of_areas_hold_the_true_one_as_often_as_they_say() {
        // Benign scores normal about d, foreign ones about 0: the area is Phi(d / sqrt 2).
        for (distance, area) in [(0.0, 0.5), (1.0, 0.760_250), (3.0, 0.983_053)] {
            let seed = 0x5EED_0041;
            println!("seed {seed:#x}");
            let mut random = SplitMix64(seed);
            let mut held = 0;
            for _ in 0..1000 {
                let benign: Vec<f64> = (0..60).map(|_| random.normal() + distance).collect();
                let foreign: Vec<f64> = (0..40).map(|_| random.normal()).collect();
                let found = Separation::new(&benign, &foreign).unwrap();
                let [low, high] = found.auroc_interval;
                assert!(0.0 <= low && low <= found.auroc && found.auroc <= high && high <= 1.0);
                held += usize::from((low..=high).contains(&area));
            }
            // Three deviations of a binomial below 95 %.
            assert!(held > 929, "{distance}: {held}");
        }
    }

    #[test]
    fn an_area_of_one_is_not_certain() {
        let [low, high] = auroc_interval(1.0, [20, 20]);
        assert!((0.8..0.95).contains(&low) && high == 1.0, "{low}");
        assert!(auroc_interval(1.0, [10_000, 10_000])[0] > 0.9995);
    }

    #[test]
    fn few_benign_scores_say_little_of_a_rare_false_alarm() {
        let scores = |count: u32, from: f64| -> Vec<f64> {
            (0..count)
                .map(|i| from + f64::from(i) / f64::from(count))
                .collect()
        };
        // Foreign scores lie among the lowest 5 % of the benign ones.
        let foreign: Vec<f64> = scores(2000, 0.0).iter().map(|s| s / 20.0).collect();
        let few = Separation::new(&scores(1000, 0.0), &foreign).unwrap();
        let many = Separation::new(&scores(100_000, 0.0), &foreign).unwrap();
        for s in [few, many] {
            let [low, high] = s.rejected_at_0_1_percent_interval;
            assert!(low <= s.rejected_at_0_1_percent && s.rejected_at_0_1_percent <= high);
        }
        let width = |s: &Separation| {
            let [low, high] = s.rejected_at_0_1_percent_interval;
            high - low
        };
        assert!(width(&few) > 3.0 * width(&many));
    }

    #[test]
    fn separated_sets_have_an_area_of_one() {
        let s = Separation::new(&[3.0, 4.0], &[1.0, 2.0]).unwrap();
        assert_eq!(
            (s.auroc, s.aupr_in, s.aupr_out, s.fpr_at_95_tpr),
            (1.0, 1.0, 1.0, 0.0)
        );
        let s = Separation::new(&[1.0, 2.0], &[3.0, 4.0]).unwrap();
        assert_eq!((s.auroc, s.fpr_at_95_tpr), (0.0, 1.0));
    }

    #[test]
    fn the_area_is_mann_and_whitneys_u_with_ties_counted_half() {
        let (benign, foreign) = ([1.0, 2.0, 2.0, 5.0], [0.0, 2.0, 2.0, 3.0, 5.0]);
        let mut u = 0.0;
        for b in benign {
            for f in foreign {
                u += match b.partial_cmp(&f) {
                    Some(Ordering::Greater) => 1.0,
                    Some(Ordering::Equal) => 0.5,
                    _ => 0.0,
                };
            }
        }
        assert_eq!(u, 9.5, "counted by hand");
        assert!((auroc(&benign, &foreign) - u / 20.0).abs() < 1e-12);
        assert_eq!(auroc(&[7.0; 3], &[7.0; 5]), 0.5);
    }

    #[test]
    fn average_precision_of_a_small_case() {
        // From the top: benign, foreign, benign: precision 1 at recall 1/2, 1/2 at recall 1, where
        // both classes are accepted whole.
        let s = Separation::new(&[3.0, 1.0], &[2.0]).unwrap();
        assert!((s.aupr_in - (1.0 + 1.0 / 2.0) / 2.0).abs() < 1e-12);
        // From the bottom: benign, foreign: at recall 1 half of the benign ones are mistaken.
        assert!((s.aupr_out - 1.0 / (1.0 + 0.5)).abs() < 1e-12);
        // All tied: the share of the positive class, which is one half.
        let s = Separation::new(&[1.0], &[1.0; 3]).unwrap();
        assert_eq!((s.aupr_in, s.aupr_out), (0.5, 0.5));
    }

    #[test]
    fn average_precision_does_not_depend_on_how_many_inputs_there_are() {
        let (benign, foreign) = ([5.0, 3.0, 1.0], [4.0, 2.0, 0.0, -1.0]);
        let s = Separation::new(&benign, &foreign).unwrap();
        let thrice = Separation::new(&benign, &foreign.repeat(3)).unwrap();
        assert!((s.aupr_in - thrice.aupr_in).abs() < 1e-12);
        assert!((s.aupr_out - thrice.aupr_out).abs() < 1e-12);
        // By hand: a third of recall at each benign score, with foreign ones of weight 1/4 above
        // it.
        let recall_gain = 1.0 / 3.0;
        let by_hand = [
            1.0,
            (2.0 / 3.0) / (2.0 / 3.0 + 1.0 / 4.0),
            1.0 / (1.0 + 2.0 / 4.0),
        ];
        let by_hand: f64 = by_hand.iter().map(|p| recall_gain * p).sum();
        assert!((s.aupr_in - by_hand).abs() < 1e-12);
    }

    #[test]
    fn the_threshold_accepts_at_least_95_percent() {
        let benign: Vec<f64> = (0..20).map(f64::from).collect();
        // 19 of 20 are at or above 1, and so are 1.0 and 9.0.
        let s = Separation::new(&benign, &[0.5, 1.0, 9.0, 0.9]).unwrap();
        assert_eq!(s.fpr_at_95_tpr, 0.5);
        assert_eq!(
            1.0 - s.rejected_at_1_percent,
            1.0 - s.rejected_at_0_1_percent
        );
    }

    #[test]
    fn a_score_that_is_no_number_is_the_lowest() {
        assert_eq!(auroc(&[f64::NAN], &[-1e300]), 0.0);
        assert_eq!(auroc(&[0.0], &[-0.0]), 0.5);
        assert_eq!(Separation::new(&[], &[1.0]), None);
    }

    #[test]
    fn the_curve_ends_in_its_corners() {
        let curve = roc(&[1.0, 2.0], &[1.5]);
        let at = |p: RocPoint| (p.false_positive_rate, p.true_positive_rate);
        let points: Vec<_> = curve.into_iter().map(at).collect();
        assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]);
    }

    #[test]
    fn quantiles_are_members() {
        let values = [5.0, 1.0, 3.0, 2.0];
        assert_eq!(
            [0.0, 0.3, 1.0].map(|q| quantile(&values, q)),
            [1.0, 2.0, 5.0]
        );
        assert_eq!(
            (median(&values), median(&[4.0]), median(&[]).is_nan()),
            (2.5, 4.0, true)
        );
    }

    #[test]
    fn false_alarms_beyond_the_bound_are_told_from_bad_luck() {
        // One calibration sample, one test: both orders are as likely, so 0 alarms with chance 1/2.
        assert_eq!(conformal_upper(1, 1, 1, 0.5), 0);
        assert_eq!(conformal_upper(1, 1, 1, 0.51), 1);
        // Beta(1, 1) is uniform: every count from 0 to m is as likely.
        assert_eq!(conformal_upper(1, 1, 9, 0.3), 2);
        // Large sets: nearly binomial, mean 100, deviation a little above 10.
        let upper = conformal_upper(1000, 99_999, 10_000, 0.9772);
        assert!((119..124).contains(&upper), "{upper}");
        assert_eq!(conformal_upper(5, 100, 0, 0.99), 0);
    }
}
