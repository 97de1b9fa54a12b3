//! What lies between a sensor and a model, as configurations and models carry it.

use crate::windows::WindowSpec;
use flow_infer::front_end::Reduction;
use serde::{Deserialize, Serialize};

/// How frames, pictures or samples become a model's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrontEnd {
    /// Frames of a camera, or pictures.
    Frames(Reduction),
    /// Windows of a sensor's samples.
    Windows(WindowSpec),
}

impl FrontEnd {
    /// How pictures become inputs, if they do.
    pub fn reduction(&self) -> Option<Reduction> {
        match self {
            Self::Frames(reduction) => Some(*reduction),
            Self::Windows(_) => None,
        }
    }

    /// How samples become inputs, if they do.
    pub fn windows(&self) -> Option<&WindowSpec> {
        match self {
            Self::Frames(_) => None,
            Self::Windows(windows) => Some(windows),
        }
    }
}
