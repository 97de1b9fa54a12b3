//! The page that shows a watch live: read-only, for this machine alone unless it is said otherwise.
//!
//! The thread that decides leaves what it saw in a [`Hub`] of fixed size; a thread of its own answers requests from
//! there. Viewers get at most ten events a second, however fast frames come.

mod about;
mod address;
mod answer;
mod hub;
mod metrics;
mod server;
mod sight;
#[cfg(test)]
mod tests;

pub(super) use about::{About, AboutGate};
pub(super) use address::PageArgs;
pub(super) use hub::Hub;
pub(super) use sight::Sight;

use crate::failure;
use address::Guests;
use anyhow::Result;
use std::net::TcpListener;
use std::sync::Arc;

/// Shows a watch at an address that was taken, if one was asked for.
pub(super) fn show(
    taken: Option<(TcpListener, Guests)>,
    about: impl FnOnce() -> About,
) -> Result<Option<Arc<Hub>>> {
    let Some((listener, guests)) = taken else {
        return Ok(None);
    };
    let hub = Arc::new(Hub::new(about()));
    failure::note(&format!("page: http://{}/", listener.local_addr()?));
    server::serve(listener, guests, Arc::clone(&hub))?;
    Ok(Some(hub))
}
