//! One verb of the command, one file: its arguments, and what it does. Those that measure and illustrate are in
//! [`crate::laboratory`].

pub(crate) mod build;
pub(crate) mod calibrate;
pub(crate) mod capture;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod embed;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod golden;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod presets;
pub(crate) mod score;
pub(crate) mod sign;
pub(crate) mod train;
pub(crate) mod verify;
pub(crate) mod watch;
