//! The networks that a coupling's kept part goes through (the paper's st-networks).
//!
//! Output channels, always: raw_scale of every changed channel, then shift of every changed channel.

use super::{CouplingMask, Shape};
use serde::{Deserialize, Serialize};

/// Normalization inside a conditioner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// None: the default of this project, because it has no evaluation mode that could explode.
    None,
    /// Batch normalization with stored statistics, as one scale and offset per channel.
    Batch,
}

/// A conditioner's architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionerSpec {
    /// Residual network: `[norm] relu([x, -x])`, conv 3x3; blocks of `[norm] relu conv3x3 [norm] relu conv3x3 + input`;
    /// `[norm] relu`, conv 1x1. With `skip`, the output reads the sum of a 1x1 convolution of the first hidden
    /// activation and one after every block, instead of the last activation.
    Resnet {
        /// Hidden channels.
        channels: u16,
        /// Number of residual blocks.
        blocks: u8,
        /// Sum of 1x1 convolutions of every block.
        skip: bool,
        /// Normalization before each relu.
        norm: Norm,
        /// Width of a linear bottleneck (dense down, dense up, no activation) after half of the blocks; 0: none.
        bottleneck: u16,
    },
    /// conv 3x3, then layers of `h = conv3x3(x), g = sigmoid(conv3x3(x)), x = h g + x (1 - g)`, conv 1x1.
    Highway {
        /// Hidden channels.
        channels: u16,
        /// Number of gated layers.
        layers: u8,
    },
    /// Linear convolutions 3x3, then 1x1 (the reference code's `convnet`; it has no activation).
    Convnet {
        /// Hidden channels.
        channels: u16,
        /// Number of 3x3 convolutions.
        layers: u8,
    },
    /// conv 3x3, relu, conv 1x1, relu, conv 3x3 (openai/glow).
    GlowConvnet {
        /// Hidden channels.
        channels: u16,
    },
    /// Strided 4x4 convolutions, dense to `latent`, dense back, transposed convolutions, leaky relu 0.01 between.
    Autoencoder {
        /// Hidden channels of the four encoder layers.
        channels: [u16; 4],
        /// Width of the bottleneck.
        latent: u16,
    },
    /// Dense layers with relu between: kept coordinates to `hidden`, `layers` times `hidden` to `hidden`, out.
    Mlp {
        /// Hidden width.
        hidden: u16,
        /// Number of hidden to hidden layers.
        layers: u8,
    },
}

/// Kernel side of the autoencoder's convolutions.
pub(super) const AUTOENCODER_KERNEL: u16 = 4;

impl ConditionerSpec {
    /// Strides of the autoencoder's four encoder layers for an image of this width: 1, 1, q, q with q = width / 14.
    pub const fn autoencoder_strides(width: u16) -> [u16; 4] {
        let q = width / 14;
        [1, 1, q, q]
    }

    /// Sides (height, width) of the autoencoder's activations: the input, then after each encoder layer; `None` if
    /// the image is too small for it.
    pub fn autoencoder_sides(shape: Shape) -> Option<[(u16, u16); 5]> {
        let strides = Self::autoencoder_strides(shape.width);
        let mut sides = [(shape.height, shape.width); 5];
        let mut side = sides[0];
        for (next, &stride) in sides.iter_mut().skip(1).zip(&strides) {
            let height = side
                .0
                .checked_sub(AUTOENCODER_KERNEL)?
                .checked_div(stride)?
                + 1;
            let width = side
                .1
                .checked_sub(AUTOENCODER_KERNEL)?
                .checked_div(stride)?
                + 1;
            side = (height, width);
            *next = side;
        }
        Some(sides)
    }

    /// Whether the network can be built for couplings with this mask at this size.
    pub fn fits(&self, mask: CouplingMask, shape: Shape) -> bool {
        match *self {
            Self::Resnet { channels, .. } | Self::GlowConvnet { channels } => channels > 0,
            Self::Highway { channels, .. } => channels > 0,
            Self::Convnet { channels, layers } => channels > 0 && layers > 0,
            Self::Autoencoder { channels, latent } => {
                latent > 0
                    && channels.iter().all(|&c| c > 0)
                    && Self::autoencoder_sides(shape).is_some()
            }
            Self::Mlp { hidden, .. } => hidden > 0 && !mask.is_spatial() && shape.pixels() == 1,
        }
    }
}
