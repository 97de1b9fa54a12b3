//! What holds the three implementations together.
//!
//! [`flow_reference`] is the specification. The trainer and the engine write the same mathematics
//! again, each in its own way; the tests of this package compare them on the models of [`models`],
//! within the bounds of [`tolerance`].

#![forbid(unsafe_code)]

pub mod coverage;
pub mod fixtures;
pub mod implementations;
pub mod models;
pub mod random;
pub mod tests_section;
pub mod tiny_flow;
pub mod tolerance;
pub mod training;
