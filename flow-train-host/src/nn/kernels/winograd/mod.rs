//! Convolutions of side 3 with a quarter of the multiplications: Winograd's F(4x4, 3x3).
//!
//! Tiles of 6 x 6 input pixels and kernels of 3 x 3 taps become 36 numbers each; their products, summed over channels,
//! become 4 x 4 output pixels (Lavin and Gray, 2015, with the points 0, 1, -1, 2, -2):
//!
//! out = At [(G w Gt) * (Bt d B)] A; transposed, dw = Gt [sum over tiles of (Bt d B) * (A dout At)] G.
//!
//! A map of such numbers has 36 rows, one a point, and a column a tile: the sums over channels are a convolution of
//! side 1 with other weights for every row, which the direct kernels compute. Weights are mapped anew in every call:
//! kept mapped from step to step they would take four times the memory of all weights.

mod matrices;
mod outputs;
mod products;
mod tiles;
mod weight_sums;
mod weights;

use super::conv::{Convolution, Finish};
use super::dispatch::Cpu;
use super::isa::Isa;
use super::weight_gradient::add_bias_gradient;
use crate::nn::{Grid, LANES, Lanes, Map, Scratch};
use matrices::MAPPED;
use outputs::Outputs;
use std::cell::RefCell;
use tiles::{Input, OutputGradient, Points, Tiles};
use weight_sums::WeightSums;

/// Numbers of a mapped tile or kernel.
const POINTS: usize = MAPPED * MAPPED;

thread_local! {
    /// Maps of points: a thread computes one convolution after another.
    static ROOM: RefCell<Scratch> = RefCell::default();
}

/// Least tiles: with fewer, mapping the weights anew eats the gain. Of the direct kernels' time 16 tiles of 128 channels
/// take 0.55, 8 tiles 0.7, and 4 tiles 0.9 for a convolution but 1.1 for the gradient of its weights.
const LEAST_TILES: usize = 8;
/// Tiles from which more gain little, those of 28 x 28 pixels.
const ENOUGH_TILES: usize = 49;
/// Least channels on both sides: with fewer there is more to map than to multiply.
const LEAST_CHANNELS: usize = 32;

/// Whether it is worth while.
pub(super) fn pays(input: &Map, out: &Map) -> bool {
    let grid = out.grid();
    let tiles = Tiles::of(grid);
    let (pixels, covered) = (grid.rows() * grid.width, tiles.pixels());
    let channels = input.channels().min(out.channels());
    let large = tiles.count() >= LEAST_TILES && channels >= LEAST_CHANNELS;
    grid.border == 1 && large && 2 * covered <= 3 * pixels
}

/// Images of a grid's size that are best computed together.
pub(crate) fn images_that_pay(grid: Grid, channels: usize) -> usize {
    match channels < LEAST_CHANNELS {
        true => 1,
        false => ENOUGH_TILES.div_ceil(Tiles::of(grid).count()),
    }
}

/// [`convolve`](super::convolve()) of side 3.
pub(super) fn convolve(
    cpu: Cpu,
    weights: &[Lanes],
    bias: Option<&[Lanes]>,
    input: &Map,
    out: &mut Map,
    finish: Finish<'_>,
) {
    let tiles = Tiles::of(out.grid());
    ROOM.with_borrow_mut(|room| {
        let mut points = room.lend(input.channels(), tiles.points());
        let mut sums = room.lend(out.channels(), tiles.points());
        cpu.run(Points::new(Input, tiles, input, &mut points));
        products::multiply(cpu, weights, &points, &mut sums, room);
        let conv = Convolution {
            side: 3,
            rows: 0..out.grid().rows(),
            blocks: 0..out.blocks(),
            row_weights: 0,
            weights,
            bias,
            input,
            out,
            finish,
        };
        cpu.run(Outputs {
            tiles,
            sums: &sums,
            conv,
        });
        room.give_back(points);
        room.give_back(sums);
    });
}

/// [`add_weight_gradient`](super::add_weight_gradient()) of side 3.
pub(super) fn add_weight_gradient(
    cpu: Cpu,
    input: &Map,
    out_gradient: &Map,
    gradient: &mut [Lanes],
    bias: &mut [Lanes],
) {
    let grid = out_gradient.grid();
    let tiles = Tiles::of(grid);
    ROOM.with_borrow_mut(|room| {
        let mut points = room.lend(input.channels(), tiles.points());
        let mut above = room.lend(out_gradient.channels(), tiles.points());
        cpu.run(Points::new(Input, tiles, input, &mut points));
        cpu.run(Points::new(OutputGradient, tiles, out_gradient, &mut above));
        let mut sums = room.lend(weight_sums::ROOM, Grid::vectors(LANES));
        cpu.call(WeightSums {
            tiles: tiles.count(),
            points: &points,
            above: &above,
            gradient,
            room: sums.data_mut(),
        });
        add_bias_gradient(cpu, out_gradient, bias);
        for map in [points, above, sums] {
            room.give_back(map);
        }
    });
}

/// Stores a tile's points, whose first two have these places.
fn store<I: Isa, const N: usize>(
    isa: I,
    values: &[[I::Vector; N]; N],
    to: &mut [Lanes],
    [first, second]: [usize; 2],
) {
    for (point, value) in values.as_flattened().iter().enumerate() {
        isa.store(*value, &mut to[first + point * (second - first)]);
    }
}
