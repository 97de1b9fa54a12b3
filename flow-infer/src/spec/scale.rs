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
