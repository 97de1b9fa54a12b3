//! The decision on a pin.

use crate::Board;
use embedded_hal::digital::{OutputPin, StatefulOutputPin};
use flow_infer::gate::Decision;

/// Drives the pin high for an accepted input and low for every other, and returns the level that
/// the pin reports afterwards.
///
/// A pin that cannot be driven reads as low: whoever listens to it must take silence for a
/// rejection, so a fault is never mistaken for an acceptance.
pub(crate) fn show<B: Board>(board: &mut B, decision: Option<Decision>) -> bool {
    let pin = board.pin();
    let driven = match decision {
        Some(Decision::Accept) => pin.set_high(),
        Some(Decision::Reject | Decision::Invalid) | None => pin.set_low(),
    };
    driven.is_ok() && pin.is_set_high().unwrap_or(false)
}
