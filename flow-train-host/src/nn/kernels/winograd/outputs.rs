//! Sums of points to output pixels.

use super::POINTS;
use super::matrices::{A, MAPPED, SIDE, both_sides};
use super::tiles::Tiles;
use crate::nn::Map;
use crate::nn::kernels::conv::{Convolution, finish};
use crate::nn::kernels::isa::{Isa, Kernel};

/// At s A of every tile, bias added, finished.
pub(super) struct Outputs<'a, 'b> {
    pub(super) tiles: Tiles,
    pub(super) sums: &'a Map,
    pub(super) conv: Convolution<'b>,
}

impl Kernel for Outputs<'_, '_> {
    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        for block in 0..self.sums.blocks() {
            let bias = match self.conv.bias {
                Some(bias) => isa.load(&bias[block]),
                None => isa.splat(0.0),
            };
            for tile in 0..self.tiles.count() {
                let place = self.tiles.place(tile);
                let [first, second] = [0, 1].map(|point| self.sums.at(block, point, tile));
                let mut s = [[isa.splat(0.0); MAPPED]; MAPPED];
                for point in 0..POINTS {
                    s[point / MAPPED][point % MAPPED] =
                        isa.load(&self.sums.data()[first + point * (second - first)]);
                }
                let out = both_sides(isa, &A, &s);
                for (dy, out) in out.iter().enumerate().take(place.rows) {
                    let row = out.map(|sum| isa.add(sum, bias));
                    let columns = place.columns.min(SIDE);
                    let at = [block, place.row + dy, place.column, columns];
                    finish_row(isa, &mut self.conv, at, &row);
                }
            }
        }
    }
}

#[inline(always)]
fn finish_row<I: Isa>(
    isa: I,
    conv: &mut Convolution<'_>,
    [block, y, x, columns]: [usize; 4],
    row: &[I::Vector; SIDE],
) {
    match (columns, row) {
        (SIDE, row) => finish(isa, conv, block, y, x, row),
        (3, &[a, b, c, _]) => finish(isa, conv, block, y, x, &[a, b, c]),
        (2, &[a, b, ..]) => finish(isa, conv, block, y, x, &[a, b]),
        (_, &[a, ..]) => finish(isa, conv, block, y, x, &[a]),
    }
}
