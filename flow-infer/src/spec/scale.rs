//! How a coupling's raw_scale becomes log_scale, and in which order shift and scale act.

use serde::{Deserialize, Serialize};

/// log_scale as a function of raw_scale, the conditioner's first output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleMap {
    /// log_scale = bound tanh(raw_scale), with a learned bound per changed channel (the paper's).
    TanhBound,
    /// log_scale = raw_scale.
    Exp,
    /// scale = sigmoid(raw_scale + offset) + floor (openai/glow: offset 2, floor 0; nflows: 2 and 0.001).
    Sigmoid {
        /// Added to raw_scale.
        offset: f32,
        /// Added to the sigmoid.
        floor: f32,
    },
    /// log_scale = bound atan(raw_scale), with a bound per changed channel (FrEIA: 0.636 times its clamp).
    AtanBound,
    /// log_scale = bound raw_scale / (1 + |raw_scale|), with a bound per changed channel (zuko: - ln of its least slope).
    SoftsignBound,
    /// scale = 1 / sigmoid(raw_scale + offset) (normflows: `sigmoid_inv`, offset 2).
    SigmoidInverse {
        /// Added to raw_scale.
        offset: f32,
    },
    /// scale = min(softplus(raw_scale) + floor, most) (nflows: `GENERAL_SCALE_ACTIVATION`, 0.001 and 3).
    Softplus {
        /// Added to the softplus.
        floor: f32,
        /// Greatest scale.
        most: f32,
    },
}

impl ScaleMap {
    /// Whether the map has a bound for each changed channel, a tensor of the model.
    pub const fn has_bound(self) -> bool {
        matches!(
            self,
            Self::TanhBound | Self::AtanBound | Self::SoftsignBound
        )
    }
}

/// The affine map of a coupling, data to latent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AffineForm {
    /// y = (x + shift) exp(log_scale): the paper's reference code, openai/glow.
    ShiftThenScale,
    /// y = x exp(log_scale) + shift: nflows, the RealNVP paper.
    ScaleThenShift,
}
