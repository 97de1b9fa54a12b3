//! A camera's gate as one task among others: rows are taken as they come, and a frame is evaluated a step at a time.
//!
//! [`Feed`] is what a driver calls for each row, from its interrupt; [`Watch`] is what a task waits for. Between them lies
//! a queue of a few rows: what does not fit is lost, up to the end of its frame, and the next [`Said`] counts it.

#![no_std]

mod feed;
pub mod scene;
mod watch;

pub use feed::Feed;
pub use watch::{Said, Watch};

use flow_infer::{FrameSpec, Gate, PixelFormat};

/// What the camera is set to: 160 x 120 pixels of YUYV.
pub const SPEC: FrameSpec = FrameSpec::new(PixelFormat::Yuyv, 160, 120);
/// Rows of a frame.
pub const ROWS: u16 = 120;
/// Bytes of a row.
pub const ROW_BYTES: usize = 320;

flow_infer::gate!(Parts = "../../../tests/data/parts.flow");

/// The gate, once.
pub fn gate() -> Option<Gate<'static>> {
    Parts::take().ok()
}
