//! How much stranger the next stretch of a recording may be than the worst of the few that were seen.
//!
//! Each of K stretches would need a threshold for itself, which is one of the lowest of its scores: a smallest of many,
//! whose law is Gumbel's wherever scores fall off exponentially, as log-likelihoods and logarithms of p-values do
//! (Fisher and Tippett; Gumbel 1958, *Statistics of Extremes*). Mean m and deviation s of the K thresholds say where it
//! lies. The threshold of the next stretch is below m - f s with the probability p, where f depends on K and p alone
//! (place and scale fall out of (m - next) / s) and is told by drawing K + 1 numbers of the law many times. That f holds
//! what is not known of m and s: 4.4 of nine stretches at p = 0.01, 3.1 of any number. The worst of nine lies at 1.7.
//!
//! Beyond ten times as rare as what K stretches tell by counting, nothing is extrapolated.

use super::share_below;
use crate::random::SplitMix64;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// So many times rarer than by counting: 1 in 10 (K + 1) stretches.
const RARER: usize = 10;
/// What the margin may cost of the share of perturbed inputs that is rejected.
const POINT: f64 = 0.01;
/// Of gates that reject less than this by their threshold the law alone decides.
const LEAST_SEEN: f64 = 0.1;
const SEED: u64 = 0x5EED_617B;
/// Numbers drawn for a factor, and fewest sets of K + 1 of them.
const DRAWN: usize = 2_000_000;
const FEWEST_SETS: usize = 40_000;

/// One stretch in so many may have more false alarms: as rare as a false alarm is, and as K stretches can tell.
pub(super) fn one_in(stretches: usize, alpha_ppm: u32) -> usize {
    let false_alarms = 1_000_000 / alpha_ppm.max(1) as usize;
    false_alarms.min(RARER * (stretches + 1)).max(2)
}

/// A margin that was weighed against power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// What the worst stretch's threshold is lowered by, in units of the score.
    pub margin: i64,
    /// One stretch in so many is stranger yet, by the law.
    pub one_in: usize,
}

