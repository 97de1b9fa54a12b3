//! Random tiles on which kernels must agree: the same trials on the host and, in a few kilobytes, on a board.

use super::tile::{Run, Tile, Window};
use super::{pair, portable, single};
use crate::plan::LANES;

/// Longest row of weights and most activations of a trial.
const WEIGHTS: usize = 700;
const ACTIVATIONS: usize = 2000;
const RUNS: usize = 12;

/// Numbers to multiply, and a generator of more.
#[derive(Debug)]
pub struct Trials {
    state: u32,
    weights: [u8; LANES * WEIGHTS],
    activations: [i16; ACTIVATIONS],
}

impl Trials {
    /// The trials of this seed.
    pub const fn new(seed: u32) -> Self {
        Self {
            state: if seed == 0 { 1 } else { seed },
            weights: [0; LANES * WEIGHTS],
            activations: [0; ACTIVATIONS],
        }
    }

    /// The first of `count` trials in which the kernel of this target and the portable one differ.
    pub fn first_difference(&mut self, count: u32) -> Option<u32> {
        (0..count).find(|_| {
            self.differs(|tile, sums| {
                let mut singles = [sums; 2];
                single(tile, &mut singles[0]);
                portable::single(tile, &mut singles[1]);
                let mut pairs = [[sums; 2]; 2];
                pair(tile, &mut pairs[0]);
                portable::pair(tile, &mut pairs[1]);
                singles[0] == singles[1] && pairs[0] == pairs[1]
            })
        })
    }

    /// Whether `agree` finds otherwise on the next tile.
    pub fn differs(&mut self, agree: impl FnOnce(&Tile<'_, i16>, [i32; LANES]) -> bool) -> bool {
        self.fill();
        let run_len = self.below(1 + WEIGHTS / 8);
        let mut runs = [Run::default(); RUNS];
        for run in &mut runs {
            run.weights = self.below(1 + WEIGHTS - run_len);
            run.activations = self.below(1 + ACTIVATIONS - run_len);
        }
        let count = self.below(1 + RUNS);
        let window = Window::new(runs.get(..count).unwrap_or(&[]), run_len);
        let furthest = runs.iter().map(|run| run.activations).max().unwrap_or(0);
        let distance = self.below(1 + ACTIVATIONS - run_len - furthest);
        let sums = [(); LANES].map(|()| self.next() as i32 >> 8);
        let weights = (&self.weights[..], WEIGHTS, 1);
        Tile::new(&window, weights, (&self.activations[..], distance))
            .is_none_or(|tile| !agree(&tile, sums))
    }

    /// Every other number extreme in every other trial: sums must not depend on their order.
    fn fill(&mut self) {
        let extreme = self.below(2) == 0;
        for index in 0..self.weights.len() {
            let number = self.next();
            let value = if extreme && number & 1 == 0 {
                0x80
            } else {
                number >> 8
            };
            if let Some(weight) = self.weights.get_mut(index) {
                *weight = value as u8;
            }
        }
        for index in 0..self.activations.len() {
            let number = self.next();
            let value = if extreme && number & 1 == 0 {
                0x8000
            } else {
                number >> 8
            };
            if let Some(activation) = self.activations.get_mut(index) {
                *activation = value as i16;
            }
        }
    }

    fn next(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state
    }

    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        ((u64::from(self.next()) * limit as u64) >> 32) as usize
    }
}
