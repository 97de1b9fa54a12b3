//! Why statistics could not be estimated.

use crate::export::ExportError;
use crate::model::ModelError;
use flow_infer::engine::InputError;

/// Why batch norm's statistics could not be estimated anew.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchNormError {
    /// The model has no batch norm.
    #[error("the model has no batch norm")]
    NoBatchNorm,
    /// The model cannot be run on the data.
    #[error(transparent)]
    Run(#[from] ExportError),
    /// An input that the model does not read.
    #[error("input {index}: {error}")]
    Input {
        /// Its index.
        index: usize,
        /// What is wrong with it.
        error: InputError,
    },
    /// A batch norm whose activations are not finite on the data.
    #[error("{0}: its activations are not finite")]
    NotFinite(String),
    /// The new statistics make no model.
    #[error("{0}")]
    Model(ModelError),
}
