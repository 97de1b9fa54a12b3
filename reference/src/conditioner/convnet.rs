//! `convnet`: 3 x 3 convolutions, then one of 1 x 1; no activation, so the whole network is linear.

use crate::{Array, Parameters, ops};

pub(super) fn outputs(layers: u8, at: &Parameters<'_>, x: &Array) -> Array {
    let mut h = x.clone();
    for k in 0..layers {
        h = ops::conv2d_same(&h, &at.layer(&format!("layers.{k}")));
    }
    ops::conv2d_same(&h, &at.layer("out_conv"))
}
