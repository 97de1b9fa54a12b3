//! Rows as wide as a host computes them: more columns and channels than the trials that fit a board.

use super::row::Row;
use super::tile::{Run, Tile, Window};
use super::{PackedWeights, portable, row, sums};
use crate::engine::{Arithmetic, Fixed};
use crate::kernel_trials::{Trials, define};
use crate::plan::{Activation, LANES};
use std::boxed::Box;
use std::vec::Vec;
use std::{println, vec};

type OfRow = dyn Fn(&mut Row<'_, i16>, &mut PackedWeights) -> bool;
type OfSums = dyn Fn(&mut Row<'_, i16>, &mut PackedWeights, &mut [i32]) -> bool;

/// A kernel's two functions of whole rows.
pub(super) struct Kernel {
    pub(super) name: &'static str,
    pub(super) row: Box<OfRow>,
    pub(super) sums: Box<OfSums>,
}

/// The kernels that this processor can run.
fn kernels() -> Vec<Kernel> {
    let mut kernels = Vec::new();
    kernels.push(Kernel {
        name: "chosen",
        row: Box::new(row),
        sums: Box::new(sums),
    });
    #[cfg(whole_rows)]
    kernels.extend(super::host::available_rows());
    kernels
}

const TRIALS: u32 = 1500;
/// Layers that share what a kernel keeps: sometimes more than it has room for.
const LAYERS: usize = 16;

/// Weights that a run begins with a multiple of, or hardly any row is taken.
const UNIT: usize = if cfg!(kernel = "aarch64") { 4 } else { 2 };

/// What a row needs, of random shape.
struct Given {
    layer: usize,
    runs: Vec<Run>,
    run_len: usize,
    blocks: usize,
    columns: usize,
    step: usize,
    weights: Vec<u8>,
    records: Vec<u8>,
    activations: Vec<i16>,
    residual: Vec<i16>,
    activation: Activation,
}

impl Given {
    fn new(trials: &mut Trials, layer: usize) -> Self {
        let (blocks, columns) = (1 + trials.below(10), 1 + trials.below(40));
        let (run_len, step) = (4 * (1 + trials.below(24)), trials.below(40));
        let row_bytes = run_len + trials.below(200);
        let reach = 400 + run_len + columns * step;
        let runs = (0..trials.below(25)).map(|_| Run {
            weights: trials.below(1 + row_bytes - run_len) / UNIT * UNIT,
            activations: trials.below(400),
        });
        let runs = runs.collect();
        let extreme = trials.below(2) == 0;
        let mut number = |least: i32| match (trials.next(), extreme) {
            (word, true) if word & 1 == 0 => least,
            (word, _) => word as i32 >> 7,
        };
        let channels = blocks * LANES;
        let weights = (0..channels * row_bytes)
            .map(|_| number(-128) as u8)
            .collect();
        let records = (0..channels * 8).map(|_| number(0xFF) as u8).collect();
        let activations = (0..reach).map(|_| number(-32768) as i16).collect();
        let residual = (0..columns * channels)
            .map(|_| number(32767) as i16)
            .collect();
        let residual = if trials.below(2) == 0 {
            residual
        } else {
            Vec::new()
        };
        let activations_of = [
            Activation::Identity,
            Activation::Relu,
            Activation::LeakyRelu,
        ];
        Self {
            layer,
            runs,
            run_len,
            blocks,
            columns,
            step,
            weights,
            records,
            activations,
            residual,
            activation: activations_of[trials.below(3)],
        }
    }

    fn row<'r>(&'r self, window: &'r Window<'r>, target: &'r mut [i16]) -> Row<'r, i16> {
        Row {
            layer: self.layer,
            window,
            weights: &self.weights,
            row_bytes: self.weights.len() / (self.blocks * LANES),
            records: &self.records,
            blocks: self.blocks,
            activations: &self.activations,
            step: self.step,
            columns: self.columns,
            activation: self.activation,
            residual: &self.residual,
            target,
        }
    }
}

/// The sums by their definition.
fn sums_of(row: &Row<'_, i16>) -> Vec<i32> {
    let mut all = Vec::new();
    for column in 0..row.columns {
        for block in 0..row.blocks {
            let weights = &row.weights[block * LANES * row.row_bytes..];
            let mut sums = Fixed::biases(&row.records[block * LANES * 8..]);
            let activations = &row.activations[column * row.step..];
            let tile = Tile::new(row.window, (weights, row.row_bytes, 1), (activations, 0));
            portable::single(&tile.unwrap(), &mut sums);
            all.extend(sums);
        }
    }
    all
}

#[test]
fn wide_rows_come_out_by_their_definition() {
    for kernel in kernels() {
        let seed = 0x5EED_0005;
        println!("{}: seed {seed:#x}", kernel.name);
        let mut trials = Trials::new(seed);
        let mut taken = 0;
        let mut packed = PackedWeights::default();
        for trial in 0..TRIALS {
            let layer = trial as usize % LAYERS;
            if layer == 0 {
                packed = PackedWeights::default();
            }
            let given = Given::new(&mut trials, layer);
            let window = Window::new(&given.runs, given.run_len);
            let outputs = given.columns * given.blocks * LANES;
            let (mut computed, mut defined) =
                (vec![0x5A5A; outputs + 9], vec![0x5A5A; outputs + 9]);
            define(&mut given.row(&window, &mut defined));
            if (kernel.row)(&mut given.row(&window, &mut computed), &mut packed) {
                taken += 1;
                assert_eq!(computed, defined, "{}, trial {trial}", kernel.name);
            }
            // Another row of the same layer, at an edge: fewer runs.
            let window = Window::new(&given.runs[given.runs.len() / 3..], given.run_len);
            let mut row = given.row(&window, &mut []);
            let mut sums = vec![0x5A5A; outputs];
            if (kernel.sums)(&mut row, &mut packed, &mut sums) {
                assert_eq!(sums, sums_of(&row), "{}, trial {trial}", kernel.name);
            }
        }
        // Few are refused: those of one column, or of a window too large to lay out.
        let takes = super::WHOLE_ROWS && !["chosen", "portable"].contains(&kernel.name);
        assert!(
            !takes || taken > TRIALS * 9 / 10,
            "{}: {taken}",
            kernel.name
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let given = Given::new(&mut Trials::new(11), 0);
    let window = Window::new(&given.runs, given.run_len);
    let outputs = given.columns * given.blocks * LANES;
    for kernel in kernels() {
        let mut target = vec![7; outputs];
        let packed = &mut PackedWeights::default();
        let taken = (kernel.row)(&mut given.row(&window, &mut target), packed);
        for cut in 0..5 {
            target.fill(7);
            let mut row = given.row(&window, &mut target);
            match cut {
                0 => row.weights = &row.weights[1..],
                1 => row.records = &row.records[1..],
                2 => row.activations = &row.activations[..row.step],
                3 => row.residual = &[1],
                _ => row.target = &mut row.target[1..],
            }
            assert!(
                !(kernel.row)(&mut row, packed),
                "{}, cut {cut}",
                kernel.name
            );
            assert!(target.iter().all(|&t| t == 7));
        }
        let mut sums = vec![7; outputs - 1];
        assert!(!(kernel.sums)(
            &mut given.row(&window, &mut []),
            packed,
            &mut sums
        ));
        let takes = super::WHOLE_ROWS && !["chosen", "portable"].contains(&kernel.name);
        assert!(!takes || taken);
    }
}
