//! Sums of points to output pixels.

use super::POINTS;
use super::matrices::{Form, MAPPED, both_sides};
use super::tiles::Tiles;
use crate::nn::Map;
use crate::nn::kernels::conv::{Convolution, finish};
use crate::nn::kernels::isa::{Isa, Kernel};

/// At s A of every tile, bias added, finished.
pub(super) struct Outputs<'a, 'b, F, const T: usize, const S: usize> {
    pub(super) _form: F,
    pub(super) tiles: Tiles,
    pub(super) sums: &'a Map,
    pub(super) conv: &'a mut Convolution<'b>,
}

impl<F: Form<T, S>, const T: usize, const S: usize> Kernel for Outputs<'_, '_, F, T, S> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let grid = self.conv.out.grid();
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
                let out = both_sides(isa, &F::A, &s);
                let first_row = place.image * grid.height + place.row;
                for (dy, out) in out.iter().enumerate().take(grid.height - place.row) {
                    let row = out.map(|sum| isa.add(sum, bias));
                    let at = [block, first_row + dy, place.column];
                    let columns = grid.width - place.column;
                    finish_row(isa, self.conv, at, &row[..S.min(columns)]);
                }
            }
        }
    }
}

#[inline(always)]
fn finish_row<I: Isa>(
    isa: I,
    conv: &mut Convolution<'_>,
    [block, y, x]: [usize; 3],
    row: &[I::Vector],
) {
    match *row {
        [a, b, c, d] => finish(isa, conv, block, y, x, &[a, b, c, d]),
        [a, b, c] => finish(isa, conv, block, y, x, &[a, b, c]),
        [a, b] => finish(isa, conv, block, y, x, &[a, b]),
        [a] => finish(isa, conv, block, y, x, &[a]),
        _ => {}
    }
}
