//! Models of other libraries, made ours.
//!
//! A checkpoint is a stranger's file: it is read by an interpreter of pickles that knows tensors and dictionaries and
//! nothing else (no code of the file ever runs), every size is checked against the bytes that are there before
//! anything is allocated, and whatever does not fit the architecture is named instead of ignored.
//!
//! [`torch`] reads the containers of PyTorch, [`flows_ood`] knows the reference code of the paper.

mod bytes;
mod error;
pub mod flows_ood;
pub mod pickle;
mod state;
pub mod torch;
pub mod zip;

pub use error::ConvertError;
pub use state::StateDict;
