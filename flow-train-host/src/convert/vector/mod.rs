//! Vector flows of libraries whose layers act on any coordinates in any order, made ours, which splits halves.
//!
//! A permutation costs nothing here: it only renames coordinates, and a standard normal prior does not care. So a
//! [`Chain`] remembers which of their coordinates each of ours is, and moves coordinates (by an invertible linear
//! step) only when a coupling's halves are not halves of the present order: for alternating masks once in a flow.

mod chain;
mod dense;
mod linear;
mod network;
mod residual;
mod sequential;
mod side_by_side;

pub(super) use chain::{Affine, Chain, Coupling};
pub(super) use dense::{Dense, with_relus};
pub(super) use linear::{lu, plu, product, softplus, transposed};
pub(super) use network::Network;
pub(super) use residual::{Block, Residual, Statistics, VARIANCE_OFFSET};
pub(super) use sequential::{Sequential, numbers};
pub(super) use side_by_side::{Side, side_by_side};
