//! What the engine executes: steps over views, and for each coupling the layers of its conditioner.
//!
//! The spec says which architecture a flow has; the plan says how a board runs it: batch norm folded, tensors by
//! offset, every activation in a ring of rows whose length and place the host has chosen. Six kinds of layers cover
//! every conditioner of the paper (dense layers are convolutions of one pixel, or as large as the image), so a new
//! architecture is a new lowering on the host and costs the board nothing.
//!
//! A plan is read from flash step by step (postcard), so its size never meets the board's RAM: one coupling at a time
//! is decoded, under 2 KiB.

mod conditioner;
mod error;
mod geometry;
pub(crate) mod parts;
mod records;
mod schedule;
mod sizes;
mod steps;
mod validate;

pub(crate) use conditioner::check_schedule;
pub use conditioner::lowest_needed;
pub use error::PlanError;
pub use geometry::MAX_REACHING;
#[cfg(test)]
pub(crate) use records::check_table;
pub(crate) use records::{ACTIVATION_LIMIT, IMAGE_TABLE_BYTES, MANTISSA_BITS, MEASUREMENT_LIMIT};
pub use records::{
    IMAGE_TABLE_ENTRIES, MAX_LINEAR_CHANNELS, TABLE_ENTRIES, TABLE_REACH, TABLE_STEPS_PER_UNIT,
};
pub use schedule::{Event, Schedule};
pub use steps::Steps;
pub(crate) use steps::{Reader, read_list, take};
pub(crate) use validate::validate_head;
pub use validate::{ScratchNeed, validate_step};

use crate::spec::{AffineForm, CouplingMask, Parity, Shape, View};
use heapless::Vec;
use serde::{Deserialize, Serialize};

/// Most layers of one conditioner: a residual network of ten blocks with skip sums has 45.
pub const MAX_LAYERS: usize = 48;
/// Most buffers of one conditioner.
pub const MAX_BUFFERS: usize = 48;
/// Channels are padded to this multiple wherever they are multiplied, so that kernels have no tails.
pub const LANES: usize = 4;

/// n rounded up to whole lanes.
pub const fn lanes(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

/// How the numbers of a flow are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "snake_case")]
pub enum NumberFormat {
    /// 8-bit weights, 16-bit activations, 32-bit latents: integers only.
    Q8,
    /// 32-bit floats.
    F32,
    /// Weights as 16-bit floats, everything else 32-bit floats.
    F16,
}

/// Head of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHead {
    /// How input becomes the first latent.
    pub input: PlannedInput,
    /// Number of steps that follow.
    pub steps: u16,
    /// Every term of log_prob that does not depend on the input, in units of 2^-24 nats: the prior's constant,
    /// log_det of actnorm, invertible_linear and standardization, - D ln 256 and D ln (1 - 2 margin) of images.
    pub constant_raw: i64,
    /// Offset of the interpolation table of the scale map; [`NO_TENSOR`] when every coupling's map is linear, and in
    /// float formats.
    pub scale_table: u32,
    /// Offset of the interpolation table of the sigmoid, for gates; [`NO_TENSOR`] likewise.
    pub sigmoid_table: u32,
}

/// Stands for "no tensor" in an offset.
pub const NO_TENSOR: u32 = u32::MAX;

/// How input becomes the first latent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlannedInput {
    /// 8-bit image: a table of latents and log_dets, and the margin for other noise.
    Image {
        /// Its shape.
        shape: Shape,
        /// Offset of the table.
        table: u32,
        /// Logit margin, for noise on the float path.
        margin: f32,
        /// Which real number of [x, x + 1) stands for a byte x.
        dequantization: Dequantization,
    },
    /// Vector of f32: per coordinate a standardization record.
    Vector {
        /// Number of coordinates.
        dims: u16,
        /// Offset of the records.
        records: u32,
    },
    /// The same with a linear map behind it that has a row for each coordinate.
    Whitened {
        /// Number of measurements.
        measured: u16,
        /// Number of coordinates, at most as many.
        dims: u16,
        /// Offset of the standardization records, one a measurement.
        records: u32,
        /// Offset of the rows.
        rows: u32,
    },
}

