//! The bytes that host and emulated board exchange, defined once for both sides.
//!
//! Plain fixed-size little-endian records instead of text or defmt: formatting integers costs a
//! board kilobytes of code, a log may be filtered away, and the host must be able to tell a run
//! that stopped half-way from one that ended.
//!
//! | file, in the folder where the emulator runs | written by | content |
//! |---|---|---|
//! | [`MODEL_FILE`] | host | a `.flow`, as it is |
//! | [`INPUTS_FILE`] | host | [`InputsHeader`], then `count` inputs of `input_bytes` bytes each; or frames, each a [`FrameHeader`] and its rows |
//! | [`ANSWERS_FILE`] | board | one [`Answer`] per input, then one [`Summary`] |
//!
//! Standard output carries the board's log, defmt frames for `defmt-print -e ELF`.
//!
//! An input is an image's bytes in the order of the `.flow` file, or a vector of little-endian
//! `f32`. The two sides are built from the same commit, so the magic numbers only catch mistakes.

#![no_std]
#![forbid(unsafe_code)]

mod answer;
mod frame;
mod inputs;
mod summary;

pub use answer::Answer;
pub use frame::FrameHeader;
pub use inputs::InputsHeader;
pub use summary::Summary;

/// The model that the `score` program loads.
pub const MODEL_FILE: &core::ffi::CStr = c"model.flow";
/// The inputs to be scored.
pub const INPUTS_FILE: &core::ffi::CStr = c"inputs.bin";
/// What the board found.
pub const ANSWERS_FILE: &core::ffi::CStr = c"answers.bin";

/// Exit codes of the emulated program.
pub mod exit {
    /// Every input was answered.
    pub const DONE: i32 = 0;
    /// The model was refused at load.
    pub const MODEL_REFUSED: i32 = 2;
    /// The model's golden vectors did not give the recorded bits.
    pub const SELF_TEST_FAILED: i32 = 3;
    /// A host file was missing, malformed or could not be written.
    pub const HOST_FILES: i32 = 4;
    /// The inputs have another size than the model's.
    pub const INPUT_SIZE: i32 = 5;
    /// The core's kernel and the portable one gave different bits.
    pub const KERNEL_DIFFERS: i32 = 6;
    /// A panic, in a build that still has panics.
    pub const PANICKED: i32 = 101;
}

/// Takes `N` bytes from the front of `bytes`.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}
