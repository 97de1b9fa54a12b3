//! Convolutions of side 3 and 4 with a quarter of the multiplications: Winograd's F(4x4, 3x3) and
//! F(3x3, 4x4).
//!
//! Tiles of 6 x 6 input pixels and kernels of 3 x 3 or 4 x 4 taps become 36 numbers each; their
//! products, summed over channels, become 4 x 4 or 3 x 3 output pixels (Lavin and Gray, 2015, with
//! the points 0, 1, -1, 2, -2):
//!
//! out = At [(G w Gt) * (Bt d B)] A; transposed, dw = Gt [sum over tiles of (Bt d B) * (A dout At)]
//! G.
//!
//! A map of such numbers has 36 rows, one a point, and a column a tile: the sums over channels are
//! a convolution of side 1 with other weights for every row, which the direct kernels compute.
//! Weights are mapped anew in every call: kept mapped from step to step they would take four times
//! the memory of all weights.

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
use matrices::{Form, FourTaps, MAPPED, ThreeTaps};
use outputs::Outputs;
use std::cell::RefCell;
use tiles::{Input, OutputGradient, Points, Tiles};
use weight_sums::WeightSums;
use weights::{Order, Packed};

/// Numbers of a mapped tile or kernel.
const POINTS: usize = MAPPED * MAPPED;

thread_local! {
    /// Maps of points: a thread computes one convolution after another.
    static ROOM: RefCell<Scratch> = RefCell::default();
}

/// Least tiles: with fewer, mapping the weights anew eats the gain. Of the direct kernels' time 16
/// tiles of 128 channels take 0.55, 8 tiles 0.7, and 4 tiles 0.9 for a convolution but 1.1 for the
/// gradient of its weights.
const LEAST_TILES: usize = 8;
/// Tiles from which more gain little, those of 28 x 28 pixels: larger maps are computed in parts,
/// whose points are still in the cache when they are read.
const ENOUGH_TILES: usize = 49;
/// Least channels on both sides: with fewer there is more to map than to multiply.
const LEAST_CHANNELS: usize = 32;

/// Whether it is worth while for so many channels, on either side, of the pixels of a grid.
fn tiles_pay(tiles: Tiles, grid: Grid, channels: usize) -> bool {
    let (pixels, covered) = (grid.rows() * grid.width, tiles.pixels());
    tiles.count() >= LEAST_TILES && channels >= LEAST_CHANNELS && 2 * covered <= 3 * pixels
}

/// Whether it is worth while for a convolution of side 3.
pub(super) fn pays(input: &Map, out: &Map) -> bool {
    let channels = input.channels().min(out.channels());
    tiles_pay(Tiles::new(out.grid(), 4), out.grid(), channels)
}

/// Whether it is worth while for convolutions of side 4 with these output pixels.
pub(crate) fn side_4_pays(grid: Grid, channels: usize) -> bool {
    tiles_pay(Tiles::new(grid, 3), grid, channels)
}

/// Images of a grid's size that are best computed together.
pub(crate) fn images_that_pay(grid: Grid, channels: usize) -> usize {
    match channels < LEAST_CHANNELS {
        true => 1,
        false => ENOUGH_TILES.div_ceil(Tiles::new(grid, 4).count()),
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
    let packed = Packed {
        weights,
        order: Order::BlocksOfTaps,
        in_blocks: input.blocks(),
        mirrored: false,
    };
    correlate(cpu, (ThreeTaps, 1), packed, bias, (input, out), finish);
}

/// [`add_weight_gradient`](super::add_weight_gradient()) of side 3.
pub(super) fn add_weight_gradient(
    cpu: Cpu,
    input: &Map,
    grad_output: &Map,
    gradient: &mut [Lanes],
    bias: &mut [Lanes],
) {
    let tiles = Tiles::new(grad_output.grid(), 4);
    let (both, order) = ([input, grad_output], Order::BlocksOfTaps);
    for tiles in tiles.parts(ENOUGH_TILES) {
        add_correlations(cpu, (ThreeTaps, 1), tiles, both, (order, gradient));
    }
    add_bias_gradient(cpu, grad_output, bias);
}

/// What a convolution of side 4, stride 1 and no padding does to the image; its weights are those
/// of the dense layer over patches of whole blocks of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// out[y] = sum of w[dy] in[y + dy]: the image becomes smaller, patches are read.
    Within,
    /// out[y] = sum of w[dy] in[y - dy]: the image becomes larger, patches are written.
    Beyond,
}

