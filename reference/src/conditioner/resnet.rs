//! `resnet`: residual blocks of two 3 x 3 convolutions, with skip sums, batch norm or a bottleneck by choice.

use crate::{Array, Parameters, ops};
use flow_infer::spec::Norm;

pub(super) struct Resnet {
    pub(super) blocks: usize,
    pub(super) skip: bool,
    pub(super) norm: Norm,
    pub(super) has_bottleneck: bool,
}

impl Resnet {
    /// a = relu([n(x), -n(x)]), h = conv3x3(a); h ← block(h) for every block, with the bottleneck after half of them;
    /// out = conv1x1(relu(out_norm(s))), where s is h, or with `skip` the sum over conv1x1 of h before the first block
    /// and of h after each. A skip reads h before the bottleneck does.
    pub(super) fn outputs(&self, at: &Parameters<'_>, x: &Array) -> Array {
        let n = self.norm(at, "in_norm", x);
        let a = ops::relu(&n.then_channels(&n.map(|v| -v)));
        let mut h = ops::conv2d_same(&a, &at.layer("in_conv"));
        let mut sum = self
            .skip
            .then(|| ops::conv2d_same(&h, &at.layer("skip_in")));
        h = self.bottleneck_after(0, at, h);
        for k in 0..self.blocks {
            h = self.block(&at.under(&format!("blocks.{k}")), &h);
            sum = sum.map(|s| s.plus(&ops::conv2d_same(&h, &at.layer(&format!("skips.{k}")))));
            h = self.bottleneck_after(k + 1, at, h);
        }
        let s = self.norm(at, "out_norm", &sum.unwrap_or(h));
        ops::conv2d_same(&ops::relu(&s), &at.layer("out_conv"))
    }

    /// h + conv3x3(relu(norm_b(conv3x3(relu(norm_a(h)))))).
    fn block(&self, at: &Parameters<'_>, h: &Array) -> Array {
        let a = ops::relu(&self.norm(at, "norm_a", h));
        let a = ops::conv2d_same(&a, &at.layer("conv_a"));
        let b = ops::relu(&self.norm(at, "norm_b", &a));
        h.plus(&ops::conv2d_same(&b, &at.layer("conv_b")))
    }

    fn bottleneck_after(&self, blocks_done: usize, at: &Parameters<'_>, h: Array) -> Array {
        if self.has_bottleneck && blocks_done == self.blocks / 2 {
            ops::bottleneck(&h, &at.under("bottleneck"))
        } else {
            h
        }
    }

    fn norm(&self, at: &Parameters<'_>, name: &str, h: &Array) -> Array {
        match self.norm {
            Norm::None => h.clone(),
            Norm::Batch => ops::batch_norm(h, &at.under(name)),
        }
    }
}
