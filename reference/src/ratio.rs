//! The ratio net.

use super::{Array, Layer, input, ops};
use flow_train_host::model::Model;
use flow_train_host::model::ratio::Ratio;

/// ln p(benign) / p(negative) of data, by the model's ratio net; `None` of a model without.
///
/// h = gain y + offset per channel, y the first latent; then h = leaky(conv(h)) for every stage (side 4, no padding),
/// h = leaky(dense(h)), and one dense layer more, whose only output it is.
pub fn ratio(model: &Model, data: &[f64]) -> Option<f64> {
    let net = model.ratio()?;
    let shape = net.shape();
    let (y, _) = input::to_latent(model, data);
    let y = Array::new(shape.image, y);
    let (gain, offset) = (net.values("input.gain"), net.values("input.offset"));
    let mut h = Array::from_fn(y.size(), |c, row, column| {
        f64::from(gain[c]) * y.at(c, row, column) + f64::from(offset[c])
    });
    for (k, stage) in shape.stages.iter().enumerate() {
        let sums = ops::conv2d(&h, &layer(net, &format!("stages.{k}")), stage.stride.into());
        h = ops::leaky_relu(&sums);
    }
    let hidden = Array {
        values: ops::dense(&h.values, &layer(net, "hidden")),
        channels: shape.hidden.into(),
        height: 1,
        width: 1,
    };
    let hidden = ops::leaky_relu(&hidden);
    Some(ops::dense(&hidden.values, &layer(net, "output"))[0])
}

fn layer(net: &Ratio, name: &str) -> Layer {
    let weights = &net.tensors()[&format!("{name}.weights")];
    let bias = net.values(&format!("{name}.bias"));
    let numbers = |values: &[f32]| values.iter().map(|&v| v.into()).collect();
    Layer {
        shape: weights.shape.clone(),
        weights: numbers(&weights.values),
        bias: numbers(bias),
    }
}
