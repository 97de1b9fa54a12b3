//! A model of one's own: inputs, frames or samples, as the board fetches them.

use crate::{Board, Ran, Stop, serve};
use flow_infer::Gate;
use flow_infer::artifact::{input_len, reads_frames, reads_windows};
use static_cell::ConstStaticCell;

const MODEL: &[u8] = include_bytes!(env!("FLOWGATE_MODEL_FILE"));
const READS_FRAMES: bool = reads_frames(MODEL);
const _: () = assert!(
    !READS_FRAMES || cfg!(feature = "frames"),
    "the model reads a camera's frames: build with `--features frames`"
);
const READS_WINDOWS: bool = reads_windows(MODEL);
const _: () = assert!(
    !READS_WINDOWS || cfg!(feature = "windows"),
    "the model reads windows of a sensor's samples: build with `--features windows`"
);
/// A model of frames or windows has the memory of its inputs in its workspace.
const INPUT_BYTES: usize = if READS_FRAMES || READS_WINDOWS {
    0
} else {
    input_len(MODEL)
};
static INPUT: ConstStaticCell<[u8; INPUT_BYTES]> = ConstStaticCell::new([0; INPUT_BYTES]);

/// Answers whatever `board` fetches.
pub(crate) fn serve<B: Board>(board: &mut B, gate: &mut Gate<'_>) -> Result<Ran, Stop> {
    #[cfg(feature = "frames")]
    if READS_FRAMES {
        return Ok(crate::frames::serve(board, gate));
    }
    #[cfg(feature = "windows")]
    if READS_WINDOWS {
        return Ok(crate::windows::serve(board, gate));
    }
    let input = INPUT.try_take().ok_or(Stop::ModelRefused)?;
    Ok(serve::serve(board, gate, input))
}
