//! Which inputs train, which set the gate, and which test it.

use super::folds;
use super::together::FEWEST;
use crate::number::{count, percent};
use crate::random::Random;
use anyhow::{Result, bail};
use flow_train_host::calibrate::{self, Blocks};
use std::collections::BTreeMap;

/// Least share that trains.
const LEAST_TRAINED: f64 = 0.4;
/// Scores beyond those that a threshold takes.
const SPARE: usize = 4;
/// Blocks that calibrate at least, and that test.
const CALIBRATE_BLOCKS: usize = 2;

/// Sizes of the parts that are aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) calibrate: usize,
    pub(super) test: usize,
    /// Folds of what trains, which then calibrates too.
    folds: Option<usize>,
    items: usize,
}

/// The inputs of each part.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    /// The fold of each input that trains; none where others calibrate.
    pub(super) folds: Vec<usize>,
    pub(super) calibrate: Vec<usize>,
    pub(super) test: Vec<usize>,
}

/// Inputs that are in one part, and the order of the units that they are.
struct Units {
    units: Vec<Vec<usize>>,
    /// Neighbours are alike, and the last ones test.
    in_order: bool,
    /// Units that calibrate at least.
    least: usize,
}

impl Plan {
    /// Parts of `items` inputs, of which enough calibrate for a false-alarm rate: with folds all that train.
    pub(super) fn new(items: usize, alpha_ppm: u32, folds: Option<usize>) -> Result<Self> {
        let least = calibrate::fewest(alpha_ppm).max(1);
        let test = Self::testing(items);
        let (calibrate, enough) = match folds {
            Some(_) => (0, items.saturating_sub(test)),
            None => {
                let calibrate = Self::apart(items, least);
                (calibrate, calibrate)
            }
        };
        if enough < least || calibrate + test >= items {
            let needed = match folds {
                Some(_) => (least..).find(|&n| n - Self::testing(n) >= least),
                None => Some(2 * (least + 1)),
            };
            bail!(
                "{} are too few for a false-alarm rate of {}: it takes {} or more",
                count(items, "input"),
                percent(f64::from(alpha_ppm) / 1e6),
                needed.unwrap_or(least)
            );
        }
        Ok(Self {
            calibrate,
            test,
            folds,
            items,
        })
    }

    /// Inputs that test.
    fn testing(items: usize) -> usize {
        (items / 10).max(1)
    }

    /// Inputs that calibrate and do not train.
    fn apart(items: usize, least: usize) -> usize {
        // So many give tables of several tests beside the threshold, for which a few score alike.
        let wanted = calibrate::WANTED_FOR_TABLES + least + least / 4 + SPARE;
        let most = items - (items as f64 * LEAST_TRAINED) as usize - items / 10;
        (3 * items / 10).max(wanted).min(most)
    }
}

impl Parts {
    /// Parts out of blocks, none of which is in two parts; of blocks in order the last ones test, where what trains
    /// calibrates too.
    pub(super) fn of_blocks(plan: Plan, blocks: &Blocks, seed: u64) -> Result<Self> {
        let units = (0..blocks.count()).map(|block| blocks.members(block));
        let units = Units {
            units: units.collect(),
            in_order: blocks.in_order() && plan.folds.is_some(),
            least: match plan.folds {
                Some(_) => 0,
                None => CALIBRATE_BLOCKS,
            },
        };
        let parts = Self::of(plan, units, seed);
        let trained = parts.least_trained();
        if (trained as f64) < LEAST_TRAINED / 2.0 * plan.items as f64 {
            bail!(
                "{} blocks leave {trained} of {} inputs to train: it takes more blocks, or ones more alike in size",
                blocks.count().max(FEWEST),
                plan.items
            );
        }
        Ok(parts)
    }

