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
struct Kernel {
    name: &'static str,
    row: Box<OfRow>,
    sums: Box<OfSums>,
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
    kernels.extend(
        super::host::Extension::all()
            .into_iter()
            .map(|extension| Kernel {
                name: extension.name(),
                row: Box::new(move |row, packed| extension.activations(row, packed)),
                sums: Box::new(move |row, packed, sums| extension.sums(row, packed, sums)),
            }),
    );
    kernels
}

impl Kernel {
    /// Whether it computes whole rows for certain.
    fn takes_rows(&self) -> bool {
        super::WHOLE_ROWS && !["chosen", "portable"].contains(&self.name)
    }
}

const TRIALS: u32 = 450;
/// Layers that share what a kernel keeps: sometimes more than it has room for.
const LAYERS: usize = 15;

/// Weights that a run begins with a multiple of, or hardly any row is taken.
const UNIT: usize = if cfg!(kernel = "aarch64") { 4 } else { 2 };

/// What a row needs, of random shape.
struct Given {
    y: usize,
    runs: Vec<Run>,
    run_len: usize,
    row_bytes: usize,
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
    fn new(trials: &mut Trials) -> Self {
        let run_len = 4 * (1 + trials.below(24));
        let row_bytes = run_len + trials.below(200);
        Self::of_shape(trials, run_len, row_bytes)
    }

