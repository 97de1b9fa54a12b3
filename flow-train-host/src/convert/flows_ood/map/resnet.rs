//! The tensors of residual networks.
//!
//! Weight norm is folded; batch norm keeps its four tensors, so that its statistics can be estimated anew.

use super::Mapper;
use super::conditioner::Ends;
use crate::convert::ConvertError;
use flow_infer::spec::{ConditionerSpec, Norm, Shape};

impl Mapper<'_, '_> {
    pub(super) fn resnet(
        &mut self,
        theirs: &str,
        ours: &str,
        spec: &ConditionerSpec,
        ends: &Ends,
    ) -> Result<(), ConvertError> {
        let ConditionerSpec::Resnet {
            channels,
            blocks,
            skip,
            norm,
            bottleneck,
        } = *spec
        else {
            return Ok(());
        };
        let c = usize::from(channels);
        let at = |name: &str| (format!("{theirs}{name}"), format!("{ours}{name}"));
        let (in_norm, our_in_norm) = at("in_norm");
        self.norm(&in_norm, &our_in_norm, norm, ends.kept, ends.gain)?;
        self.normed_conv(&at("in_conv"), [c, 2 * ends.kept, 3], true)?;
        if skip {
            let skip_in = (format!("{theirs}in_skip"), format!("{ours}skip_in"));
            self.normed_conv(&skip_in, [c, c, 1], true)?;
        }
        for k in 0..blocks {
            self.block(&at(&format!("blocks.{k}.")), norm, c)?;
            if skip {
                self.normed_conv(&at(&format!("skips.{k}")), [c, c, 1], true)?;
            }
        }
        self.resnet_bottleneck(theirs, ours, bottleneck.into(), c, ends.shape)?;
        let (out_norm, our_out_norm) = at("out_norm");
        self.norm(&out_norm, &our_out_norm, norm, c, 1.0)?;
        self.normed_conv(&at("out_conv"), [ends.out, c, 1], true)
    }

    fn block(
        &mut self,
        (theirs, ours): &(String, String),
        norm: Norm,
        c: usize,
    ) -> Result<(), ConvertError> {
        for (their_half, our_half, bias) in [("in", "a", false), ("out", "b", true)] {
            let their_norm = format!("{theirs}{their_half}_norm");
            self.norm(&their_norm, &format!("{ours}norm_{our_half}"), norm, c, 1.0)?;
            let conv = (
                format!("{theirs}{their_half}_conv"),
                format!("{ours}conv_{our_half}"),
            );
            self.normed_conv(&conv, [c, c, 3], bias)?;
        }
        Ok(())
    }

    fn resnet_bottleneck(
        &mut self,
        theirs: &str,
        ours: &str,
        latent: usize,
        channels: usize,
        shape: Shape,
    ) -> Result<(), ConvertError> {
        let at = format!("{theirs}bottleneck.");
        if latent == 0 {
            // There and never reached, if the network has a single block.
            for name in ["0.weight", "0.bias", "1.weight", "1.bias"] {
                self.state.discard(&format!("{at}{name}"));
            }
            return Ok(());
        }
        let flat = [channels, shape.height.into(), shape.width.into()];
        let dense = [format!("{at}0"), format!("{at}1")];
        self.bottleneck(&dense, &format!("{ours}bottleneck."), latent, flat)
    }

    /// Batch norm, if there is any; `factor` is what the reference code multiplies its output by.
    fn norm(
        &mut self,
        theirs: &str,
        ours: &str,
        norm: Norm,
        channels: usize,
        factor: f32,
    ) -> Result<(), ConvertError> {
        if norm == Norm::None {
            return Ok(());
        }
        for (part, our_part, factor) in [
            ("weight", "gain", factor),
            ("bias", "offset", factor),
            ("running_mean", "mean", 1.0),
            ("running_var", "variance", 1.0),
        ] {
            if let Some(tensor) = self.state.take(&format!("{theirs}.{part}"), &[channels])? {
                let values = tensor.values.iter().map(|value| value * factor).collect();
                self.put(&format!("{ours}.{our_part}"), &[channels], values);
            }
        }
        // How many batches the statistics have seen, which only training needs.
        self.state.discard(&format!("{theirs}.num_batches_tracked"));
        Ok(())
    }
}
