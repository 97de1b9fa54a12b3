//! What a program needs that only wants decisions: re-exported at the crate's root.

mod assessment;
mod embedded;
mod error;
mod evaluation;
#[cfg(feature = "frames")]
mod frames;
mod gate;
mod gates;
mod input;
mod model;
mod site;
mod take_once;
#[cfg(feature = "windows")]
mod window_shape;
#[cfg(feature = "windows")]
mod windows;
mod workspace;

pub use assessment::Assessment;
pub use embedded::{Aligned, EmbeddedWorkspace};
pub use error::{InputError, OpenError, SelfTestFailed};
pub use evaluation::Evaluation;
#[cfg(feature = "frames")]
pub use frames::FrameInput;
pub use gate::Gate;
pub use gates::Gates;
pub use input::Input;
pub use model::{InputShape, Model};
pub use site::{SiteCalibration, SiteError};
#[cfg(feature = "std")]
pub use workspace::Workspace;
pub use workspace::{BorrowedMemory, FixedWorkspace, FrameMemory, Memory};
#[cfg(feature = "windows")]
pub use {window_shape::WindowShape, windows::WindowError};
