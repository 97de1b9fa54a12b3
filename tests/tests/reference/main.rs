//! The reference against mathematics: derivatives, inverses, integrals, numbers worked out by hand.

mod census;
mod layers;
mod log_det;
mod masks;
mod names;
mod numeric;
mod quadrature;
mod round_trip;
mod steps;
mod views;
