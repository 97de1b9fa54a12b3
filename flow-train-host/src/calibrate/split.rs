//! Which calibration inputs give the tables and which the threshold.
//!
//! The conformal promise asks that the scores behind the threshold and those to come are exchangeable, so nothing that
//! the score is made of may come from the inputs behind the threshold. A seeded shuffle cuts the data in two, for data
//! are often sorted.

use super::CalibrateError;
use crate::random::SplitMix64;

/// Seed of the shuffle.
const SEED: u64 = 0x5EED_CA1B;
/// One input in so many goes to the tables: smooth curves need fewer than the threshold, whose rate strays from the
/// promise by the root of alpha / n (over 60 splits of 5,000 garments the worst was 1.86 % with halves, 1.54 % so).
const TABLES_SHARE: usize = 3;
/// As many inputs at least where there are enough.
pub const WANTED_FOR_TABLES: usize = 128;
/// The threshold gets one in so many more than it needs, where the tables can spare them.
const SPARE_SHARE: usize = 4;
/// Fewest inputs that tables are learned from.
const FEWEST_FOR_TABLES: usize = 64;

/// Indices of calibration inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Those the tables are learned from: a third of all, but for what either part needs.
    pub tables: Vec<usize>,
    /// Those the threshold is taken from.
    pub threshold: Vec<usize>,
}

impl Split {
    /// Splits `count` inputs for a false-alarm rate.
    ///
    /// # Errors
    /// [`CalibrateError::TooFew`] says how many are needed.
    pub fn new(count: usize, alpha_ppm: u32) -> Result<Self, CalibrateError> {
        let fewest = super::fewest(alpha_ppm);
        if count < fewest + FEWEST_FOR_TABLES {
            return Err(CalibrateError::TooFew {
                samples: count,
                needed: fewest + FEWEST_FOR_TABLES,
                alpha_ppm,
            });
        }
        let third = (count / TABLES_SHARE).max(WANTED_FOR_TABLES);
        // Inputs repeat each other, and the threshold needs so many that do not.
        let with_spare = count.saturating_sub(fewest + fewest / SPARE_SHARE);
        let tables = third.min(with_spare).max(FEWEST_FOR_TABLES);
        let mut all: Vec<usize> = (0..count).collect();
        SplitMix64(SEED).shuffle(&mut all);
        let threshold = all.split_off(tables);
        Ok(Self {
            tables: all,
            threshold,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_in_one_part() {
        let split = Split::new(1001, 10_000).unwrap();
        assert_eq!((split.tables.len(), split.threshold.len()), (333, 668));
        let mut all = [split.tables.clone(), split.threshold].concat();
        assert!(
            !all.is_sorted(),
            "the data may be sorted, the parts are not"
        );
        all.sort_unstable();
        assert_eq!(all, (0..1001).collect::<Vec<_>>());
    }

    #[test]
    fn the_threshold_gets_what_it_needs() {
        let split = Split::new(1200, 1_000).unwrap();
        assert_eq!((split.tables.len(), split.threshold.len()), (64, 1136));
        let split = Split::new(150, 50_000).unwrap();
        assert_eq!((split.tables.len(), split.threshold.len()), (127, 23));
        let split = Split::new(163, 10_000).unwrap();
        assert_eq!((split.tables.len(), split.threshold.len()), (64, 99));
        let error = Split::new(1062, 1_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1062 inputs are too few for a false-alarm rate of 0.001: it takes at least 1063, so 1 is missing"
        );
    }
}
