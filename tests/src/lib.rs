//! The first of the three voices, and what holds the three together.
//!
//! [`reference`](mod@reference) is the specification: naive f64 loops that read like the equations of
//! `documents/conventions.md`. The trainer and the engine write the same mathematics again, each in its own way;
//! the tests of this package compare them on the models of [`models`], within the bounds of [`tolerance`].

#![forbid(unsafe_code)]

pub mod coverage;
pub mod fixtures;
pub mod models;
pub mod numeric;
pub mod random;
pub mod reference;
pub mod tiny_flow;
pub mod tolerance;
pub mod training;
pub mod voices;
