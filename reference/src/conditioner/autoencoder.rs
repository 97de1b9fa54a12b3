//! `autoencoder`: strided convolutions, a linear bottleneck, transposed convolutions back.

use crate::{Array, Parameters, ops};

/// Four times conv4x4 without padding (strides 1, 1, q, q with q = ⌊W / 14⌋) and leaky relu; the bottleneck; four
/// times the transposed convolution of the mirrored stride, leaky relu after all but the last.
///
/// Every transposed convolution ends at the size that its twin began with.
pub(super) fn outputs(at: &Parameters<'_>, x: &Array) -> Array {
    let q = x.width / 14;
    let strides = [1, 1, q, q];
    let mut h = x.clone();
    let mut sides = Vec::new();
    for (k, stride) in strides.into_iter().enumerate() {
        sides.push((h.height, h.width));
        let layer = at.layer(&format!("encoder.{k}"));
        h = ops::leaky_relu(&ops::conv2d(&h, &layer, stride));
    }
    h = ops::bottleneck(&h, &at.under("bottleneck"));
    for k in 0..4 {
        let layer = at.layer(&format!("decoder.{k}"));
        h = ops::conv_transposed(&h, &layer, strides[3 - k], sides[3 - k]);
        if k < 3 {
            h = ops::leaky_relu(&h);
        }
    }
    h
}
