//! From a model to the layers that the engine runs, still in floats.
//!
//! Everything that is architecture ends here: batch norm becomes gains and offsets or is folded
//! into weights, pairs of relu inputs become a flag, dense layers become convolutions as large as
//! their image. What comes out is numbers and a plan without places; [`super::pack`] finds the
//! places, [`super::quantize`] the integers.

mod autoencoder;
mod builder;
mod convolutional;
mod ratio;
mod resnet;

pub use builder::{LoweredLayer, Scaling};

use crate::model::tensors::step_prefix;
use crate::model::{Model, Tensor};
use builder::Builder;
use flow_infer::plan::{Dequantization, PlannedScale};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, InputSpec, PlacedStep, ScaleMap,
    Shape, StepSpec, View,
};

/// A flow as the engine sees it, in floats.
#[derive(Clone, Debug)]
pub struct LoweredFlow {
    /// How input becomes the first latent.
    pub input: LoweredInput,
    /// Steps in the direction data to latent.
    pub steps: Vec<LoweredStep>,
}

/// The input of a lowered flow.
#[derive(Clone, Debug)]
pub enum LoweredInput {
    /// 8-bit image.
    Image {
        /// Its shape.
        shape: Shape,
        /// Margin of the logit.
        margin: f32,
        /// Which real number stands for a byte.
        dequantization: Dequantization,
    },
    /// Standardized vector.
    Vector {
        /// Means.
        mean: Vec<f32>,
        /// Deviations, all positive.
        deviation: Vec<f32>,
    },
    /// Standardized, then whitened vector.
    Whitened {
        /// Means.
        mean: Vec<f32>,
        /// Deviations, all positive.
        deviation: Vec<f32>,
        /// Rows of W, one a coordinate.
        rows: Vec<Vec<f32>>,
    },
}

/// A step of a lowered flow.
#[derive(Clone, Debug)]
pub enum LoweredStep {
    /// y = (x + shift) exp(log_scale) per channel.
    Actnorm {
        /// What it acts on.
        view: View,
        /// Shift per channel.
        shift: Vec<f32>,
        /// Logarithm of the scale per channel.
        log_scale: Vec<f32>,
    },
    /// y = W x per pixel.
    InvertibleLinear {
        /// What it acts on.
        view: View,
        /// W, row by row.
        weights: Vec<f32>,
    },
    /// An affine coupling.
    Coupling(LoweredCoupling),
    /// A ratio net: a coupling that keeps everything, whose last layer has a target.
    Ratio(LoweredCoupling),
}

impl LoweredStep {
    /// The layers of a coupling's conditioner, or of a ratio net.
    pub fn network(&self) -> Option<&LoweredCoupling> {
        match self {
            Self::Coupling(network) | Self::Ratio(network) => Some(network),
            Self::Actnorm { .. } | Self::InvertibleLinear { .. } => None,
        }
    }
}

/// An affine coupling with its conditioner's layers.
#[derive(Clone, Debug)]
pub struct LoweredCoupling {
    /// What it acts on.
    pub view: View,
    /// Kept and changed part.
    pub mask: CouplingMask,
    /// Order of shift and scale.
    pub affine: AffineForm,
    /// The scale map's function.
    pub scale: PlannedScale,
    /// Factor of the scale map per changed channel.
    pub bound: Vec<f32>,
    /// Shapes of the activations.
    pub buffers: Vec<Shape>,
    /// Layers; the last one has no target.
    pub layers: Vec<LoweredLayer>,
}

/// A model, and how its images' bytes are read: a choice of whoever evaluates, not of the model.
#[derive(Clone, Copy, Debug)]
pub struct Source<'m> {
    /// The model.
    pub model: &'m Model,
    /// Which real number stands for a byte; without meaning for vectors.
    pub dequantization: Dequantization,
}

impl<'m> From<&'m Model> for Source<'m> {
    /// At the midpoint.
    fn from(model: &'m Model) -> Self {
        let dequantization = Dequantization::Midpoint;
        Self {
            model,
            dequantization,
        }
    }
}

