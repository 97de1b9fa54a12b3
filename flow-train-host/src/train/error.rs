//! Why a run cannot start or go on.

use crate::export::ExportError;
use crate::files::{WriteError, one_line};
use crate::model::ModelError;
use crate::model::store::StoreError;
use crate::nn::build::Untrainable;
use std::path::PathBuf;

/// Why training or evaluation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The spec is inconsistent.
    #[error("{0}")]
    Spec(flow_infer::spec::SpecError),
    /// The spec holds something that cannot be trained here.
    #[error("{0} cannot be trained")]
    Untrainable(&'static str),
    /// What is trained could not be written as a `.flow` file.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A setting is out of range.
    #[error("{0}")]
    Config(&'static str),
    /// The data are not what the flow reads: (what the flow reads, what the data are).
    #[error("the flow reads {0}, the data are {1}")]
    Data(String, String),
    /// The negative data are not what the flow reads: (what the flow reads, what the data are).
    #[error("the flow reads {0}, the data are {1}")]
    Negative(String, String),
    /// Too few items: there must be one to train on, and one to validate on where a share is asked for.
    #[error("{0} items are too few to train on")]
    TooFew(usize),
    /// A loss or gradient became NaN or infinite; weights before that step are in the last checkpoint.
    #[error("the {what} became NaN or infinite in epoch {epoch}, step {step}")]
    NotFinite {
        /// Epoch, counted from 1.
        epoch: u64,
        /// Step of the epoch, counted from 1.
        step: u64,
        /// Loss or gradient.
        what: &'static str,
    },
    /// The run directory already holds a run, and resuming was not asked for.
    #[error("{}: there is a run already; resume it or name another directory", one_line(.0))]
    Exists(PathBuf),
    /// Another process trains in the run directory.
    #[error("{}: in use by another run", one_line(.0))]
    InUse(PathBuf),
    /// There is no checkpoint to resume from.
    #[error("{}: there is no checkpoint to resume from", one_line(.0))]
    NothingToResume(PathBuf),
    /// The run was started with another config or other data: what differs.
    #[error("{}: the run was started with another {}", one_line(.0), .1)]
    Changed(PathBuf, &'static str),
    /// A file of the run cannot be used.
    #[error("{}: {}", one_line(.0), .1)]
    File(PathBuf, String),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A model could not be made or read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model file could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker threads could not be started.
    #[error("worker threads cannot be started: {0}")]
    Threads(String),
}

impl From<Untrainable> for TrainError {
    fn from(Untrainable(what): Untrainable) -> Self {
        Self::Untrainable(what)
    }
}
