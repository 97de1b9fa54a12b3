//! CReLU, a = relu([x, -x]): what a residual conditioner reads, so that its first relu loses
//! nothing.

use super::{LANES, Map};

/// a = relu([x, -x]) of `input`.
pub(super) fn forward(input: &Map, both: &mut Map) {
    let grid = input.grid();
    let channels = input.channels();
    for c in 0..channels {
        for y in 0..grid.rows() {
            let from = input.index(c, y, 0);
            let positive = both.index(c, y, 0);
            let negative = both.index(channels + c, y, 0);
            for x in (0..grid.width).map(|x| x * LANES) {
                let value = input.get(from + x);
                both.set(positive + x, value.max(0.0));
                both.set(negative + x, (-value).max(0.0));
            }
        }
    }
}

/// Gradient of x from that of a: a's sign tells which of the two passed.
pub(super) fn gradient(both: &Map, both_gradient: &Map, grad_input: &mut Map) {
    let grid = both.grid();
    let channels = grad_input.channels();
    for c in 0..channels {
        for y in 0..grid.rows() {
            let to = grad_input.index(c, y, 0);
            let positive = both.index(c, y, 0);
            let negative = both.index(channels + c, y, 0);
            for x in (0..grid.width).map(|x| x * LANES) {
                let passed = |at: usize| match both.get(at) > 0.0 {
                    true => both_gradient.get(at),
                    false => 0.0,
                };
                grad_input.set(to + x, passed(positive + x) - passed(negative + x));
            }
        }
    }
}