/// Lowers a model.
pub fn lower<'m>(source: impl Into<Source<'m>>) -> LoweredFlow {
    let Source {
        model,
        dequantization,
    } = source.into();
    let spec = model.spec();
    let input = match spec.input {
        InputSpec::Image {
            shape,
            logit_margin,
        } => LoweredInput::Image {
            shape,
            margin: logit_margin,
            dequantization,
        },
        InputSpec::Vector { .. } => LoweredInput::Vector {
            mean: model.values("input.mean").to_vec(),
            deviation: model.values("input.deviation").to_vec(),
        },
        InputSpec::Whitened { measured, .. } => LoweredInput::Whitened {
            mean: model.values("input.mean").to_vec(),
            deviation: model.values("input.deviation").to_vec(),
            rows: model
                .values("input.whitening")
                .chunks_exact(measured.into())
                .map(<[f32]>::to_vec)
                .collect(),
        },
    };
    // It reads the first latent, which the flow's steps replace.
    let ratio = model.ratio().map(ratio::lower).into_iter();
    let flow = spec.steps();
    let flow = flow.filter_map(|placed| lower_step(model, &placed));
    let steps = ratio.chain(flow).collect();
    LoweredFlow { input, steps }
}

fn lower_step(model: &Model, placed: &PlacedStep) -> Option<LoweredStep> {
    let prefix = step_prefix(placed.level, placed.index);
    let values = |name: &str| model.values(&format!("{prefix}{name}")).to_vec();
    let view = placed.view;
    match placed.step {
        StepSpec::Squeeze => None,
        StepSpec::Actnorm => Some(LoweredStep::Actnorm {
            view,
            shift: values("shift"),
            log_scale: values("log_scale"),
        }),
        StepSpec::InvertibleLinear => Some(LoweredStep::InvertibleLinear {
            view,
            weights: values("weights"),
        }),
        StepSpec::Coupling(coupling) => Some(LoweredStep::Coupling(lower_coupling(
            model, &prefix, view, &coupling,
        ))),
    }
}

fn lower_coupling(
    model: &Model,
    prefix: &str,
    view: View,
    coupling: &CouplingSpec,
) -> LoweredCoupling {
    let changed = coupling.mask.changed_channels(view.channels()).1;
    let bound = || model.values(&format!("{prefix}log_scale_bound")).to_vec();
    let (scale, bound, raw_offset) = match coupling.scale_map {
        ScaleMap::TanhBound => (PlannedScale::Tanh, bound(), 0.0),
        ScaleMap::AtanBound => (PlannedScale::Atan, bound(), 0.0),
        ScaleMap::SoftsignBound => (PlannedScale::Softsign, bound(), 0.0),
        ScaleMap::SigmoidInverse { offset } => {
            (PlannedScale::SigmoidInverse, vec![1.0; changed], offset)
        }
        ScaleMap::Softplus { floor, most } => (
            PlannedScale::Softplus { floor, most },
            vec![1.0; changed],
            0.0,
        ),
        ScaleMap::Exp => (PlannedScale::Linear, vec![1.0; changed], 0.0),
        ScaleMap::Sigmoid { offset, floor } => {
            (PlannedScale::Sigmoid { floor }, vec![1.0; changed], offset)
        }
    };
    let source = ConditionerTensors {
        model,
        at: format!("{prefix}conditioner."),
    };
    let mut builder = Builder::new(view, coupling.mask, raw_offset);
    lower_conditioner(&mut builder, &source, &coupling.conditioner, view.shape());
    let (buffers, layers) = builder.finish();
    LoweredCoupling {
        view,
        mask: coupling.mask,
        affine: coupling.affine,
        scale,
        bound,
        buffers,
        layers,
    }
}

fn lower_conditioner(
    builder: &mut Builder,
    tensors: &ConditionerTensors<'_>,
    spec: &ConditionerSpec,
    shape: Shape,
) {
    match *spec {
        ConditionerSpec::Resnet {
            blocks,
            skip,
            norm,
            bottleneck,
            ..
        } => resnet::lower(builder, tensors, blocks, skip, norm, bottleneck),
        ConditionerSpec::Highway { layers, .. } => convolutional::highway(builder, tensors, layers),
        ConditionerSpec::Convnet { layers, .. } => convolutional::convnet(builder, tensors, layers),
        ConditionerSpec::GlowConvnet { .. } => convolutional::glow_convnet(builder, tensors),
        ConditionerSpec::Autoencoder { .. } => autoencoder::lower(builder, tensors, shape),
        ConditionerSpec::Mlp { layers, .. } => convolutional::mlp(builder, tensors, layers),
    }
}

/// Tensors of one conditioner by their short names.
struct ConditionerTensors<'m> {
    model: &'m Model,
    at: String,
}

impl ConditionerTensors<'_> {
    fn get(&self, name: &str) -> &Tensor {
        // A Model holds exactly the tensors of its spec.
        &self.model.tensors()[&format!("{}{name}", self.at)]
    }

    fn values(&self, name: &str) -> &[f32] {
        &self.get(name).values
    }
}
