//! `glow_convnet`: conv3x3, relu, conv1x1, relu, conv3x3 (openai/glow).

use crate::{Array, Parameters, ops};

pub(super) fn outputs(at: &Parameters<'_>, x: &Array) -> Array {
    let h = ops::relu(&ops::conv2d_same(x, &at.layer("in_conv")));
    let h = ops::relu(&ops::conv2d_same(&h, &at.layer("mid_conv")));
    ops::conv2d_same(&h, &at.layer("out_conv"))
}
