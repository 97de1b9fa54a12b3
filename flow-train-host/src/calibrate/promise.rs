//! What a threshold promises, of whom.
//!
//! | promise | holds if | says |
//! |---|---|---|
//! | [`Inputs`](Promise::Inputs) | inputs are exchangeable | an input to come is rejected with probability at most alpha |
//! | [`NewBlocks`](Promise::NewBlocks) | blocks are exchangeable | an input of a block to come is rejected with probability at most alpha |
//! | [`EachBlock`](Promise::EachBlock) | blocks are exchangeable | of a block to come at most a share alpha is rejected, but for one block in so many |
//! | [`NextStretch`](Promise::NextStretch) | what blocks need scatters by Gumbel's law | the same, but for one block in many more |
//! | [`WeighedStretch`](Promise::WeighedStretch) | the same | the same, but for one block in as many as power allows |
//!
//! The first is split conformal. The second gives every block the weight 1 / (K + 1), whatever its length, and the block
//! to come as much at minus infinity (Lee, Barber, Willett 2023, hierarchical conformal prediction); it takes 1 / alpha - 1
//! blocks. The third takes the threshold that each block would need for itself, and of these the lowest but j - 1: a
//! block to come is the lowest of K + 1 exchangeable ones with probability 1 / (K + 1), so it needs a lower threshold than
//! that with probability j / (K + 1) at most. It is all that a few blocks can promise without knowing a law.
//!
//! Stretches of one recording are not exchangeable: each is a little stranger to the model than those before it, and a
//! fixed camera's next minutes were rejected by 3.7 to 10.8 % at a stated 1 % (`records/fixed-camera.md`). So the fourth
//! lowers the third by a margin ([`next_stretch`](super::next_stretch)), and says which law it took for that. The fifth takes
//! its margin from what the gate would no longer see, and says how far the law carries it.

use super::CalibrateError;
use super::next_stretch::{self, Weighed};
use std::borrow::Cow;

const MILLION: u64 = 1_000_000;
/// Fraction bits of shares.
const BITS: u32 = 40;
/// One block in so many may have more false alarms, where blocks are too few for their mean.
const UNLUCKY: usize = 10;

/// What a threshold promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Of single inputs, exchangeable with those of the calibration.
    Inputs,
    /// Of an input of a block to come, on the mean over blocks.
    NewBlocks,
    /// Of each block to come, but for some.
    EachBlock {
        /// j: so many calibration blocks may have needed a lower threshold, and one.
        rank: usize,
    },
    /// Of each stretch of a recording to come, but for one in many more than were seen.
    NextStretch,
    /// The same, but for one in as many as power allows.
    WeighedStretch(Weighed),
}

impl Promise {
    /// The strongest promise that so many blocks can give at a false-alarm rate; those in order are stretches of one
    /// recording.
    pub fn suited(blocks: usize, in_order: bool, alpha_ppm: u32) -> Self {
        match (blocks >= super::fewest(alpha_ppm), in_order) {
            (true, _) => Self::NewBlocks,
            (false, true) => Self::NextStretch,
            (false, false) => Self::each(blocks),
        }
    }

    /// Each block, but for one in ten, or one in K + 1 where that is more.
    pub fn each(blocks: usize) -> Self {
        let rank = ((blocks + 1) / UNLUCKY).max(1);
        Self::EachBlock { rank }
    }

    /// That of stretches to come with its margin weighed against what is rejected of families of perturbed inputs; any other
    /// as it is. Scores ascend in each block.
    #[must_use]
    pub fn weighed(self, blocks: &[Vec<i64>], perturbed: &[Vec<i64>], alpha_ppm: u32) -> Self {
        match self {
            Self::NextStretch => Self::WeighedStretch(Weighed::of(blocks, perturbed, alpha_ppm)),
            other => other,
        }
    }

    /// Whether it can be given by so many blocks.
    ///
    /// # Errors
    /// [`CalibrateError::TooFewBlocks`].
    pub(super) fn check(self, blocks: usize, alpha_ppm: u32) -> Result<(), CalibrateError> {
        let needed = match self {
            Self::Inputs => 1,
            Self::NewBlocks => super::fewest(alpha_ppm),
            Self::EachBlock { rank } => rank.max(2),
            Self::NextStretch | Self::WeighedStretch(_) => 2,
        };
        match blocks < needed {
            true => Err(CalibrateError::TooFewBlocks { blocks, needed }),
            false => Ok(()),
        }
    }

