//! `squeeze`: each 2 x 2 block of pixels becomes four channels. log_det 0.

use super::Array;

/// `out[4 c + 2 dy + dx](y, x) = in[c](2 y + dy, 2 x + dx)`.
pub fn squeeze(input: &Array) -> Array {
    let size = (4 * input.channels, input.height / 2, input.width / 2);
    Array::from_fn(size, |k, y, x| {
        let (c, dy, dx) = (k / 4, k % 4 / 2, k % 2);
        input.at(c, 2 * y + dy, 2 * x + dx)
    })
}

/// The inverse permutation.
pub fn unsqueeze(input: &Array) -> Array {
    let size = (input.channels / 4, 2 * input.height, 2 * input.width);
    Array::from_fn(size, |c, y, x| {
        input.at(4 * c + 2 * (y % 2) + x % 2, y / 2, x / 2)
    })
}
