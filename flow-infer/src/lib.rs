#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs says which items need which feature
#![deny(unsafe_code)] // allowed again in the kernels of processors, each of which has a safe twin, and in `take_once`

#[cfg(any(feature = "std", test))]
extern crate std;

// What a program needs that only wants decisions. Everything in modules is for the crates of this repository, which
// make models and test the engine, and may change in any version.
#[cfg(feature = "std")]
pub use interface::Workspace;
pub use interface::{
    Assessment, Evaluation, FixedWorkspace, Gate, Gates, Input, InputError, InputShape, Memory,
    Model, OpenError, SelfTestFailed, SiteCalibration, SiteError,
};
pub use {
    artifact::LoadError,
    drift::DriftAlarm,
    gate::{AdaptiveThreshold, Debounce, Decision, HoldAlarm, SequenceAlarm},
    plan::PlanError,
    score::Scores,
};
#[cfg(feature = "frames")]
pub use {
    front_end::{Frame, FrameError, FrameSpec, PixelFormat, YuvRange},
    interface::FrameInput,
};

#[cfg(feature = "windows")]
pub use {
    interface::{WindowError, WindowShape},
    score::window::{ChannelFault, FaultKind},
};

#[doc(hidden)]
pub mod artifact;
mod bytes;
#[doc(hidden)]
pub mod detector;
#[doc(hidden)]
pub mod drift;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod front_end;
#[doc(hidden)]
pub mod gate;
#[doc(hidden)]
pub mod interface;
#[doc(hidden)]
pub mod kernel_trials;
#[doc(hidden)]
pub mod kernels;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod score;
#[doc(hidden)]
pub mod scoring;
#[doc(hidden)]
pub mod spec;
mod wide;
