//! `mlp`: dense, relu, `layers` times (dense, relu), dense, over the kept coordinates of a vector.

use crate::{Array, Parameters, ops};

pub(super) fn outputs(layers: u8, at: &Parameters<'_>, x: &Array) -> Array {
    let relu = |h: Vec<f64>| h.into_iter().map(|v| v.max(0.0)).collect::<Vec<_>>();
    let mut h = relu(ops::dense(&x.values, &at.layer("in_layer")));
    for k in 0..layers {
        h = relu(ops::dense(&h, &at.layer(&format!("layers.{k}"))));
    }
    let out = ops::dense(&h, &at.layer("out_layer"));
    Array::from_fn((out.len(), 1, 1), |c, _, _| out[c])
}