/// Which real number x + u stands for a byte x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Dequantization {
    /// u = 1/2.
    #[default]
    Midpoint,
    /// u from a generator keyed by seed, draw and image; log_prob is averaged over the draws.
    Drawn {
        /// Number of draws, at least 1: each costs an evaluation.
        draws: u8,
        /// Seed.
        seed: u32,
    },
}

impl PlannedInput {
    /// Evaluations of an input that are averaged.
    pub const fn draws(&self) -> u8 {
        match self {
            Self::Image {
                dequantization: Dequantization::Drawn { draws, .. },
                ..
            } => *draws,
            _ => 1,
        }
    }

    /// Shape of the latent.
    pub const fn shape(&self) -> Shape {
        match *self {
            Self::Image { shape, .. } => shape,
            Self::Vector { dims, .. } | Self::Whitened { dims, .. } => Shape::new(dims, 1, 1),
        }
    }

    /// Elements of the latent scratch: the latent, and the standardized measurements in front of a whitening.
    pub const fn latents(&self) -> usize {
        match *self {
            Self::Whitened { measured, dims, .. } => dims as usize + measured as usize,
            Self::Image { .. } | Self::Vector { .. } => self.shape().len(),
        }
    }

    /// Number of bytes of one input: one for each coordinate of an image, four for each measurement of a vector.
    pub const fn byte_len(&self) -> usize {
        match self {
            Self::Image { shape, .. } => shape.len(),
            Self::Vector { dims, .. } => *dims as usize * 4,
            Self::Whitened { measured, .. } => *measured as usize * 4,
        }
    }
}

/// A step of a plan, its coupling owned or borrowed; squeeze and factor_out have become views.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Step<C = Coupling> {
    /// Per channel y = (x + shift) scale.
    Actnorm {
        /// What it acts on.
        view: View,
        /// Offset of one record a channel.
        records: u32,
    },
    /// Per pixel y = W x.
    InvertibleLinear {
        /// What it acts on.
        view: View,
        /// Offset of W, row by row.
        weights: u32,
    },
    /// An affine coupling.
    Coupling(C),
    /// A ratio net: layers that read the latent and change nothing. What their last one gives is ln of how much likelier the
    /// input is among benign ones than among negatives, and no part of log_prob.
    Ratio(C),
}

impl<C> Step<C> {
    /// Whether it gives every value of the input a mean and a deviation of its own: an actnorm of one pixel.
    pub fn standardizes(&self) -> bool {
        matches!(self, Self::Actnorm { view, .. } if view.shape().pixels() == 1)
    }

    /// The layers of a coupling's conditioner, or of a ratio net.
    pub fn network(&self) -> Option<&C> {
        match self {
            Self::Coupling(network) | Self::Ratio(network) => Some(network),
            Self::Actnorm { .. } | Self::InvertibleLinear { .. } => None,
        }
    }

    /// The same, taken out of the step.
    pub fn into_network(self) -> Option<C> {
        match self {
            Self::Coupling(network) | Self::Ratio(network) => Some(network),
            Self::Actnorm { .. } | Self::InvertibleLinear { .. } => None,
        }
    }
}

impl Step<&Coupling> {
    /// The same with a coupling of its own.
    pub fn cloned(&self) -> Step {
        match *self {
            Self::Actnorm { view, records } => Step::Actnorm { view, records },
            Self::InvertibleLinear { view, weights } => Step::InvertibleLinear { view, weights },
            Self::Coupling(coupling) => Step::Coupling(coupling.clone()),
            Self::Ratio(network) => Step::Ratio(network.clone()),
        }
    }
}

impl Step {
    /// The same, borrowed.
    pub const fn borrowed(&self) -> Step<&Coupling> {
        match *self {
            Self::Actnorm { view, records } => Step::Actnorm { view, records },
            Self::InvertibleLinear { view, weights } => Step::InvertibleLinear { view, weights },
            Self::Coupling(ref coupling) => Step::Coupling(coupling),
            Self::Ratio(ref network) => Step::Ratio(network),
        }
    }
}

