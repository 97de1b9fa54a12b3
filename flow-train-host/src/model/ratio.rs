//! The ratio net of a model: a small network that tells benign images from negatives made of them.
//!
//! A flow says how likely an image is, and what is simple is likely; a net that has learned to tell benign images from
//! others gives a second opinion, from benign data alone. Trained with the logistic loss on as many benign images as
//! negatives, its output is ln p(benign) / p(negative): a ratio to a background density without a second flow. Of a
//! `fashion-bottleneck` it makes an eighth of the multiplies (`records/smaller-gate.md`).

use super::{ModelError, Tensor, TensorMismatch, tensors::TensorSpec};
use flow_infer::spec::Shape;
use std::collections::BTreeMap;

/// Side of every convolution.
pub const SIDE: u16 = 4;
/// Numbers between the two dense layers.
const HIDDEN: u16 = 32;
/// Channels of the first convolution; twice as many of the next, and so on.
const FIRST_CHANNELS: u16 = 8;
const MOST_CHANNELS: u16 = 32;
/// No further convolution of what is at most so long and wide.
const SMALL: u16 = 6;
/// What is at most so large is halved by every other convolution only.
const HALVED_SLOWLY: u16 = 14;

/// A convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatioStage {
    /// Channels that it gives.
    pub channels: u16,
    /// Distance between its windows.
    pub stride: u16,
    /// Height and width of what it gives.
    pub size: (u16, u16),
}

/// The layers of a ratio net: a matter of the image's shape alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatioShape {
    /// What it reads.
    pub image: Shape,
    /// Convolutions of side 4 without padding, leaky relu behind each.
    pub stages: Vec<RatioStage>,
    /// Outputs of the dense layer behind them, leaky relu behind it; the last layer makes one number of them.
    pub hidden: u16,
}

impl RatioShape {
    /// The layers for images of a shape: strides of 2, from 14 pixels a side on every other one of 1, down to about four
    /// pixels a side.
    pub fn of(image: Shape) -> Self {
        let (mut height, mut width) = (image.height, image.width);
        let mut stages: Vec<RatioStage> = Vec::new();
        while height.max(width) > SMALL && height.min(width) >= SIDE {
            let slowly = height.max(width) <= HALVED_SLOWLY;
            let stride = match stages.last() {
                Some(last) if slowly && last.stride == 2 => 1,
                _ => 2,
            };
            height = (height - SIDE) / stride + 1;
            width = (width - SIDE) / stride + 1;
            let channels = stages
                .last()
                .map_or(FIRST_CHANNELS, |last| 2 * last.channels);
            stages.push(RatioStage {
                channels: channels.min(MOST_CHANNELS),
                stride,
                size: (height, width),
            });
        }
        Self {
            image,
            stages,
            hidden: HIDDEN,
        }
    }

    /// Names and shapes of the tensors.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let tensor = |name: String, shape: Vec<usize>| TensorSpec { name, shape };
        let mut channels = usize::from(self.image.channels);
        let mut list = vec![
            tensor("input.gain".to_owned(), vec![channels]),
            tensor("input.offset".to_owned(), vec![channels]),
        ];
        let mut layer = |name: &str, weights: Vec<usize>| {
            let bias = vec![weights[0]];
            list.push(tensor(format!("{name}.weights"), weights));
            list.push(tensor(format!("{name}.bias"), bias));
        };
        let mut size = (self.image.height, self.image.width);
        for (k, stage) in self.stages.iter().enumerate() {
            let (outputs, side) = (usize::from(stage.channels), usize::from(SIDE));
            layer(&format!("stages.{k}"), vec![outputs, channels, side, side]);
            (channels, size) = (outputs, stage.size);
        }
        let hidden = usize::from(self.hidden);
        let whole = vec![hidden, channels, size.0.into(), size.1.into()];
        layer("hidden", whole);
        layer("output", vec![1, hidden]);
        list
    }
}

/// A trained ratio net.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    shape: RatioShape,
    tensors: BTreeMap<String, Tensor>,
}

impl Ratio {
    /// Joins tensors to the net of an image's shape.
    ///
    /// # Errors
    /// [`ModelError::Tensors`] if they are not those that it asks for, [`ModelError::NotFinite`].
    pub fn new(image: Shape, tensors: BTreeMap<String, Tensor>) -> Result<Self, ModelError> {
        let shape = RatioShape::of(image);
        TensorMismatch::between(&shape.tensors(), &tensors).map_err(ModelError::Tensors)?;
        let finite = |t: &Tensor| t.values.iter().all(|v| v.is_finite());
        match tensors.iter().find(|(_, tensor)| !finite(tensor)) {
            Some((name, _)) => Err(ModelError::NotFinite(name.clone())),
            None => Ok(Self { shape, tensors }),
        }
    }

    /// The layers.
    pub fn shape(&self) -> &RatioShape {
        &self.shape
    }

    /// All tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// The values of a tensor; empty for a name that there is not.
    pub fn values(&self, name: &str) -> &[f32] {
        self.tensors.get(name).map_or(&[], |t| &t.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_a_net_that_ends_small() {
        for (height, width) in [
            (28, 28),
            (14, 14),
            (96, 96),
            (3, 3),
            (40, 8),
            (1, 200),
            (7, 7),
        ] {
            let shape = RatioShape::of(Shape::new(1, height, width));
            let (mut h, mut w) = (height, width);
            for stage in &shape.stages {
                let side = |n: u16| (n - SIDE) / stage.stride + 1;
                (h, w) = (side(h), side(w));
                assert_eq!(stage.size, (h, w));
            }
            assert!(h.max(w) <= SMALL || h.min(w) < SIDE, "{height} x {width}");
        }
        let of_28 = RatioShape::of(Shape::new(1, 28, 28));
        let stages = of_28.stages.iter().map(|s| (s.channels, s.stride, s.size));
        assert!(stages.eq([(8, 2, (13, 13)), (16, 1, (10, 10)), (32, 2, (4, 4))]));
    }
}