    /// The scores that the promise is given by: those of the blocks, lower by a margin where a law says how much
    /// stranger a block to come may be. Ascending in each block, before and after.
    pub(super) fn scores(self, blocks: &[Vec<i64>], alpha_ppm: u32) -> Cow<'_, [Vec<i64>]> {
        let margin = match self {
            Self::NextStretch => next_stretch::margin(blocks, alpha_ppm),
            Self::WeighedStretch(Weighed { margin, .. }) => margin,
            Self::Inputs | Self::NewBlocks | Self::EachBlock { .. } => {
                return Cow::Borrowed(blocks);
            }
        };
        let lower = |block: &Vec<i64>| block.iter().map(|s| s.saturating_sub(margin)).collect();
        Cow::Owned(blocks.iter().map(lower).collect())
    }

    /// The p-value in parts per million, rounded up, of what scores just below `score`. `blocks` are the
    /// [`scores`](Self::scores), ascending in each block.
    pub(super) fn ppm_below(self, blocks: &[Vec<i64>], score: i64) -> u32 {
        let below = |block: &Vec<i64>| block.partition_point(|&s| s < score) as u64;
        let total: u64 = blocks.iter().map(|b| b.len() as u64).sum();
        let of = |count: u64, of: u64| (count * MILLION).div_ceil(of);
        let ppm = match self {
            Self::Inputs => of(1 + blocks.iter().map(below).sum::<u64>(), total + 1),
            Self::NewBlocks => {
                let share = |b: &Vec<i64>| (below(b) << BITS).div_ceil(b.len().max(1) as u64);
                let shares: u64 = blocks.iter().map(share).sum();
                let all = (1u128 << BITS) + u128::from(shares);
                let ppm = all * u128::from(MILLION);
                ppm.div_ceil((blocks.len() as u128 + 1) << BITS) as u64
            }
            Self::EachBlock { .. } | Self::NextStretch | Self::WeighedStretch(_) => {
                let rank = match self {
                    Self::EachBlock { rank } => rank,
                    _ => 1,
                };
                let share = |b: &Vec<i64>| of(below(b), b.len().max(1) as u64);
                let mut shares: Vec<u64> = blocks.iter().map(share).collect();
                shares.sort_unstable_by(|a, b| b.cmp(a));
                let share = shares.get(rank - 1).copied().unwrap_or(MILLION);
                // What lies below every score is as unlikely as the scores can tell, no more.
                share.max(of(1, total + 1))
            }
        };
        ppm.min(MILLION) as u32
    }

    /// The highest of the [`scores`](Self::scores) that keeps the promise as a threshold.
    pub(super) fn threshold(self, blocks: &[Vec<i64>], alpha_ppm: u32) -> Option<i64> {
        let mut all = blocks.concat();
        all.sort_unstable();
        let kept = all.partition_point(|&s| self.ppm_below(blocks, s) <= alpha_ppm);
        all.get(kept.checked_sub(1)?).copied()
    }

    /// In words, of K blocks at a false-alarm rate.
    pub fn words(self, blocks: usize, alpha_ppm: u32) -> String {
        match self {
            Self::Inputs => "of an input like the calibration inputs".to_owned(),
            Self::NewBlocks => format!("of an input of a new block ({blocks} were seen)"),
            Self::EachBlock { rank } => format!(
                "in each new block, but for {rank} in {} ({blocks} were seen)",
                blocks + 1
            ),
            Self::NextStretch => stretches(next_stretch::one_in(blocks, alpha_ppm), blocks),
            Self::WeighedStretch(Weighed { one_in, .. }) => stretches(one_in, blocks),
        }
    }
}

fn stretches(one_in: usize, blocks: usize) -> String {
    format!(
        "in each stretch to come, but for 1 in {one_in}, if they differ as the {blocks} that were seen do"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_promise_that_suits() {
        let suited = |blocks| Promise::suited(blocks, false, 10_000);
        assert_eq!(suited(98), Promise::EachBlock { rank: 9 });
        assert_eq!(suited(99), Promise::NewBlocks);
        assert_eq!(suited(5), Promise::EachBlock { rank: 1 });
        assert_eq!(Promise::suited(98, true, 10_000), Promise::NextStretch);
        assert_eq!(Promise::suited(99, true, 10_000), Promise::NewBlocks);
        assert!(Promise::NewBlocks.check(98, 10_000).is_err());
    }

    #[test]
    fn thresholds_by_hand() {
        let blocks = [(0..100).collect(), (50..150).collect(), vec![7, 200, 300]];
        // 203 inputs: k = floor(0.05 204) = 10, of 0 to 7 and 7 again.
        assert_eq!(Promise::Inputs.threshold(&blocks, 50_000), Some(8));
        // Own thresholds, a twentieth below each: 5, 55, 7.
        let each = |rank| Promise::EachBlock { rank }.threshold(&blocks, 50_000);
        assert_eq!([1, 2, 3].map(each), [Some(5), Some(7), Some(55)]);
        // (1 + shares) / 4: below 50 are 0.5 and a third.
        assert_eq!(
            Promise::NewBlocks.ppm_below(&blocks, 50),
            (1e6 * (1.0 + 0.5 + 1.0 / 3.0) / 4.0f64).ceil() as u32
        );
        assert_eq!(Promise::NewBlocks.threshold(&blocks, 250_000), Some(0));
        assert_eq!(Promise::NewBlocks.threshold(&blocks, 240_000), None);
    }
}