/// An affine coupling and the layers of its conditioner; or a ratio net, whose mask keeps [everything](CouplingMask::Whole).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coupling {
    /// What it acts on.
    pub view: View,
    /// Which part is kept and which changed.
    pub mask: CouplingMask,
    /// Order of shift and scale.
    pub affine: AffineForm,
    /// How raw_scale becomes log_scale.
    pub scale: PlannedScale,
    /// Offset of one bound (the factor of the scale map, in units of the log_scale grid) a changed channel; of a ratio
    /// net, of the nats that one of its last activation stands for.
    pub bounds: u32,
    /// Activation buffers, in ascending places of the scratch.
    pub buffers: Vec<Buffer, MAX_BUFFERS>,
    /// Layers in order; the last one feeds the coupling, or is the ratio.
    pub layers: Vec<Layer, MAX_LAYERS>,
}

impl Coupling {
    /// A coupling of nothing: room for those of a plan.
    pub const fn empty() -> Self {
        Self {
            view: View::whole(Shape::new(0, 0, 0)),
            mask: CouplingMask::Checkerboard { kept: Parity::Even },
            affine: AffineForm::ShiftThenScale,
            scale: PlannedScale::Linear,
            bounds: 0,
            buffers: Vec::new(),
            layers: Vec::new(),
        }
    }
}

/// log_scale = bound t(raw_scale): what t is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlannedScale {
    /// t(r) = tanh r.
    Tanh,
    /// t(r) = r.
    Linear,
    /// t(r) = ln (sigmoid(r) + floor); the offset is part of the last layer's bias.
    Sigmoid {
        /// Added to the sigmoid.
        floor: f32,
    },
    /// t(r) = atan r.
    Atan,
    /// t(r) = r / (1 + |r|).
    Softsign,
    /// t(r) = -ln sigmoid(r); the offset is part of the last layer's bias.
    SigmoidInverse,
    /// t(r) = ln min(softplus(r) + floor, most).
    Softplus {
        /// Added to the softplus.
        floor: f32,
        /// Greatest scale.
        most: f32,
    },
}

/// A ring of activation rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    /// Channels, height and width of the whole activation.
    pub shape: Shape,
    /// Zero columns on each side of a row.
    pub margin: u8,
    /// Rows that are there at a time.
    pub rows: u16,
    /// First element in the activation scratch.
    pub offset: u32,
}

/// One layer of a conditioner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What it computes.
    pub kind: LayerKind,
    /// Buffer it reads; ignored by `Input`.
    pub source: u8,
    /// Buffer it writes; `None` for a conditioner's last layer, which feeds the coupling.
    pub target: Option<u8>,
    /// Buffer whose same row is added after the activation.
    pub residual: Option<u8>,
    /// Applied before the residual.
    pub activation: Activation,
    /// Offset of the weights.
    pub weights: u32,
    /// Offset of one record an output channel.
    pub records: u32,
}

/// Elementwise activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// None.
    Identity,
    /// max(a, 0).
    Relu,
    /// a above zero, 0.01 a below.
    LeakyRelu,
}

/// What a layer computes, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LayerKind {
    /// Reads the kept part of the latent, everything else as zero; per channel gain and offset. With `pair` the
    /// channels are followed by their negatives (also of the offset).
    Input {
        /// Whether [a, -a] is written.
        pair: bool,
    },
    /// Convolution.
    Conv(Window),
    /// Transposed convolution.
    ConvTransposed(Window),
    /// Per channel gain and offset, if there is a record; then the activation.
    Map,
    /// source sigmoid(gate) + carry (1 - sigmoid(gate)).
    Gate {
        /// Buffer of the gate before the sigmoid.
        gate: u8,
        /// Buffer that is carried where the gate is shut.
        carry: u8,
    },
}

/// Size and movement of a convolution's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Rows of the kernel.
    pub height: u16,
    /// Columns of the kernel.
    pub width: u16,
    /// Distance between windows.
    pub stride: u8,
    /// Zero rows and columns around the input.
    pub pad: u8,
}
