//! The tensors of the conditioners.
//!
//! PyTorch's dense layers are out x in over activations flattened as C, H, W, which is our layout of a bottleneck's `down`;
//! `up` is the transpose.

use super::Mapper;
use crate::convert::ConvertError;
use flow_infer::spec::{ConditionerSpec, Shape};

/// What a conditioner is between.
pub(super) struct Ends {
    /// Channels that it reads.
    pub(super) kept: usize,
    /// Channels that it gives.
    pub(super) out: usize,
    /// The view of the coupling.
    pub(super) shape: Shape,
    /// Factor after the input norm.
    pub(super) gain: f32,
}

impl Mapper<'_, '_> {
    pub(super) fn conditioner(
        &mut self,
        theirs: &str,
        ours: &str,
        spec: &ConditionerSpec,
        ends: &Ends,
    ) -> Result<(), ConvertError> {
        match *spec {
            ConditionerSpec::Resnet { .. } => self.resnet(theirs, ours, spec, ends),
            ConditionerSpec::Highway { channels, layers } => {
                self.highway(theirs, ours, channels.into(), layers, ends)
            }
            ConditionerSpec::Convnet { channels, layers } => {
                self.convnet(theirs, ours, channels.into(), layers, ends)
            }
            ConditionerSpec::GlowConvnet { channels } => {
                self.glow_convnet(theirs, ours, channels.into(), ends)
            }
            ConditionerSpec::Autoencoder { channels, latent } => {
                self.autoencoder(theirs, ours, channels.map(usize::from), latent.into(), ends)
            }
            // Of vectors only, and mapped by `tabular`.
            ConditionerSpec::Mlp { .. } => Ok(()),
        }
    }

    /// Dense down and up. `flat` is channels, height and width of the activations.
    pub(super) fn bottleneck(
        &mut self,
        [down, up]: &[String; 2],
        ours: &str,
        latent: usize,
        flat: [usize; 3],
    ) -> Result<(), ConvertError> {
        let len: usize = flat.iter().product();
        let shape = [latent, flat[0], flat[1], flat[2]];
        let key = |name: &str, part: &str| format!("{name}.{part}");
        self.shaped(
            &key(down, "weight"),
            &[latent, len],
            &format!("{ours}down.weights"),
            &shape,
        )?;
        self.plain(&key(down, "bias"), &format!("{ours}down.bias"), &[latent])?;
        if let Some(weights) = self.state.take(&key(up, "weight"), &[len, latent])? {
            let values = transposed(&weights.values, latent);
            self.put(&format!("{ours}up.weights"), &shape, values);
        }
        self.shaped(&key(up, "bias"), &[len], &format!("{ours}up.bias"), &flat)
    }

    fn highway(
        &mut self,
        theirs: &str,
        ours: &str,
        c: usize,
        layers: u8,
        ends: &Ends,
    ) -> Result<(), ConvertError> {
        let at = |name: &str| format!("{theirs}{name}");
        self.conv(
            &at("in_conv.conv"),
            &format!("{ours}in_conv"),
            [c, ends.kept, 3],
        )?;
        for k in 0..layers {
            let layer = at(&format!("layers.{k}."));
            let ours = format!("{ours}layers.{k}.");
            self.conv(
                &format!("{layer}conv_h.conv"),
                &format!("{ours}hidden"),
                [c, c, 3],
            )?;
            self.conv(
                &format!("{layer}conv_t.conv"),
                &format!("{ours}gate"),
                [c, c, 3],
            )?;
        }
        self.conv(
            &at("out_conv.conv"),
            &format!("{ours}out_conv"),
            [ends.out, c, 1],
        )
    }