    fn of_shape(trials: &mut Trials, run_len: usize, row_bytes: usize) -> Self {
        let (blocks, columns) = (1 + trials.below(10), 1 + trials.below(40));
        let step = trials.below(40);
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
            y: 0,
            runs,
            run_len,
            row_bytes,
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
            y: self.y,
            window,
            weights: &self.weights,
            row_bytes: self.row_bytes,
            mirrored: None,
            half_empty: false,
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

/// Computes the row with a kernel and by its definition, once requantized and once as sums; whether it was taken.
fn compare(
    kernel: &Kernel,
    given: &Given,
    window: &Window<'_>,
    packed: &mut PackedWeights,
    trial: u32,
) -> bool {
    let outputs = given.columns * given.blocks * LANES;
    let mut computed = vec![0x5A5A; outputs + 9];
    let taken = (kernel.row)(&mut given.row(window, &mut computed), packed);
    if taken {
        let mut defined = vec![0x5A5A; outputs + 9];
        define(&mut given.row(window, &mut defined));
        assert_eq!(computed, defined, "{}, trial {trial}", kernel.name);
    }
    let mut row = given.row(window, &mut []);
    let mut sums = vec![0x5A5A; outputs];
    if (kernel.sums)(&mut row, packed, &mut sums) {
        assert_eq!(sums, sums_of(&row), "{}, trial {trial}", kernel.name);
    }
    taken
}

#[test]
fn wide_rows_come_out_by_their_definition() {
    for kernel in kernels() {
        let seed = 0x5EED_0005;
        println!("{}: seed {seed:#x}", kernel.name);
        let mut trials = Trials::new(seed);
        let mut taken = 0;
        for first in (0..TRIALS).step_by(LAYERS) {
            let layers: Vec<Given> = (0..LAYERS).map(|_| Given::new(&mut trials)).collect();
            let mut packed = PackedWeights::default();
            for (layer, given) in (first..).zip(&layers) {
                let window = Window::new(&given.runs, given.run_len);
                taken += u32::from(compare(&kernel, given, &window, &mut packed, layer));
                // Another row of the same layer, at an edge: fewer runs.
                let fewer = &given.runs[given.runs.len() / 3..];
                let window = Window::new(fewer, given.run_len);
                compare(&kernel, given, &window, &mut packed, layer);
            }
        }
        // Few are refused: those of one column, or of a window too large to lay out.
        assert!(
            !kernel.takes_rows() || taken > TRIALS * 9 / 10,
            "{}: {taken}",
            kernel.name
        );
    }
}

#[test]
fn weights_are_laid_out_anew_when_their_shape_changes_between_rows() {
    for kernel in kernels() {
        let seed = 0x5EED_0009;
        println!("{}: seed {seed:#x}", kernel.name);
        let mut trials = Trials::new(seed);
        for trial in 0..TRIALS / 6 {
            // The same memory as rows of several lengths, for more and for fewer channels, forth and back.
            let mut given = Given::new(&mut trials);
            let memory = given.weights.len();
            let mut packed = PackedWeights::default();
            let shapes = [(); 3].map(|()| {
                let blocks = 1 + trials.below(given.blocks);
                let run_len = 4 * (1 + trials.below(given.run_len / 4));
                let longest = memory / (blocks * LANES) - run_len;
                (blocks, run_len, run_len + trials.below(1 + longest))
            });
            for (blocks, run_len, row_bytes) in shapes.into_iter().chain(shapes) {
                given.blocks = blocks;
                given.row_bytes = row_bytes;
                let fits = |run: &&Run| run.weights + run_len <= row_bytes;
                let runs: Vec<Run> = given.runs.iter().filter(fits).copied().collect();
                let window = Window::new(&runs, run_len);
                compare(&kernel, &given, &window, &mut packed, trial);
            }
        }
    }
}

/// Sixteen channels of 16 bytes, then 4 n blocks of 512 bytes under the same number: once read past its memory.
#[test]
fn a_second_row_with_more_and_longer_weights_comes_out_right() {
    for kernel in kernels() {
        for n in [1, 4, 30] {
            let mut packed = PackedWeights::default();
            let mut trials = Trials::new(n as u32);
            for (blocks, row_bytes) in [(4, 16), (4 * n, 512)] {
                let channels = blocks * LANES;
                let mut bytes =
                    |count: usize| -> Vec<u8> { (0..count).map(|_| trials.next() as u8).collect() };
                let given = Given {
                    y: 0,
                    runs: vec![Run::default()],
                    run_len: row_bytes,
                    row_bytes,
                    blocks,
                    columns: 32,
                    step: 1,
                    weights: bytes(channels * row_bytes),
                    records: bytes(channels * 8),
                    activations: (0..row_bytes as i16 + 32).collect(),
                    residual: Vec::new(),
                    activation: Activation::Identity,
                };
                let window = Window::new(&given.runs, row_bytes);
                let taken = compare(&kernel, &given, &window, &mut packed, n as u32);
                assert!(taken || !kernel.takes_rows());
            }
        }
    }
}

#[test]
fn a_mirrored_window_is_one_whose_weights_lie_the_other_way_round() {
    for kernel in kernels() {
        let seed = 0x5EED_0011;
        println!("{}: seed {seed:#x}", kernel.name);
        let mut trials = Trials::new(seed);
        for trial in 0..TRIALS / 3 {
            let pixel = 4 * (1 + trials.below(4));
            let (width, height) = (1 + trials.below(4), 1 + trials.below(4));
            let mut given = Given::of_shape(&mut trials, pixel * width, pixel * width * height);
            for (ky, run) in given.runs.iter_mut().enumerate() {
                run.weights = ky % height * given.run_len;
            }
            let window = Window::new(&given.runs, given.run_len);
            let mut packed = PackedWeights::default();
            let outputs = given.columns * given.blocks * LANES;
            let wanted = sums_of(&given.row(&window, &mut []));
            let mut mirrored = given.weights.clone();
            for run in mirrored.chunks_mut(given.run_len) {
                run.reverse();
                run.chunks_mut(pixel).for_each(<[u8]>::reverse);
            }
            let row = Row {
                weights: &mirrored,
                mirrored: Some(pixel),
                ..given.row(&window, &mut [])
            };
            // Before and after, the same weights in their own order.
            compare(&kernel, &given, &window, &mut packed, trial);
            for _ in 0..2 {
                let mut row = Row {
                    target: &mut [],
                    ..row
                };
                let mut sums = vec![0x5A5A; outputs];
                if (kernel.sums)(&mut row, &mut packed, &mut sums) {
                    assert_eq!(sums, wanted, "{}, trial {trial}", kernel.name);
                }
            }
            compare(&kernel, &given, &window, &mut packed, trial);
        }
    }
}

/// Pixels of one channel or two, of which nothing else is multiplied.
#[test]
fn zeros_that_are_passed_over_change_nothing() {
    for kernel in kernels() {
        let seed = 0x5EED_0013;
        println!("{}: seed {seed:#x}", kernel.name);
        let mut trials = Trials::new(seed);
        for trial in 0..TRIALS / 3 {
            let (width, height) = (1 + trials.below(5), 1 + trials.below(4));
            let mut given = Given::of_shape(&mut trials, LANES * width, LANES * width * height);
            for (ky, run) in given.runs.iter_mut().enumerate() {
                run.weights = ky % height * given.run_len;
                run.activations &= !(LANES - 1);
            }
            given.step &= !(LANES - 1);
            for pixel in given.activations.chunks_mut(LANES) {
                pixel.iter_mut().skip(2).for_each(|zero| *zero = 0);
            }
            let window = Window::new(&given.runs, given.run_len);
            let wanted = sums_of(&given.row(&window, &mut []));
            let mut packed = PackedWeights::default();
            for half_empty in [true, false, true] {
                let mut row = Row {
                    half_empty,
                    ..given.row(&window, &mut [])
                };
                let mut sums = vec![0x5A5A; wanted.len()];
                if (kernel.sums)(&mut row, &mut packed, &mut sums) {
                    assert_eq!(sums, wanted, "{}, trial {trial}", kernel.name);
                }
            }
        }
    }
}

/// Rows of 3 x 3 convolutions as an engine has them computed: in order, with a ring of three rows.
#[test]
fn rows_that_follow_one_another_come_out_by_their_definition() {
    for kernel in kernels() {
        let seed = 0x5EED_0012;
        println!("{}: seed {seed:#x}", kernel.name);
        let mut trials = Trials::new(seed);
        for trial in 0..TRIALS / 5 {
            let mut layers: Vec<Rows> = (0..4).map(|_| Rows::new(&mut trials)).collect();
            let mut packed = PackedWeights::default();
            for y in 0..12 {
                for rows in &mut layers {
                    rows.advance(y, &mut trials);
                    // Some rows are left out, as by a core that computes half of them.
                    if trials.below(8) > 0 {
                        rows.compare(&kernel, y, &mut packed, trial);
                    }
                }
            }
        }
    }
}

/// A layer with a source of three rows.
struct Rows {
    given: Given,
    greatest: i32,
    least: i32,
}

impl Rows {
    const HEIGHT: usize = 12;

    fn new(trials: &mut Trials) -> Self {
        let pixel = [16, 16, 16, 8, 32][trials.below(5)];
        let mut given = Given::of_shape(trials, 3 * pixel, 9 * pixel);
        given.columns = 1 + trials.below(36);
        given.step = pixel;
        given.blocks = 4 * (1 + trials.below(2)) + trials.below(4) / 3;
        let channels = given.blocks * LANES;
        let extreme = trials.below(2) == 0;
        given.weights = (0..channels * given.row_bytes)
            .map(|_| if extreme { 0x80 } else { trials.next() as u8 })
            .collect();
        given.records = (0..channels * 8).map(|_| trials.next() as u8).collect();
        given.activations = vec![0; 3 * (given.columns + 2) * pixel];
        given.residual.resize(given.columns * channels, -5);
        let (greatest, least) =
            [(16383, 0), (16383, 0), (16384, 0), (32767, 0), (99, -1)][trials.below(5)];
        Self {
            given,
            greatest,
            least,
        }
    }

    fn row_len(&self) -> usize {
        self.given.activations.len() / 3
    }

    /// Brings in the row of the source that the window of row y is the first to reach.
    fn advance(&mut self, y: usize, trials: &mut Trials) {
        let len = self.row_len();
        let often = trials.below(3);
        for row in if y == 0 { 0..2 } else { y + 1..y + 2 } {
            for value in &mut self.given.activations[row % 3 * len..][..len] {
                let word = (trials.next() >> 8) as i32;
                let middle = self.least + word % (self.greatest - self.least + 1);
                *value = [self.greatest, middle, middle][often.min(word as usize % 3)] as i16;
            }
        }
    }

    fn compare(&mut self, kernel: &Kernel, y: usize, packed: &mut PackedWeights, trial: u32) {
        let len = self.row_len();
        self.given.y = y;
        self.given.runs = (0..3)
            .filter(|ky| (1..=Self::HEIGHT).contains(&(y + ky)))
            .map(|ky| Run {
                weights: ky * self.given.run_len,
                activations: (y + ky + 2) % 3 * len,
            })
            .collect();
        let window = Window::new(&self.given.runs, self.given.run_len);
        compare(kernel, &self.given, &window, packed, trial);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let given = Given::new(&mut Trials::new(11));
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
        assert!(taken || !kernel.takes_rows());
    }
}