/// Convolves with 4 x 4 taps.
pub(crate) fn convolve_side_4(
    cpu: Cpu,
    reach: Reach,
    (weights, bias): (&[Lanes], Option<&[Lanes]>),
    (input, out): (&Map, &mut Map),
    finish: Finish<'_>,
) {
    let (order, padding) = match reach {
        Reach::Within => (Order::BlocksOfTaps, 0),
        Reach::Beyond => (Order::TapsOfBlocks, 3),
    };
    let packed = Packed {
        weights,
        order,
        in_blocks: input.blocks(),
        mirrored: reach == Reach::Beyond,
    };
    correlate(cpu, (FourTaps, padding), packed, bias, (input, out), finish);
}

/// Adds the gradients of its weights, and of its bias if every output has its own.
pub(crate) fn add_weight_gradient_of_side_4(
    cpu: Cpu,
    reach: Reach,
    [input, grad_output]: [&Map; 2],
    gradient: &mut [Lanes],
    bias: &mut [Lanes],
) {
    let both = [input, grad_output];
    let (smaller, order) = match reach {
        Reach::Within => (grad_output, Order::BlocksOfTaps),
        Reach::Beyond => (input, Order::TapsOfBlocks),
    };
    for tiles in Tiles::new(smaller.grid(), 3).parts(ENOUGH_TILES) {
        add_correlations(cpu, (FourTaps, 0), tiles, both, (order, gradient));
    }
    add_bias_gradient(cpu, grad_output, bias);
}

/// out[y] = bias + sum of w[dy] in[y + dy - padding].
fn correlate<F: Form<T, S>, const T: usize, const S: usize>(
    cpu: Cpu,
    (form, padding): (F, usize),
    packed: Packed<'_>,
    bias: Option<&[Lanes]>,
    (input, out): (&Map, &mut Map),
    finish: Finish<'_>,
) {
    let mut conv = Convolution {
        side: T,
        rows: 0..out.grid().rows(),
        blocks: 0..out.blocks(),
        row_weights: 0,
        weights: packed.weights,
        bias,
        input,
        out,
        finish,
    };
    for tiles in Tiles::new(conv.out.grid(), S).parts(ENOUGH_TILES) {
        ROOM.with_borrow_mut(|room| {
            let mut points = room.lend(input.channels(), tiles.points());
            let mut sums = room.lend(conv.out.channels(), tiles.points());
            cpu.run(Points {
                _square: Input,
                padding,
                tiles,
                from: input,
                to: &mut points,
            });
            products::multiply(cpu, form, packed, &points, &mut sums, room);
            cpu.run(Outputs {
                _form: form,
                tiles,
                sums: &sums,
                conv: &mut conv,
            });
            room.give_back(points);
            room.give_back(sums);
        });
    }
}

/// gradient[dy] += sum over y of larger[y + dy - padding] smaller[y]; that with the pixels of the
/// tiles is the smaller.
fn add_correlations<F: Form<T, S>, const T: usize, const S: usize>(
    cpu: Cpu,
    (form, padding): (F, usize),
    tiles: Tiles,
    maps: [&Map; 2],
    (order, gradient): (Order, &mut [Lanes]),
) {
    ROOM.with_borrow_mut(|room| {
        let [mut points, mut above] = maps.map(|map| room.lend(map.channels(), tiles.points()));
        let mut sums = room.lend(weight_sums::ROOM, Grid::vectors(LANES));
        let [input, grad_output] = maps;
        let (larger, smaller) = match order {
            Order::BlocksOfTaps => ((input, &mut points), (grad_output, &mut above)),
            Order::TapsOfBlocks => ((grad_output, &mut above), (input, &mut points)),
        };
        cpu.run(Points {
            _square: Input,
            padding,
            tiles,
            from: larger.0,
            to: larger.1,
        });
        cpu.run(Points {
            _square: OutputGradient::<F, T>(form),
            padding: 0,
            tiles,
            from: smaller.0,
            to: smaller.1,
        });
        cpu.call(WeightSums {
            _form: form,
            order,
            tiles: tiles.count(),
            points: &points,
            above: &above,
            gradient,
            room: sums.data_mut(),
        });
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
