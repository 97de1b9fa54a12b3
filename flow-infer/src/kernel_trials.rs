//! Random tiles on which kernels must agree: the same trials on the host and, in a few kilobytes, on a board.

use crate::engine::{Arithmetic, Fixed};
use crate::kernels::{PackedWeights, Row, Run, Tile, Window, pair, portable, relu, row, single};
use crate::plan::{Activation, LANES};

/// Longest row of weights and most activations of a trial.
const WEIGHTS: usize = 700;
const ACTIVATIONS: usize = 2000;
const RUNS: usize = 12;
/// Most columns and blocks of a row.
const COLUMNS: usize = 5;
const BLOCKS: usize = 3;
const OUTPUTS: usize = COLUMNS * BLOCKS * LANES;
/// Bytes of the records of a block.
const RECORDS: usize = 8 * LANES;

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
            }) || self.row_differs(row)
                || self.relu_differs()
        })
    }

    /// Whether a row of outputs comes out otherwise than by its definition: pixel by pixel and block by block. A
    /// kernel that does not take the row has nothing to differ in.
    pub(crate) fn row_differs(
        &mut self,
        kernel: fn(&mut Row<'_, i16>, &mut PackedWeights) -> bool,
    ) -> bool {
        self.fill();
        let (blocks, columns) = (1 + self.below(BLOCKS), 1 + self.below(COLUMNS));
        let row_bytes = WEIGHTS.checked_div(blocks).unwrap_or(0);
        let run_len = 1 + self.below(row_bytes.min(WEIGHTS / 8));
        let step = self.below(40);
        let last = ACTIVATIONS - run_len - (columns - 1) * step;
        let mut runs = [Run::default(); RUNS];
        for run in &mut runs {
            run.weights = self.below(1 + row_bytes - run_len);
            run.activations = self.below(1 + last);
        }
        let count = self.below(1 + RUNS);
        let window = Window::new(runs.get(..count).unwrap_or(&[]), run_len);
        let activation = match self.below(3) {
            0 => Activation::Identity,
            1 => Activation::Relu,
            _ => Activation::LeakyRelu,
        };
        // An odd place: records may lie anywhere.
        let records = [(); 1 + BLOCKS * RECORDS].map(|()| self.next() as u8);
        let residual = [(); OUTPUTS].map(|()| self.next() as i16);
        let mut targets = [[0x5A5A; OUTPUTS]; 2];
        let [computed, defined] = &mut targets;
        let mut wanted = Row {
            y: 0,
            window: &window,
            weights: &self.weights,
            row_bytes,
            mirrored: None,
            half_empty: false,
            records: records.get(1..).unwrap_or(&[]),
            blocks,
            activations: &self.activations,
            step,
            columns,
            activation,
            residual: residual.get(..OUTPUTS * (count % 2)).unwrap_or(&[]),
            target: defined,
        };
        define(&mut wanted);
        let mut given = Row {
            target: computed,
            ..wanted
        };
        kernel(&mut given, &mut PackedWeights::default()) && targets[0] != targets[1]
    }

    fn relu_differs(&mut self) -> bool {
        self.fill();
        let count = self.below(100);
        let source = self.activations.get(..count).unwrap_or(&[]);
        let mut targets = [[1i16; 100]; 2];
        relu(source, &mut targets[0]);
        portable::relu(source, &mut targets[1]);
        targets[0] != targets[1]
    }

    /// Whether `agree` finds otherwise on the next tile.
    pub(crate) fn differs(
        &mut self,
        agree: impl FnOnce(&Tile<'_, i16>, [i32; LANES]) -> bool,
    ) -> bool {
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

    pub(crate) fn next(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u64::from(self.next()) * limit as u64) >> 32) as usize
    }
}

/// The definition of a row: sums of the portable kernel, and the engine's requantization of each block.
pub(crate) fn define(row: &mut Row<'_, i16>) {
    let pixel_len = row.pixel_len();
    for column in 0..row.columns {
        for block in 0..row.blocks {
            let weights = row.weights.get(block * LANES * row.row_bytes..);
            let records = row.records.get(block * RECORDS..);
            let activations = row.activations.get(column * row.step..);
            let (Some(weights), Some(records), Some(activations)) = (weights, records, activations)
            else {
                return;
            };
            let mut sums = Fixed::biases(records);
            if let Some(tile) = Tile::new(row.window, (weights, row.row_bytes, 1), (activations, 0))
            {
                portable::single(&tile, &mut sums);
            }
            let place = column * pixel_len + block * LANES;
            let residual = row.residual.get(place..).and_then(|r| r.first_chunk());
            let target = row.target.get_mut(place..);
            if let Some(target) = target.and_then(|t| t.first_chunk_mut()) {
                *target = Fixed::activations(&sums, records, row.activation, residual);
            }
        }
    }
}
