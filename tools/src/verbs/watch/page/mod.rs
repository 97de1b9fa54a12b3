//! The page that shows a watch live: read-only, for this machine alone unless it is said otherwise.
//!
//! The thread that decides leaves what it saw in a [`Hub`] of fixed size; a thread of its own answers requests from
//! there. Viewers get at most ten events a second, however fast frames come.

mod address;
mod answer;
mod hub;
mod metrics;
mod server;
#[cfg(test)]
mod tests;

pub(super) use address::PageArgs;
pub(super) use hub::{About, AboutGate, Hub};
pub(super) use server::serve;
