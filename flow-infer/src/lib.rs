//! Exact log-likelihood of normalizing flows on microcontrollers: no heap, no panic, the same bits on every core.
//!
//! From bytes to a decision, and so the modules: [`artifact`] loads a `.flow` file and checks all of it, [`engine`]
//! evaluates the flow along its [`plan`] with [`kernels`], [`score`] adds the code length, [`gate`] decides. All read
//! [`spec`], which says what a flow is. [`detector`] is the whole way in one type.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs says which items need which feature
#![deny(unsafe_code)] // allowed again in the kernels of processors, each of which has a safe twin

#[cfg(any(feature = "std", test))]
extern crate std;

pub mod artifact;
mod bytes;
pub mod detector;
pub mod drift;
pub mod engine;
pub mod front_end;
pub mod gate;
#[doc(hidden)]
pub mod kernel_trials;
pub mod kernels;
pub mod plan;
pub mod score;
pub mod spec;
