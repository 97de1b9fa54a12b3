//! The ratio net: a dense layer over an image is a convolution as large as the image.

use super::builder::{Builder, Kernel, Scaling, channels_last};
use super::{LoweredCoupling, LoweredStep};
use crate::model::ratio::{Ratio, SIDE};
use flow_infer::plan::{Activation, PlannedScale, Window};
use flow_infer::spec::{AffineForm, CouplingMask, View};

pub(super) fn lower(ratio: &Ratio) -> LoweredStep {
    let shape = ratio.shape();
    let view = View::whole(shape.image);
    let mut builder = Builder::new(view, CouplingMask::Whole, 0.0);
    let scaling = Scaling {
        gain: ratio.values("input.gain").to_vec(),
        offset: ratio.values("input.offset").to_vec(),
    };
    let mut h = builder.input(false, Some(scaling), Activation::Identity);
    for (k, stage) in shape.stages.iter().enumerate() {
        let size = [SIDE, SIDE];
        let kernel = kernel(ratio, &format!("stages.{k}"), size, stage.stride);
        h = builder.conv(h, kernel, Activation::LeakyRelu, None);
    }
    let whole = builder.shape(h);
    let hidden = kernel(ratio, "hidden", [whole.height, whole.width], 1);
    h = builder.conv(h, hidden, Activation::LeakyRelu, None);
    let output = kernel(ratio, "output", [1, 1], 1);
    builder.conv(h, output, Activation::Identity, None);
    let (buffers, layers) = builder.finish();
    LoweredStep::Ratio(LoweredCoupling {
        view,
        mask: CouplingMask::Whole,
        // Nothing is coupled.
        affine: AffineForm::ShiftThenScale,
        scale: PlannedScale::Linear,
        bound: Vec::new(),
        buffers,
        layers,
    })
}

fn kernel(ratio: &Ratio, name: &str, [height, width]: [u16; 2], stride: u16) -> Kernel {
    let bias = ratio.values(&format!("{name}.bias")).to_vec();
    let values = ratio.values(&format!("{name}.weights"));
    let pixels = usize::from(height) * usize::from(width);
    let inputs = values.len() / (bias.len() * pixels);
    Kernel {
        window: Window {
            height,
            width,
            stride: stride as u8,
            pad: 0,
        },
        weights: channels_last(values, bias.len(), inputs, pixels, false),
        bias,
    }
}
