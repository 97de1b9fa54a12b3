//! Exact log-likelihood of normalizing flows on microcontrollers: no heap, no panic, the same bits on every core.

#![no_std]
#![forbid(unsafe_code)]

pub mod score;
pub mod spec;
