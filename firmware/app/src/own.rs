//! A model of one's own: inputs, or frames, as the board fetches them.

use crate::{Board, Ran, Stop, serve};
use flow_infer::Gate;
use flow_infer::artifact::{input_len, reads_frames};
use static_cell::ConstStaticCell;

const MODEL: &[u8] = include_bytes!(env!("FLOWGATE_MODEL_FILE"));
const READS_FRAMES: bool = reads_frames(MODEL);
const _: () = assert!(
    !READS_FRAMES || cfg!(feature = "frames"),
    "the model reads a camera's frames: build with `--features frames`"
);
/// A model of frames has the memory of its inputs in its workspace.
const INPUT_BYTES: usize = if READS_FRAMES { 0 } else { input_len(MODEL) };
static INPUT: ConstStaticCell<[u8; INPUT_BYTES]> = ConstStaticCell::new([0; INPUT_BYTES]);

/// Answers whatever `board` fetches.
pub(crate) fn serve<B: Board>(board: &mut B, gate: &mut Gate<'_>) -> Result<Ran, Stop> {
    #[cfg(feature = "frames")]
    if READS_FRAMES {
        return Ok(crate::frames::serve(board, gate));
    }
    let input = INPUT.try_take().ok_or(Stop::ModelRefused)?;
    Ok(serve::serve(board, gate, input))
}
