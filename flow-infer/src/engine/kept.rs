//! The kept part of the latent, as the conditioner reads it: pixels that are not kept are zero.
//!
//! What is not kept reads the same in a whole row, so it is written first, everywhere, and what is kept over it. Asking
//! every pixel whether it is kept took a twentieth of an image's time in `fashion-bottleneck`.

use super::arithmetic::Arithmetic;
use super::couple::Context;
use crate::bytes::tail;
use crate::kernels::{Kept, write};
use crate::plan::Layer;
use core::iter;

/// Writes row y, pixels of so many elements: the channels' positive parts and, of a pair, their negative ones behind them.
pub(super) fn row<A: Arithmetic>(
    context: &Context<'_>,
    (layer, pair): (&Layer, bool),
    y: usize,
    latents: &[A::Latent],
    (pixels, pixel_len): (&mut [A::Activation], usize),
) {
    let coupling = context.coupling;
    let (view, shape) = (coupling.view, coupling.view.shape());
    let (first, count) = coupling.mask.kept_channels(view.channels());
    let records = tail(context.tensors, layer.records).chunks_exact(A::FORMAT.sizes().input);
    let (width, kept) = (
        usize::from(shape.width),
        coupling.mask.kept_columns(y, shape),
    );
    for (channel, record) in (0..count).zip(records) {
        let places = (
            A::place_of(channel),
            pair.then(|| A::place_of(count + channel)),
        );
        let read = |latent| A::input(latent, record, layer.activation);
        if kept.count() < width {
            let hidden = iter::repeat_n(read(A::ZERO_LATENT), width);
            write(pixels, pixel_len, places, hidden);
        }
        let begin = view.offset(first + channel, y, kept.first());
        let mut row = Kept {
            latents: latents.get(begin..).unwrap_or(&[]),
            stride: view.column_stride() * kept.stride(),
            count: kept.count(),
            pixels: pixels
                .get_mut(kept.first() * pixel_len..)
                .unwrap_or(&mut []),
            distance: kept.stride() * pixel_len,
            positive: places.0,
            negative: places.1,
        };
        if !A::input_row(&mut row, record, layer.activation) {
            let latents = row
                .latents
                .iter()
                .step_by(row.stride.max(1))
                .take(row.count);
            let values = latents.map(|&latent| read(latent));
            write(row.pixels, row.distance, places, values);
        }
    }
}