    fn convnet(
        &mut self,
        theirs: &str,
        ours: &str,
        c: usize,
        layers: u8,
        ends: &Ends,
    ) -> Result<(), ConvertError> {
        for k in 0..layers {
            let layer = (format!("{theirs}layers.{k}"), format!("{ours}layers.{k}"));
            let input = if k == 0 { ends.kept } else { c };
            self.normed_conv(&layer, [c, input, 3], true)?;
        }
        let last = (
            format!("{theirs}layers.{layers}"),
            format!("{ours}out_conv"),
        );
        self.normed_conv(&last, [ends.out, c, 1], true)
    }

    fn glow_convnet(
        &mut self,
        theirs: &str,
        ours: &str,
        c: usize,
        ends: &Ends,
    ) -> Result<(), ConvertError> {
        let layers = [
            ("0.conv", "in_conv", [c, ends.kept, 3]),
            ("2.conv", "mid_conv", [c, c, 1]),
            ("4.conv", "out_conv", [ends.out, c, 3]),
        ];
        layers.into_iter().try_for_each(|(name, our_name, sizes)| {
            self.conv(
                &format!("{theirs}{name}"),
                &format!("{ours}{our_name}"),
                sizes,
            )
        })
    }

    fn autoencoder(
        &mut self,
        theirs: &str,
        ours: &str,
        [c0, c1, c2, c3]: [usize; 4],
        latent: usize,
        ends: &Ends,
    ) -> Result<(), ConvertError> {
        let encoder = [(ends.kept, c0), (c0, c1), (c1, c2), (c2, c3)];
        for (k, (input, output)) in encoder.into_iter().enumerate() {
            let layer = format!("{theirs}encoder.{k}.0");
            self.conv(&layer, &format!("{ours}encoder.{k}"), [output, input, 4])?;
        }
        let sides = ConditionerSpec::autoencoder_sides(ends.shape).unwrap_or_default();
        let flat = [c3, sides[4].0.into(), sides[4].1.into()];
        let dense = [format!("{theirs}fc_z"), format!("{theirs}decoder_input")];
        self.bottleneck(&dense, &format!("{ours}bottleneck."), latent, flat)?;
        let decoder = [(c3, c2), (c2, c1), (c1, c0), (c0, ends.out)];
        for (k, (input, output)) in decoder.into_iter().enumerate() {
            let (layer, ours) = (
                format!("{theirs}decoder.{k}.0"),
                format!("{ours}decoder.{k}"),
            );
            let shape = [input, output, 4, 4];
            self.plain(
                &format!("{layer}.weight"),
                &format!("{ours}.weights"),
                &shape,
            )?;
            self.plain(&format!("{layer}.bias"), &format!("{ours}.bias"), &[output])?;
        }
        Ok(())
    }

    /// A convolution with weights and bias; `sizes` are outputs, inputs and kernel side.
    fn conv(&mut self, theirs: &str, ours: &str, sizes: [usize; 3]) -> Result<(), ConvertError> {
        let [output, input, side] = sizes;
        let shape = [output, input, side, side];
        self.plain(
            &format!("{theirs}.weight"),
            &format!("{ours}.weights"),
            &shape,
        )?;
        self.plain(
            &format!("{theirs}.bias"),
            &format!("{ours}.bias"),
            &[output],
        )
    }

    /// A weight-normed convolution under `.conv`; without a bias ours is zero.
    pub(super) fn normed_conv(
        &mut self,
        (theirs, ours): &(String, String),
        [output, input, side]: [usize; 3],
        bias: bool,
    ) -> Result<(), ConvertError> {
        let shape = [output, input, side, side];
        if let Some(weights) = self.normed(&format!("{theirs}.conv"), &shape)? {
            self.put(&format!("{ours}.weights"), &shape, weights);
        }
        let our_bias = format!("{ours}.bias");
        if bias {
            return self.plain(&format!("{theirs}.conv.bias"), &our_bias, &[output]);
        }
        self.put(&our_bias, &[output], vec![0.0; output]);
        Ok(())
    }
}

/// The transpose of a matrix of this many columns.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| values.iter().skip(column).step_by(columns.max(1)).copied())
        .collect()
}
