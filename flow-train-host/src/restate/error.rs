//! Why statistics could not be estimated.

use crate::export::ExportError;
use crate::model::ModelError;
use flow_infer::engine::InputError;

/// Why batch norm's statistics could not be estimated anew.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RestateError {
    /// The model has no batch norm.
    NoBatchNorm,
    /// The model cannot be run on the data.
    Run(ExportError),
    /// An input that the model does not read.
    Input {
        /// Its index.
        index: usize,
        /// What is wrong with it.
        error: InputError,
    },
    /// A batch norm whose activations are not finite on the data.
    NotFinite(String),
    /// The new statistics make no model.
    Model(ModelError),
}

impl std::fmt::Display for RestateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoBatchNorm => f.write_str("the model has no batch norm"),
            Self::Run(error) => write!(f, "{error}"),
            Self::Input { index, error } => write!(f, "input {index}: {error}"),
            Self::NotFinite(name) => write!(f, "{name}: its activations are not finite"),
            Self::Model(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for RestateError {}

impl From<ExportError> for RestateError {
    fn from(error: ExportError) -> Self {
        Self::Run(error)
    }
}
