//! Which inputs train, which set the gate, and which test it.

use crate::number::{count, percent};
use crate::table::Table;
use anyhow::{Result, bail};
use flow_train_host::data::{Dataset, Images, Vectors};
use std::path::Path;

/// Blocks that a sequence is cut into.
const BLOCKS: usize = 50;
/// Least share that trains.
const LEAST_TRAINED: f64 = 0.4;

/// How neighbours are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As frames of a video: neighbours are alike.
    Sequence,
    /// In no order that would matter.
    None,
}

/// Sizes of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    train: usize,
    calibrate: usize,
    test: usize,
    order: Order,
}

/// The parts.
pub(super) struct Parts {
    train: Dataset,
    calibrate: Dataset,
    test: Dataset,
}

/// Names that count on, or a video: neighbours are alike.
pub(super) fn order(path: &Path) -> Order {
    if !path.is_dir() {
        let video = path.extension().is_some_and(|e| e == "y4m");
        return if video { Order::Sequence } else { Order::None };
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        return Order::None;
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<(String, u64)> = names.filter_map(|name| numbered(&name)).collect();
    numbers.sort();
    let pairs = numbers.windows(2);
    let of_one_name = pairs.clone().filter(|two| two[0].0 == two[1].0).count();
    let next = pairs
        .filter(|two| two[0].0 == two[1].0 && two[1].1 == two[0].1 + 1)
        .count();
    // "IMG_0007, IMG_0008": a camera counted. Plain numbers are what anybody calls files.
    let named = numbers
        .iter()
        .filter(|(name, _)| name.chars().any(char::is_alphabetic))
        .count();
    match of_one_name > 10 && 10 * next > 8 * of_one_name && 2 * named > numbers.len() {
        true => Order::Sequence,
        false => Order::None,
    }
}

/// Name and number of `frame_0012.png`.
fn numbered(name: &str) -> Option<(String, u64)> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (text, number) = stem.split_at(stem.len() - digits);
    Some((text.to_owned(), number.parse().ok()?))
}

impl Plan {
    /// Parts of `items` inputs, of which enough calibrate for a false-alarm rate.
    pub(super) fn new(items: usize, alpha: f64, order: Order) -> Result<Self> {
        // The least for one threshold; twice as many let a part of them make tables for several tests.
        let least = (1.0 / alpha).ceil() as usize - 1;
        let most = items - (items as f64 * LEAST_TRAINED) as usize - items / 10;
        let calibrate = (3 * items / 10).max((2 * least + 2).min(most));
        let test = (items / 10).max(1);
        if calibrate < least.max(1) || calibrate + test >= items {
            bail!(
                "{} are too few for a false-alarm rate of {}: it takes {} or more",
                count(items, "input"),
                percent(alpha),
                2 * (least + 1)
            );
        }
        Ok(Self {
            train: items - calibrate - test,
            calibrate,
            test,
            order,
        })
    }

    pub(super) fn facts(&self, table: &mut Table) {
        let text = format!("{}, the last twelfth of them validates", self.train);
        table.fact("to train", text);
        table.fact("to calibrate", self.calibrate.to_string());
        table.fact("to test", self.test.to_string());
        let how = match self.order {
            Order::Sequence => "in blocks: neighbours are frames of one sequence",
            Order::None => "by a seeded shuffle",
        };
        table.fact("split", how);
    }

    /// All indices, those of each part together.
    fn indices(&self, seed: u64) -> Vec<usize> {
        let items = self.train + self.calibrate + self.test;
        let mut random = Random(seed);
        match self.order {
            Order::None => random.shuffled(items),
            Order::Sequence => {
                let blocks = BLOCKS.min(items);
                let block = |b: usize| b * items / blocks..(b + 1) * items / blocks;
                random
                    .shuffled(blocks)
                    .into_iter()
                    .flat_map(block)
                    .collect()
            }
        }
    }
}

impl Parts {
    pub(super) fn of(data: &Dataset, plan: &Plan, seed: u64) -> Self {
        let indices = plan.indices(seed);
        let (train, rest) = indices.split_at(plan.train);
        let (calibrate, test) = rest.split_at(plan.calibrate);
        Self {
            train: pick(data, train),
            calibrate: pick(data, calibrate),
            test: pick(data, test),
        }
    }

    pub(super) fn named(&self) -> [(&'static str, &Dataset); 3] {
        [
            ("train", &self.train),
            ("calibrate", &self.calibrate),
            ("test", &self.test),
        ]
    }
}

fn pick(data: &Dataset, indices: &[usize]) -> Dataset {
    match data {
        Dataset::Images(images) => {
            let pixels = indices.iter().flat_map(|&i| images.get(i).iter().copied());
            let (c, h, w) = (images.channels(), images.height(), images.width());
            let picked = Images::new(c, h, w, pixels.collect());
            Dataset::Images(picked.unwrap_or_else(|_| images.take(0..0)))
        }
        Dataset::Vectors(vectors) => {
            let values = indices.iter().flat_map(|&i| vectors.get(i).iter().copied());
            let picked = Vectors::new(vectors.dims(), values.collect());
            Dataset::Vectors(picked.unwrap_or_else(|_| vectors.take(0..0)))
        }
    }
}

/// SplitMix64: the same split from a seed in every version.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to n - 1 in random order (Fisher and Yates).
    fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, (self.bits() % (i as u64 + 1)) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_in_one_part() {
        for order in [Order::None, Order::Sequence] {
            let plan = Plan::new(1000, 0.01, order).unwrap();
            assert_eq!((plan.train, plan.calibrate, plan.test), (600, 300, 100));
            let mut all = plan.indices(7);
            assert_ne!(all, plan.indices(8));
            all.sort_unstable();
            assert!(all.into_iter().eq(0..1000));
        }
    }

    #[test]
    fn neighbours_of_a_sequence_stay_together() {
        let plan = Plan::new(500, 0.05, Order::Sequence).unwrap();
        let all = plan.indices(3);
        let together = all.windows(2).filter(|two| two[1] == two[0] + 1).count();
        assert!(together >= 450, "{together}");
    }

    #[test]
    fn enough_calibrate_or_it_is_said() {
        let plan = Plan::new(300, 0.01, Order::None).unwrap();
        assert_eq!((plan.train, plan.calibrate, plan.test), (120, 150, 30));
        for items in [0, 1, 2, 150] {
            assert!(Plan::new(items, 0.01, Order::None).is_err(), "{items}");
        }
    }

    #[test]
    fn names_that_count_are_a_sequence() {
        assert_eq!(numbered("frame_0012.png"), Some(("frame_".to_owned(), 12)));
        assert_eq!(numbered("a.png"), None);
        let directory = tempfile::tempdir().unwrap();
        for i in 0..40 {
            std::fs::write(directory.path().join(format!("IMG_{i:04}.png")), b"").unwrap();
        }
        assert_eq!(order(directory.path()), Order::Sequence);
        assert_eq!(order(Path::new("v.y4m")), Order::Sequence);
        assert_eq!(order(Path::new("v.idx3")), Order::None);
    }
}
