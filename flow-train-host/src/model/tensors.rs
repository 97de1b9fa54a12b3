//! The tensors of a model: which names and shapes a spec asks for.
//!
//! One list, read by the trainer (to initialize), the importers (to check), the lowering (to fetch) and the f64
//! reference: a model is a [`FlowSpec`] and exactly these tensors. Convolution weights are out x in x height x width,
//! transposed ones in x out x height x width (PyTorch's layouts), so that imported numbers stay where they were.

use flow_infer::spec::{
    ConditionerSpec, CouplingSpec, FlowSpec, InputSpec, Norm, PlacedStep, Shape, StepSpec,
};

/// Name and shape of one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Dotted name, e.g. `levels.0.steps.3.conditioner.in_conv.weights`.
    pub name: String,
    /// Size along each axis.
    pub shape: Vec<usize>,
}

/// Name prefix of a step's tensors, with the dot.
pub fn step_prefix(level: usize, index: usize) -> String {
    format!("levels.{level}.steps.{index}.")
}

/// Every tensor of a model with this spec, in the order of the walk from data to latent.
pub fn tensor_list(spec: &FlowSpec) -> Vec<TensorSpec> {
    let mut list = TensorList::default();
    match spec.input {
        InputSpec::Image { .. } => {}
        InputSpec::Vector { dims } => list.standardization(dims),
        InputSpec::Whitened { measured, dims } => {
            list.standardization(measured);
            list.add("input.whitening", &[dims, measured]);
        }
    }
    for step in spec.steps() {
        list.step(&step);
    }
    list.0
}

#[derive(Default)]
struct TensorList(Vec<TensorSpec>);

impl TensorList {
    fn add(&mut self, name: &str, shape: &[u16]) {
        let shape = shape.iter().map(|&n| usize::from(n)).collect();
        self.0.push(TensorSpec {
            name: name.to_owned(),
            shape,
        });
    }

    fn standardization(&mut self, measured: u16) {
        self.add("input.mean", &[measured]);
        self.add("input.deviation", &[measured]);
    }

    fn layer(&mut self, name: &str, weights: &[u16], out: u16) {
        self.add(&format!("{name}.weights"), weights);
        self.add(&format!("{name}.bias"), &[out]);
    }

    fn conv(&mut self, name: &str, input: u16, out: u16, side: u16) {
        self.layer(name, &[out, input, side, side], out);
    }

    fn norm(&mut self, name: &str, norm: Norm, channels: u16) {
        if norm == Norm::Batch {
            for part in ["gain", "offset", "mean", "variance"] {
                self.add(&format!("{name}.{part}"), &[channels]);
            }
        }
    }

    fn step(&mut self, placed: &PlacedStep) {
        let prefix = step_prefix(placed.level, placed.index);
        let shape = placed.view.shape();
        let channels = shape.channels;
        match &placed.step {
            StepSpec::Squeeze => {}
            StepSpec::Actnorm => {
                self.add(&format!("{prefix}shift"), &[channels]);
                self.add(&format!("{prefix}log_scale"), &[channels]);
            }
            StepSpec::InvertibleLinear => {
                self.add(&format!("{prefix}weights"), &[channels, channels]);
            }
            StepSpec::Coupling(coupling) => self.coupling(&prefix, coupling, shape),
        }
    }

    fn coupling(&mut self, prefix: &str, coupling: &CouplingSpec, shape: Shape) {
        let channels = usize::from(shape.channels);
        let kept = coupling.mask.kept_channels(channels).1 as u16;
        let changed = coupling.mask.changed_channels(channels).1 as u16;
        if coupling.scale_map.has_bound() {
            self.add(&format!("{prefix}log_scale_bound"), &[changed]);
        }
        let at = format!("{prefix}conditioner.");
        self.conditioner(&at, &coupling.conditioner, kept, 2 * changed, shape);
    }

