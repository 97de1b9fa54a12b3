//! Models of other libraries, made ours.
//!
//! A checkpoint is a stranger's file: it is read by an interpreter of pickles that knows tensors and dictionaries and
//! nothing else (no code of the file ever runs), every size is checked against the bytes that are there before
//! anything is allocated, and whatever does not fit the architecture is named instead of ignored.
//!
//! [`torch`] reads the containers of PyTorch, [`flows_ood`] knows the reference code of the paper, [`nflows`] and
//! [`normflows`] the affine couplings of vectors of these libraries.

mod bytes;
mod error;
pub mod flows_ood;
pub mod nflows;
pub mod normflows;
pub mod pickle;
mod report;
mod state;
pub mod torch;
mod vector;
pub mod zip;

pub use error::ConvertError;
pub use report::Report;
pub use state::StateDict;
