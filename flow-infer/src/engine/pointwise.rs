//! Steps that change every coordinate by itself or with its pixel: actnorm and invertible linear maps.

use super::arithmetic::Arithmetic;
use super::span::Span;
use crate::bytes;
use crate::plan::MAX_LINEAR_CHANNELS;
use crate::spec::View;

/// What a coordinate of an actnorm costs, in products.
const ACTNORM_PRODUCTS: usize = 16;

/// Some rows of an actnorm.
pub(super) fn actnorm<A: Arithmetic>(
    view: View,
    records: &[u8],
    latents: &mut [A::Latent],
    log_det: &mut A::LogDet,
    span: &mut Span,
) {
    let size = A::FORMAT.sizes().actnorm;
    let width = usize::from(view.shape().width);
    let row_products = width * view.channels() * ACTNORM_PRODUCTS;
    for y in span.take(usize::from(view.shape().height), row_products) {
        for (channel, record) in (0..view.channels()).zip(records.chunks_exact(size)) {
            for x in 0..width {
                if let Some(latent) = latents.get_mut(view.offset(channel, y, x)) {
                    *latent = A::actnorm(*latent, record, log_det);
                }
            }
        }
    }
}

/// Some rows of an invertible linear map.
pub(super) fn linear<A: Arithmetic>(
    view: View,
    weights: &[u8],
    latents: &mut [A::Latent],
    log_det: &mut A::LogDet,
    span: &mut Span,
) {
    let shape = view.shape();
    let channels = view.channels();
    let mut pixel = [A::ZERO_LATENT; MAX_LINEAR_CHANNELS];
    let row_len = channels * A::FORMAT.sizes().linear;
    let width = usize::from(shape.width);
    // A product of 32 bits by 32 takes twice the time of one by a weight of 8.
    let row_products = width * channels * (2 * channels + ACTNORM_PRODUCTS);
    for y in span.take(usize::from(shape.height), row_products) {
        for x in 0..width {
            for (channel, slot) in pixel.iter_mut().enumerate().take(channels) {
                *slot = bytes::at(latents, view.offset(channel, y, x));
            }
            let inputs = pixel.get(..channels).unwrap_or(&[]);
            for channel in 0..channels {
                let row = bytes::run(weights, channel * row_len, row_len);
                if let Some(latent) = latents.get_mut(view.offset(channel, y, x)) {
                    *latent = A::linear(inputs, row, log_det);
                }
            }
        }
    }
}
