//! `highway`: gated 3 x 3 convolutions without activation.

use crate::{Array, Parameters, ops};

/// h = conv3x3(x); each layer: g = sigmoid(conv3x3_gate(h)), h ← conv3x3_hidden(h) g + h (1 - g); out = conv1x1(h).
pub(super) fn outputs(layers: u8, at: &Parameters<'_>, x: &Array) -> Array {
    let mut h = ops::conv2d_same(x, &at.layer("in_conv"));
    for k in 0..layers {
        let layer = at.under(&format!("layers.{k}"));
        let hidden = ops::conv2d_same(&h, &layer.layer("hidden"));
        let g = ops::conv2d_same(&h, &layer.layer("gate")).map(ops::sigmoid);
        h = Array::from_fn(h.size(), |c, y, x| {
            hidden.at(c, y, x) * g.at(c, y, x) + h.at(c, y, x) * (1.0 - g.at(c, y, x))
        });
    }
    ops::conv2d_same(&h, &at.layer("out_conv"))
}