    fn conditioner(&mut self, at: &str, spec: &ConditionerSpec, kept: u16, out: u16, shape: Shape) {
        match *spec {
            ConditionerSpec::Resnet { .. } => self.resnet(at, spec, kept, out, shape),
            ConditionerSpec::Highway { channels, layers } => {
                self.conv(&format!("{at}in_conv"), kept, channels, 3);
                for k in 0..layers {
                    self.conv(&format!("{at}layers.{k}.hidden"), channels, channels, 3);
                    self.conv(&format!("{at}layers.{k}.gate"), channels, channels, 3);
                }
                self.conv(&format!("{at}out_conv"), channels, out, 1);
            }
            ConditionerSpec::Convnet { channels, layers } => {
                for k in 0..layers {
                    let input = if k == 0 { kept } else { channels };
                    self.conv(&format!("{at}layers.{k}"), input, channels, 3);
                }
                self.conv(&format!("{at}out_conv"), channels, out, 1);
            }
            ConditionerSpec::GlowConvnet { channels } => {
                self.conv(&format!("{at}in_conv"), kept, channels, 3);
                self.conv(&format!("{at}mid_conv"), channels, channels, 1);
                self.conv(&format!("{at}out_conv"), channels, out, 3);
            }
            ConditionerSpec::Autoencoder { channels, latent } => {
                self.autoencoder(at, channels, latent, kept, out, shape);
            }
            ConditionerSpec::Mlp { hidden, layers } => {
                self.layer(&format!("{at}in_layer"), &[hidden, kept], hidden);
                for k in 0..layers {
                    self.layer(&format!("{at}layers.{k}"), &[hidden, hidden], hidden);
                }
                self.layer(&format!("{at}out_layer"), &[out, hidden], out);
            }
        }
    }

    fn resnet(&mut self, at: &str, spec: &ConditionerSpec, kept: u16, out: u16, shape: Shape) {
        let ConditionerSpec::Resnet {
            channels,
            blocks,
            skip,
            norm,
            bottleneck,
        } = *spec
        else {
            return;
        };
        self.norm(&format!("{at}in_norm"), norm, kept);
        self.conv(&format!("{at}in_conv"), 2 * kept, channels, 3);
        if skip {
            self.conv(&format!("{at}skip_in"), channels, channels, 1);
        }
        for k in 0..blocks {
            self.norm(&format!("{at}blocks.{k}.norm_a"), norm, channels);
            self.conv(&format!("{at}blocks.{k}.conv_a"), channels, channels, 3);
            self.norm(&format!("{at}blocks.{k}.norm_b"), norm, channels);
            self.conv(&format!("{at}blocks.{k}.conv_b"), channels, channels, 3);
            if skip {
                self.conv(&format!("{at}skips.{k}"), channels, channels, 1);
            }
        }
        if bottleneck > 0 {
            let flat = [channels, shape.height, shape.width];
            self.layer(
                &format!("{at}bottleneck.down"),
                &[bottleneck, flat[0], flat[1], flat[2]],
                bottleneck,
            );
            // The bias of `up` has one entry per position, like the layer it stands for.
            self.add(
                &format!("{at}bottleneck.up.weights"),
                &[bottleneck, flat[0], flat[1], flat[2]],
            );
            self.add(&format!("{at}bottleneck.up.bias"), &flat);
        }
        self.norm(&format!("{at}out_norm"), norm, channels);
        self.conv(&format!("{at}out_conv"), channels, out, 1);
    }

    fn autoencoder(
        &mut self,
        at: &str,
        channels: [u16; 4],
        latent: u16,
        kept: u16,
        out: u16,
        shape: Shape,
    ) {
        let Some(sides) = ConditionerSpec::autoencoder_sides(shape) else {
            return;
        };
        let (height, width) = sides[4];
        let [c0, c1, c2, c3] = channels;
        for (k, (input, output)) in [(kept, c0), (c0, c1), (c1, c2), (c2, c3)]
            .into_iter()
            .enumerate()
        {
            self.conv(&format!("{at}encoder.{k}"), input, output, 4);
        }
        self.layer(
            &format!("{at}bottleneck.down"),
            &[latent, c3, height, width],
            latent,
        );
        self.add(
            &format!("{at}bottleneck.up.weights"),
            &[latent, c3, height, width],
        );
        self.add(&format!("{at}bottleneck.up.bias"), &[c3, height, width]);
        for (k, (input, output)) in [(c3, c2), (c2, c1), (c1, c0), (c0, out)]
            .into_iter()
            .enumerate()
        {
            self.layer(&format!("{at}decoder.{k}"), &[input, output, 4, 4], output);
        }
    }
}
