//! Where a model comes from, as the file carries it.

use serde::{Deserialize, Serialize};

/// Provenance of a `.flow` file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name and version of the tool that wrote the file.
    pub tool: String,
    /// Commit of the repository, if known.
    pub commit: String,
    /// The data the model was trained on, with its size.
    pub data: String,
    /// Seed of the training.
    pub seed: u64,
    /// What was done to the model, one line a step: trained, converted, exported, calibrated.
    pub history: Vec<String>,
}

impl Provenance {
    /// Decodes the section; an absent one is empty.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        postcard::from_bytes(bytes).ok()
    }
}
