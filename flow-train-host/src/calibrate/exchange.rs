//! Whether scores look exchangeable, before anything is promised.
//!
//! The test is that of Kruskal and Wallis: the mean ranks of groups differ more than those of groups made by chance do.
//! Chance is a seeded permutation of the very ranks, so ties and small groups need no table.

use super::Promise;
use crate::random::SplitMix64;

/// Groups of scores that chance makes as different as rarely are not alike.
pub const UNLIKELY: f64 = 0.005;

const SEED: u64 = 0x5EED_EACE;
const PERMUTATIONS: usize = 999;

/// How a group of scores compares with others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Probability that groups made by chance differ as much: 0.001 at least.
    pub p_value: f64,
    /// Probability that a score of the second group is below one of the first; one half where they are alike.
    pub second_lower: f64,
}

/// The probability that groups made by chance differ as much as these, at least 1 / 1000. One where there is nothing to
/// compare.
pub fn groups_differ(groups: &[Vec<i64>]) -> f64 {
    let groups: Vec<&Vec<i64>> = groups.iter().filter(|group| !group.is_empty()).collect();
    if groups.len() < 2 {
        return 1.0;
    }
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let all: Vec<i64> = groups.into_iter().flatten().copied().collect();
    let mut ranks = ranks(&all);
    let found = spread(&ranks, &sizes);
    let mut random = SplitMix64(SEED);
    let as_far = (0..PERMUTATIONS).filter(|_| {
        random.shuffle(&mut ranks);
        spread(&ranks, &sizes) >= found
    });
    (1 + as_far.count()) as f64 / (PERMUTATIONS + 1) as f64
}

/// Compares two groups of scores; `None` where one is empty.
pub fn compare(first: &[i64], second: &[i64]) -> Option<Comparison> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let all = [first, second].concat();
    let ranks = ranks(&all);
    let (n, m) = (first.len() as f64, second.len() as f64);
    let above = ranks[..first.len()].iter().sum::<f64>() - n * (n - 1.0) / 2.0;
    Some(Comparison {
        p_value: groups_differ(&[first.to_vec(), second.to_vec()]),
        second_lower: above / (n * m),
    })
}

/// Of each block, the share that a threshold from all the others rejects; none where the others are too few.
pub fn held_out_rates(blocks: &[Vec<i64>], promise: Promise, alpha_ppm: u32) -> Vec<(usize, f64)> {
    let rate = |held: usize| {
        let others = blocks.iter().enumerate().filter(|(b, _)| *b != held);
        let others: Vec<Vec<i64>> = others.map(|(_, scores)| scores.clone()).collect();
        let others = promise.scores(&others, alpha_ppm);
        let threshold = promise.threshold(&others, alpha_ppm)?;
        let below = blocks[held].iter().filter(|&&s| s < threshold).count();
        Some((held, below as f64 / blocks[held].len().max(1) as f64))
    };
    (0..blocks.len()).filter_map(rate).collect()
}

/// The probability that so many of `inputs` or more are rejected, if each is with probability `alpha` and independent.
pub fn rejections_by_chance(rejected: usize, inputs: usize, alpha: f64) -> f64 {
    // Sum of the binomial distribution up to rejected - 1, by its recursion in logarithms.
    let (mut ln, mut sum) = (inputs as f64 * (-alpha).ln_1p(), 0.0);
    let odds = alpha.ln() - (-alpha).ln_1p();
    for k in 0..rejected {
        sum += ln.exp();
        ln += odds + ((inputs - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    (1.0 - sum).clamp(0.0, 1.0)
}

/// Ranks from 0, equal scores with the mean of theirs.
fn ranks(scores: &[i64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by_key(|&i| scores[i]);
    let mut ranks = vec![0.0; scores.len()];
    let mut before = 0;
    for same in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let mean = before as f64 + (same.len() - 1) as f64 / 2.0;
        same.iter().for_each(|&i| ranks[i] = mean);
        before += same.len();
    }
    ranks
}

/// Squared distances of the groups' mean ranks from the mean, weighted.
fn spread(ranks: &[f64], sizes: &[usize]) -> f64 {
    let middle = (ranks.len() - 1) as f64 / 2.0;
    let mut start = 0;
    let mut sum = 0.0;
    for &size in sizes {
        let mean = ranks[start..start + size].iter().sum::<f64>() / size as f64;
        sum += size as f64 * (mean - middle).powi(2);
        start += size;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_ties_are_their_mean() {
        assert_eq!(ranks(&[5, 1, 5, 9]), [1.5, 0.0, 1.5, 3.0]);
    }

    #[test]
    fn groups_of_one_law_do_not_differ_and_a_shift_is_seen() {
        let mut random = SplitMix64(11);
        let mut group = |shift: f64| -> Vec<i64> {
            (0..200)
                .map(|_| ((random.normal() + shift) * 1000.0) as i64)
                .collect()
        };
        let same = [(); 4].map(|()| group(0.0));
        assert!(groups_differ(&same) > 0.01);
        let [a, b, c, _] = same;
        let shifted = group(-0.7);
        assert_eq!(groups_differ(&[a.clone(), b, c, shifted.clone()]), 0.001);
        // P(N(-0.7, 1) < N(0, 1)) = Phi(0.7 / sqrt 2) = 0.690.
        let found = compare(&a, &shifted).unwrap();
        assert!((found.second_lower - 0.690).abs() < 0.06, "{found:?}");
        assert_eq!(found.p_value, 0.001);
        assert_eq!(groups_differ(&[a]), 1.0);
    }

    #[test]
    fn the_binomial_tail() {
        // P(X >= 2), X ~ B(3, 0.5) = 4 / 8.
        assert!((rejections_by_chance(2, 3, 0.5) - 0.5).abs() < 1e-12);
        assert_eq!(rejections_by_chance(0, 10, 0.1), 1.0);
        assert!(rejections_by_chance(10, 100, 0.01) < 1e-6);
    }
}
