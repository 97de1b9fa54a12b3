//! Which inputs train, which set the gate, and which test it.

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
    items: usize,
}

/// The inputs of each part.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    pub(super) calibrate: Vec<usize>,
    pub(super) test: Vec<usize>,
}

impl Plan {
    /// Parts of `items` inputs, of which enough calibrate for a false-alarm rate.
    pub(super) fn new(items: usize, alpha_ppm: u32) -> Result<Self> {
        let least = calibrate::fewest(alpha_ppm);
        // So many give tables of several tests beside the threshold, for which a few score alike.
        let wanted = calibrate::FEWEST_FOR_TABLES + least + least / 4 + SPARE;
        let wanted = (3 * items / 10).max(wanted);
        let most = items - (items as f64 * LEAST_TRAINED) as usize - items / 10;
        let calibrate = wanted.min(most);
        let test = (items / 10).max(1);
        if calibrate < least.max(1) || calibrate + test >= items {
            bail!(
                "{} are too few for a false-alarm rate of {}: it takes {} or more",
                count(items, "input"),
                percent(f64::from(alpha_ppm) / 1e6),
                2 * (least + 1)
            );
        }
        Ok(Self {
            calibrate,
            test,
            items,
        })
    }
}

impl Parts {
    /// Parts out of blocks, none of which is in two parts.
    pub(super) fn of_blocks(plan: Plan, blocks: &Blocks, seed: u64) -> Result<Self> {
        let units = (0..blocks.count()).map(|block| blocks.members(block));
        let parts = Self::of(plan, units.collect(), CALIBRATE_BLOCKS, seed);
        if (parts.train.len() as f64) < LEAST_TRAINED / 2.0 * plan.items as f64 {
            bail!(
                "{} blocks leave {} of {} inputs to train: it takes more blocks, or ones more alike in size",
                blocks.count().max(FEWEST),
                parts.train.len(),
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
        Self::of(plan, units.into_values().collect(), 0, seed)
    }

    fn of(plan: Plan, mut units: Vec<Vec<usize>>, least: usize, seed: u64) -> Self {
        Random(seed).shuffle(&mut units);
        let mut units = units.into_iter();
        let mut take = |enough: usize, least: usize| {
            let mut part = Vec::new();
            let mut taken = 0;
            while part.len() < enough || taken < least {
                let Some(unit) = units.next() else { break };
                part.extend(unit);
                taken += 1;
            }
            part
        };
        Self {
            calibrate: take(plan.calibrate, least),
            test: take(plan.test, 1),
            train: take(usize::MAX, 0),
        }
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
        let plan = Plan::new(1000, 10_000).unwrap();
        let alone: Vec<usize> = (0..1000).collect();
        let parts = Parts::of_inputs(plan, &alone, 7);
        assert_eq!(sizes(&parts), [600, 300, 100]);
        assert_eq!(all(&parts), alone);
        assert_ne!(parts.train, Parts::of_inputs(plan, &alone, 8).train);
    }

    #[test]
    fn what_repeats_is_in_the_part_of_what_it_repeats() {
        let plan = Plan::new(1000, 10_000).unwrap();
        let same: Vec<usize> = (0..1000).map(|i| i % 400).collect();
        let parts = Parts::of_inputs(plan, &same, 1);
        let of = |part: &[usize]| part.iter().map(|i| i % 400).collect::<Vec<_>>();
        let (train, test) = (of(&parts.train), of(&parts.test));
        assert!(test.iter().all(|first| !train.contains(first)));
        assert_eq!(all(&parts).len(), 1000);
    }

    #[test]
    fn blocks_are_whole() {
        let plan = Plan::new(500, 50_000).unwrap();
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
        let plan = Plan::new(600, 10_000).unwrap();
        assert_eq!((plan.calibrate, plan.test), (255, 60));
        let plan = Plan::new(300, 10_000).unwrap();
        assert_eq!((plan.calibrate, plan.test), (150, 30));
        for items in [0, 1, 2, 150] {
            assert!(Plan::new(items, 10_000).is_err(), "{items}");
        }
    }
}