    /// Parts of inputs that stand alone, but for those that repeat one another (`same` says which came first).
    pub(super) fn of_inputs(plan: Plan, same: &[usize], seed: u64) -> Self {
        let mut units: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, &first) in same.iter().enumerate() {
            units.entry(first).or_default().push(index);
        }
        let units = Units {
            units: units.into_values().collect(),
            in_order: false,
            least: 0,
        };
        Self::of(plan, units, seed)
    }

    fn of(plan: Plan, all: Units, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..all.units.len()).collect();
        match all.in_order {
            true => order.reverse(),
            false => Random(seed).shuffle(&mut order),
        }
        let mut order = order.into_iter();
        let mut take = |enough: usize, least: usize| {
            let (mut taken, mut inputs) = (Vec::new(), 0);
            while inputs < enough || taken.len() < least {
                let Some(unit) = order.next() else { break };
                inputs += all.units[unit].len();
                taken.push(unit);
            }
            taken
        };
        let calibrate = take(plan.calibrate, all.least);
        let test = take(plan.test, 1);
        let mut train = take(usize::MAX, 0);
        if all.in_order {
            train.reverse();
        }
        let inputs = |units: &[usize]| units.iter().flat_map(|&u| all.units[u].clone()).collect();
        let folds = plan.folds.map(|folds| folds::of_units(train.len(), folds));
        let of_unit = folds.into_iter().flatten().zip(&train);
        let folds = of_unit.flat_map(|(fold, &unit)| vec![fold; all.units[unit].len()]);
        Self {
            folds: folds.collect(),
            train: inputs(&train),
            calibrate: inputs(&calibrate),
            test: inputs(&test),
        }
    }

    /// Inputs that the model of fewest is trained on.
    fn least_trained(&self) -> usize {
        let last = self.folds.iter().max().copied();
        let held = |fold| self.folds.iter().filter(|&&of| of == fold).count();
        let most_held = last.and_then(|last| (0..=last).map(held).max());
        self.train.len() - most_held.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(parts: &Parts) -> [usize; 3] {
        [&parts.train, &parts.calibrate, &parts.test].map(Vec::len)
    }

    fn all(parts: &Parts) -> Vec<usize> {
        let mut all = [&parts.train[..], &parts.calibrate[..], &parts.test[..]].concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn every_input_is_in_one_part() {
        let plan = Plan::new(1000, 10_000, None).unwrap();
        let alone: Vec<usize> = (0..1000).collect();
        let parts = Parts::of_inputs(plan, &alone, 7);
        assert_eq!(sizes(&parts), [600, 300, 100]);
        assert_eq!(all(&parts), alone);
        assert_ne!(parts.train, Parts::of_inputs(plan, &alone, 8).train);
    }

    #[test]
    fn what_repeats_is_in_the_part_of_what_it_repeats() {
        let plan = Plan::new(1000, 10_000, None).unwrap();
        let same: Vec<usize> = (0..1000).map(|i| i % 400).collect();
        let parts = Parts::of_inputs(plan, &same, 1);
        let of = |part: &[usize]| part.iter().map(|i| i % 400).collect::<Vec<_>>();
        let (train, test) = (of(&parts.train), of(&parts.test));
        assert!(test.iter().all(|first| !train.contains(first)));
        assert_eq!(all(&parts).len(), 1000);
    }

    #[test]
    fn blocks_are_whole() {
        let plan = Plan::new(500, 50_000, None).unwrap();
        let blocks = Blocks::stretches(500, 20).unwrap();
        let parts = Parts::of_blocks(plan, &blocks, 3).unwrap();
        for part in [&parts.train, &parts.calibrate, &parts.test] {
            assert!(
                part.chunks(25)
                    .all(|c| c[0] % 25 == 0 && c[24] == c[0] + 24)
            );
        }
        let five = Blocks::named((0..500).map(|i| ["a", "b", "c", "d", "e"][i / 100])).unwrap();
        assert_eq!(
            sizes(&Parts::of_blocks(plan, &five, 3).unwrap()),
            [200, 200, 100]
        );
        let labels = (0..500).map(|i| {
            if i < 480 {
                "long"
            } else {
                ["a", "b", "c"][i % 3]
            }
        });
        let uneven = Blocks::named(labels).unwrap();
        let all_of_it = (0..9).map(|seed| Parts::of_blocks(plan, &uneven, seed).is_err());
        assert!(all_of_it.filter(|&refused| refused).count() > 2);
    }

    #[test]
    fn enough_calibrate_or_it_is_said() {
        let plan = Plan::new(600, 10_000, None).unwrap();
        assert_eq!((plan.calibrate, plan.test), (255, 60));
        let plan = Plan::new(300, 10_000, None).unwrap();
        assert_eq!((plan.calibrate, plan.test), (150, 30));
        for items in [0, 1, 2, 150] {
            assert!(Plan::new(items, 10_000, None).is_err(), "{items}");
        }
    }

    #[test]
    fn with_folds_all_that_trains_calibrates() {
        let plan = Plan::new(600, 10_000, Some(5)).unwrap();
        let same: Vec<usize> = (0..600).map(|i| i % 500).collect();
        let parts = Parts::of_inputs(plan, &same, 1);
        assert_eq!(
            (parts.calibrate.len(), parts.folds.len()),
            (0, parts.train.len())
        );
        let fold = |fold: usize| {
            let of_fold = parts.train.iter().zip(&parts.folds);
            let of_fold = of_fold.filter(|(_, of)| **of == fold).map(|(i, _)| i % 500);
            of_fold.collect::<Vec<_>>()
        };
        let folds: Vec<Vec<usize>> = (0..5).map(fold).collect();
        for (index, fold) in folds.iter().enumerate() {
            assert!((90..130).contains(&fold.len()), "{}", fold.len());
            let others = folds[index + 1..].concat();
            assert!(fold.iter().all(|input| !others.contains(input)));
        }
    }

    #[test]
    fn the_last_stretch_tests_and_folds_are_stretches() {
        let plan = Plan::new(500, 10_000, Some(5)).unwrap();
        let blocks = Blocks::stretches(500, 10).unwrap();
        let parts = Parts::of_blocks(plan, &blocks, 3).unwrap();
        assert_eq!(parts.test, (450..500).collect::<Vec<_>>());
        assert_eq!(parts.train, (0..450).collect::<Vec<_>>());
        assert!(parts.folds.is_sorted());
        assert_eq!(parts.least_trained(), 350);
    }

    #[test]
    fn folds_take_fewer_inputs() {
        assert!(Plan::new(109, 10_000, Some(5)).is_ok());
        assert!(Plan::new(108, 10_000, Some(5)).is_err());
    }
}
