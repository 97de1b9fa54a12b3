//! The gate for programs in C: `include/flowgate.h` is the interface and its documentation.
//!
//! Everything that a C program can get wrong (null, alignment, length, damaged models, a pointer that is no gate) is
//! checked here and answered with a status; behind the checks stands the safe interface of flow-infer.
//!
//! Who owns the panic handler: with the feature `panic-handler` this library, and it is the one of our firmware, which
//! calls a function that exists nowhere. So a program that links contains no path to a panic.

#![cfg_attr(not(feature = "std"), no_std)]

mod gate;
mod memory;
#[cfg(all(feature = "panic-handler", not(feature = "std")))]
mod panic;
mod status;
#[cfg(feature = "windows")]
mod windows;

pub use gate::{
    Decision, Scores, flowgate_decide, flowgate_decide_f32, flowgate_decide_i16,
    flowgate_last_scores, flowgate_need, flowgate_open, flowgate_self_test,
};
pub use memory::Needs;
pub use status::{Status, flowgate_model_error, flowgate_status_text};
#[cfg(feature = "windows")]
pub use windows::{
    Fault, FaultKind, WindowShape, flowgate_last_fault, flowgate_push, flowgate_restart_window,
    flowgate_sample, flowgate_windows,
};