impl Weighed {
    /// The widest margin that costs at most a point of power: of what is rejected of families of perturbed inputs at the worst
    /// stretch's threshold. Scores ascend in each stretch.
    ///
    /// Where what has happened to an input is far from what may come, the margin is wider than the law asks for, which costs
    /// nothing; where stretches differ as much as perturbed inputs do, a gate with the law's margin would accept both.
    pub fn of(stretches: &[Vec<i64>], perturbed: &[Vec<i64>], alpha_ppm: u32) -> Self {
        let own = own_thresholds(stretches, alpha_ppm);
        let Some(worst) = own.iter().min().copied().filter(|&worst| worst > i64::MIN) else {
            return Self {
                margin: 0,
                one_in: own.len() + 1,
            };
        };
        let most = one_in(own.len(), alpha_ppm);
        let seen = power(perturbed, worst);
        // What saturates is rejected at every threshold, and weighs nothing.
        if seen - power(perturbed, i64::MIN) < LEAST_SEEN {
            return Self {
                margin: margin(stretches, alpha_ppm),
                one_in: most,
            };
        }
        let least = seen - POINT;
        // What is rejected at a threshold falls with it: the lowest that rejects enough.
        let (mut low, mut high) = (i64::MIN / 2, worst);
        while low < high {
            let middle = low + (high - low) / 2;
            match power(perturbed, middle) >= least {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        let margin = worst - high;
        Self {
            margin,
            one_in: odds(&own, high, most),
        }
    }
}

/// The share of families of scores that is rejected at a threshold, on the mean.
fn power(families: &[Vec<i64>], threshold: i64) -> f64 {
    let shares = families.iter().map(|scores| share_below(scores, threshold));
    shares.sum::<f64>() / families.len().max(1) as f64
}

/// How rarely a stretch needs a lower threshold than this: in at most so many.
fn odds(own: &[i64], threshold: i64, most: usize) -> usize {
    let (mean, deviation) = moments(own);
    let holds = |one_in: usize| mean - factor(own.len(), one_in) * deviation >= threshold as f64;
    // By counting, the worst of those that were seen keeps one in K + 1.
    let (mut low, mut high) = ((own.len() + 1).min(most), most);
    while low < high {
        let middle = (low + high).div_ceil(2);
        match holds(middle) {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

/// The threshold that each stretch would need for itself. Scores ascend in each.
fn own_thresholds(stretches: &[Vec<i64>], alpha_ppm: u32) -> Vec<i64> {
    let own = |scores: &Vec<i64>| {
        let below = scores.len() as u64 * u64::from(alpha_ppm) / 1_000_000;
        scores.get(below as usize).copied()
    };
    stretches.iter().filter_map(own).collect()
}

/// Mean and deviation of at least two numbers.
fn moments(numbers: &[i64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().map(|&t| t as f64).sum::<f64>() / count;
    let squares = numbers
        .iter()
        .map(|&t| (t as f64 - mean).powi(2))
        .sum::<f64>();
    (mean, (squares / (count - 1.0)).sqrt())
}

/// What the worst stretch's threshold is to be lowered by. Scores ascend in each stretch.
pub(super) fn margin(stretches: &[Vec<i64>], alpha_ppm: u32) -> i64 {
    let own = own_thresholds(stretches, alpha_ppm);
    // A stretch that saturates has no threshold, and neither has the gate.
    let worst = own.iter().min().copied().unwrap_or(i64::MIN);
    if own.len() < 2 || worst == i64::MIN {
        return 0;
    }
    let (mean, deviation) = moments(&own);
    let bound = mean - factor(own.len(), one_in(own.len(), alpha_ppm)) * deviation;
    (worst as f64 - bound).ceil().max(0.0) as i64
}

/// [`drawn`], which is the same each time: held-out blocks ask for it once a block.
fn factor(stretches: usize, one_in: usize) -> f64 {
    static KNOWN: Mutex<BTreeMap<(usize, usize), f64>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (stretches, one_in);
    *known.entry(key).or_insert_with(|| drawn(stretches, one_in))
}

/// f: of K + 1 numbers of Gumbel's law, one lies further than f deviations of the others from their mean once in `one_in`
/// times.
fn drawn(stretches: usize, one_in: usize) -> f64 {
    let sets = (DRAWN / (stretches + 1)).max(FEWEST_SETS);
    let mut random = SplitMix64(SEED);
    let mut gumbel = || -(-(1.0 - random.uniform()).ln()).ln();
    let mut away: Vec<f64> = (0..sets)
        .map(|_| {
            let next = gumbel();
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..stretches {
                let number = gumbel();
                sum += number;
                squares += number * number;
            }
            let count = stretches as f64;
            let mean = sum / count;
            let variance = (squares - sum * mean) / (count - 1.0);
            (next - mean) / variance.max(f64::MIN_POSITIVE).sqrt()
        })
        .collect();
    let beyond = (sets / one_in).min(sets - 1);
    let (_, factor, _) = away.select_nth_unstable_by(beyond, |a, b| b.total_cmp(a));
    *factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_stretches_the_factor_is_the_quantile() {
        // Gumbel's quantile at 1 - p is -ln(-ln(1 - p)), its mean Euler's constant, its deviation pi / sqrt(6).
        let quantile = |p: f64| -(-(1.0 - p).ln()).ln();
        let deviation = std::f64::consts::PI / 6.0f64.sqrt();
        for one_in in [20, 100] {
            let expected = (quantile(1.0 / one_in as f64) - 0.577_215_665) / deviation;
            let found = factor(400, one_in);
            assert!((found / expected - 1.0).abs() < 0.05, "{found} {expected}");
        }
    }

    #[test]
    fn of_few_stretches_the_factor_holds_what_is_not_known_of_them() {
        // By a second program (numpy, 400,000 draws), once in 100 times.
        for (stretches, expected) in [(2, 52.1), (3, 11.5), (9, 4.44)] {
            let found = factor(stretches, 100);
            assert!(
                (found / expected - 1.0).abs() < 0.06,
                "{stretches}: {found}"
            );
        }
    }

    #[test]
    fn as_rare_as_false_alarms_and_no_rarer_than_can_be_told() {
        assert_eq!(one_in(9, 10_000), 100);
        assert_eq!(one_in(9, 1_000), 100);
        assert_eq!(one_in(98, 1_000), 990);
        assert_eq!(one_in(3, 10_000), 40);
        assert_eq!(one_in(9, 900_000), 2);
    }

    #[test]
    fn a_margin_is_as_wide_as_it_costs_nothing_and_says_how_far_the_law_carries_it() {
        let stretches: Vec<Vec<i64>> = (0..9).map(|k| vec![-1000 - 10 * k, 0, 5]).collect();
        let by_law = margin(&stretches, 10_000);
        let most = one_in(9, 10_000);
        // Far away: to the first of them that may be lost, a hundredth of all.
        let far: Vec<i64> = (0..1000).map(|i| -90_000 - i).collect();
        let found = Weighed::of(&stretches, &[far], 10_000);
        assert_eq!((found.margin, found.one_in), (90_009 - 1080, most));
        assert!(found.margin > by_law);
        // Near: a point is soon lost, and what is left of the margin is less than the law asks for.
        let near: Vec<i64> = (0..1000).map(|i| -1080 - i).collect();
        let found = Weighed::of(&stretches, &[near], 10_000);
        assert!(found.margin < by_law, "{} {by_law}", found.margin);
        assert!((10..most).contains(&found.one_in), "{}", found.one_in);
        // What nothing rejects, or any threshold does, says nothing; without a threshold there is no margin.
        for silent in [0, i64::MIN] {
            let none = Weighed::of(&stretches, &[vec![silent; 9]], 10_000);
            assert_eq!((none.margin, none.one_in), (by_law, most));
        }
        let saturated = vec![vec![i64::MIN, 2], vec![1, 2]];
        assert_eq!(Weighed::of(&saturated, &[], 10_000).margin, 0);
    }

    #[test]
    fn nothing_is_lowered_where_stretches_are_the_same() {
        let same = vec![vec![-5, 0, 5]; 4];
        assert_eq!(margin(&same, 10_000), 0);
        let one = vec![vec![1, 2, 3]];
        assert_eq!(margin(&one, 10_000), 0);
        let saturated = vec![vec![i64::MIN, 2], vec![1, 2]];
        assert_eq!(margin(&saturated, 10_000), 0);
        let scattered = vec![vec![-1000, 0], vec![-2000, 0], vec![-3000, 0]];
        // Mean -2000, deviation 1000.
        let bound = -2000.0 - 1000.0 * factor(3, 40);
        assert_eq!(margin(&scattered, 10_000), (-3000.0 - bound).ceil() as i64);
    }
}
