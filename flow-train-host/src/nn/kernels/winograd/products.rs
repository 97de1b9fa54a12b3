//! Sums over channels, point by point.
//!
//! Mapped weights are four times the weights, and what maps them writes to as many places at once
//! as there are points. Written for a whole layer before they were read, they took a third of a
//! step of 200 channels, most of it waiting for memory. So they live in the second-level cache
//! only: a few rows of points for two blocks of outputs at a time.

use super::matrices::{Form, MAPPED};
use super::weights::{Packed, WeightPoints};
use crate::nn::kernels::conv::{Convolution, Finish};
use crate::nn::kernels::dispatch::Cpu;
use crate::nn::{Grid, LANES, Map, Scratch};

/// Blocks of outputs whose weights are mapped together: as many as the largest tile of a
/// convolution has.
const BLOCKS: usize = 2;
/// Vectors of points and mapped weights that are to stay in the second-level cache: half a MiB.
const CACHED: usize = 1 << 13;

/// sums[o, point, tile] = sum over i of (G w Gt)[o, i, point] points[i, point, tile].
pub(super) fn multiply<F: Form<T, S>, const T: usize, const S: usize>(
    cpu: Cpu,
    form: F,
    packed: Packed<'_>,
    points: &Map,
    sums: &mut Map,
    room: &mut Scratch,
) {
    let of_block = packed.weights.len() / sums.blocks();
    // At distances that are powers of two a weight's points would all fall into the same set of a
    // cache.
    let of_point = BLOCKS * points.blocks() * LANES + 1;
    let rows = rows_together(points, of_point);
    let mut mapped = room.lend(rows * MAPPED * LANES, Grid::vectors(of_point));
    for top in (0..MAPPED).step_by(rows) {
        for first in (0..sums.blocks()).step_by(BLOCKS) {
            let blocks = first..(first + BLOCKS).min(sums.blocks());
            cpu.run(WeightPoints {
                _form: form,
                from: Packed {
                    weights: &packed.weights[blocks.start * of_block..blocks.end * of_block],
                    ..packed
                },
                rows: top..top + rows,
                of_point,
                to: mapped.data_mut(),
            });
            cpu.call(Convolution {
                side: 1,
                rows: top * MAPPED..(top + rows) * MAPPED,
                blocks,
                row_weights: of_point,
                weights: mapped.data(),
                bias: None,
                input: points,
                out: sums,
                finish: Finish::Store,
            });
        }
    }
    room.give_back(mapped);
}

/// Rows of points whose numbers fit into the cache; all outputs pass by while those of the input
/// stay there.
fn rows_together(points: &Map, of_point: usize) -> usize {
    let of_row = MAPPED * (points.blocks() * points.grid().width + of_point);
    let fitting = [6, 3, 2].into_iter().find(|rows| rows * of_row <= CACHED);
    fitting.unwrap_or(1)
}
