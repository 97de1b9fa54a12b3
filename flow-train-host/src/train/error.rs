//! Why a run cannot start or go on.

use crate::files::{WriteError, one_line};
use crate::model::ModelError;
use crate::model::store::StoreError;
use crate::nn::build::Untrainable;
use std::fmt;
use std::path::PathBuf;

/// Why training or evaluation stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainError {
    /// The spec is inconsistent.
    Spec(flow_infer::spec::SpecError),
    /// The spec holds something that cannot be trained here.
    Untrainable(&'static str),
    /// A setting is out of range.
    Config(&'static str),
    /// The data are not what the flow reads: (what the flow reads, what the data are).
    Data(String, String),
    /// The negative data are not what the flow reads: (what the flow reads, what the data are).
    Negative(String, String),
    /// Too few items: there must be one to train on, and one to validate on where a share is asked for.
    TooFew(usize),
    /// A loss or gradient became NaN or infinite; weights before that step are in the last checkpoint.
    NotFinite {
        /// Epoch, counted from 1.
        epoch: u64,
        /// Step of the epoch, counted from 1.
        step: u64,
        /// Loss or gradient.
        what: &'static str,
    },
    /// The run directory already holds a run, and resuming was not asked for.
    Exists(PathBuf),
    /// Another process trains in the run directory.
    InUse(PathBuf),
    /// There is no checkpoint to resume from.
    NothingToResume(PathBuf),
    /// The run was started with another config or other data: what differs.
    Changed(PathBuf, &'static str),
    /// A file of the run cannot be used.
    File(PathBuf, String),
    /// A file could not be written.
    Write(WriteError),
    /// A model could not be made or read.
    Model(ModelError),
    /// A model file could not be read or written.
    Store(StoreError),
    /// The worker threads could not be started.
    Threads(String),
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(e) => write!(f, "{e}"),
            Self::Untrainable(what) => write!(f, "{what} cannot be trained"),
            Self::Config(what) => f.write_str(what),
            Self::Data(wanted, found) | Self::Negative(wanted, found) => {
                write!(f, "the flow reads {wanted}, the data are {found}")
            }
            Self::TooFew(count) => write!(f, "{count} items are too few to train on"),
            Self::NotFinite { epoch, step, what } => {
                write!(
                    f,
                    "the {what} became NaN or infinite in epoch {epoch}, step {step}"
                )
            }
            Self::Exists(path) => write!(
                f,
                "{}: there is a run already; resume it or name another directory",
                one_line(path)
            ),
            Self::InUse(path) => write!(f, "{}: in use by another run", one_line(path)),
            Self::NothingToResume(path) => {
                write!(
                    f,
                    "{}: there is no checkpoint to resume from",
                    one_line(path)
                )
            }
            Self::Changed(path, what) => {
                write!(
                    f,
                    "{}: the run was started with another {what}",
                    one_line(path)
                )
            }
            Self::File(path, problem) => write!(f, "{}: {problem}", one_line(path)),
            Self::Write(e) => write!(f, "{e}"),
            Self::Model(e) => write!(f, "{e}"),
            Self::Store(e) => write!(f, "{e}"),
            Self::Threads(e) => write!(f, "worker threads cannot be started: {e}"),
        }
    }
}

impl std::error::Error for TrainError {}

impl From<WriteError> for TrainError {
    fn from(e: WriteError) -> Self {
        Self::Write(e)
    }
}

impl From<StoreError> for TrainError {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<ModelError> for TrainError {
    fn from(e: ModelError) -> Self {
        Self::Model(e)
    }
}

impl From<Untrainable> for TrainError {
    fn from(Untrainable(what): Untrainable) -> Self {
        Self::Untrainable(what)
    }
}
