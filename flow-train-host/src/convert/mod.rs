//! Models of other libraries, made ours.
//!
//! A checkpoint is a stranger's file: it is read by an interpreter of pickles that knows tensors and dictionaries and
//! nothing else (no code of the file ever runs), every size is checked against the bytes that are there before
//! anything is allocated, and whatever does not fit the architecture is named instead of ignored.
//!
//! [`torch`] reads the containers of PyTorch, [`flows_ood`] knows the reference code of the paper, [`nflows`],
//! [`normflows`], [`freia`] and [`zuko`] the affine couplings of these libraries. What tensors do not tell is assumed
//! as the library would by default, said in the [`Report`] and in the model's history, and can be told by a [`Hint`].

pub mod assume;
mod bytes;
mod dtype;
mod error;
mod fault;
pub mod flows_ood;
pub mod freia;
mod hint;
mod names;
pub mod nflows;
pub mod normflows;
pub mod pickle;
mod report;
mod state;
mod text;
pub mod torch;
mod vector;
mod weight_norm;
pub mod zip;
pub mod zuko;

pub use assume::Assumptions;
pub use error::ConvertError;
pub use hint::Hint;
pub use names::Root;
pub use report::Report;
pub use state::StateDict;
