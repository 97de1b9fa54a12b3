//! The paper's residual conditioner.
//!
//! A norm in front of a relu whose input goes nowhere else is folded into the convolution before
//! it; the others become gains and offsets of the `Map` (or `Input`) that also applies the relu.

use super::ConditionerTensors;
use super::autoencoder::{dense_down, dense_up};
use super::builder::{Builder, Kernel, Scaling};
use flow_infer::plan::Activation;
use flow_infer::spec::Norm;

/// Added to a variance before its square root, as in the reference code.
const NORM_EPSILON: f64 = 1e-5;

impl ConditionerTensors<'_> {
    /// A batch norm with stored statistics as gain and offset.
    fn norm(&self, name: &str, norm: Norm) -> Option<Scaling> {
        if norm == Norm::None {
            return None;
        }
        let part = |part: &str| self.values(&format!("{name}.{part}"));
        let (gains, offsets) = (part("gain"), part("offset"));
        let statistics = part("mean").iter().zip(part("variance"));
        let (gain, offset) = statistics
            .zip(gains.iter().zip(offsets))
            .map(|((&mean, &variance), (&gain, &offset))| {
                let gain = f64::from(gain) / (f64::from(variance) + NORM_EPSILON).sqrt();
                (
                    gain as f32,
                    (f64::from(offset) - f64::from(mean) * gain) as f32,
                )
            })
            .unzip();
        Some(Scaling { gain, offset })
    }
}

/// gain (W a + b) + offset as one convolution.
fn fold(mut kernel: Kernel, scaling: Option<Scaling>) -> Kernel {
    if let Some(Scaling { gain, offset }) = scaling {
        let fan_in = kernel.weights.len() / kernel.bias.len().max(1);
        let rows = kernel.weights.chunks_exact_mut(fan_in.max(1));
        for ((row, bias), (g, o)) in rows.zip(&mut kernel.bias).zip(gain.iter().zip(&offset)) {
            row.iter_mut().for_each(|w| *w *= g);
            *bias = *bias * g + o;
        }
    }
    kernel
}

pub(super) fn lower(
    builder: &mut Builder,
    tensors: &ConditionerTensors<'_>,
    blocks: u8,
    skip: bool,
    norm: Norm,
    bottleneck: u16,
) {
    let relu = Activation::Relu;
    let a = builder.input(true, tensors.norm("in_norm", norm), relu);
    let mut h = builder.conv(a, tensors.conv("in_conv"), Activation::Identity, None);
    let mut sum =
        skip.then(|| builder.conv(h, tensors.conv("skip_in"), Activation::Identity, None));
    for k in 0..blocks {
        if bottleneck > 0 && k == blocks / 2 {
            h = through_bottleneck(builder, tensors, h);
        }
        let at = |part: &str| format!("blocks.{k}.{part}");
        let u = builder.map(h, tensors.norm(&at("norm_a"), norm), relu);
        let inner = fold(
            tensors.conv(&at("conv_a")),
            tensors.norm(&at("norm_b"), norm),
        );
        let v = builder.conv(u, inner, relu, None);
        h = builder.conv(
            v,
            tensors.conv(&at("conv_b")),
            Activation::Identity,
            Some(h),
        );
        if let Some(s) = sum {
            let kernel = tensors.conv(&format!("skips.{k}"));
            sum = Some(builder.conv(h, kernel, Activation::Identity, Some(s)));
        }
    }
    let last = builder.map(sum.unwrap_or(h), tensors.norm("out_norm", norm), relu);
    builder.output_conv(last, tensors.conv("out_conv"));
}

fn through_bottleneck(builder: &mut Builder, tensors: &ConditionerTensors<'_>, h: u8) -> u8 {
    let shape = builder.shape(h);
    let code = dense_down(builder, tensors, h);
    dense_up(builder, tensors, code, shape)
}
