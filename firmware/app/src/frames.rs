//! Answers a camera's frames, row by row.

use crate::serve::{self, Scorer};
use crate::{Board, Ran, Stop};
use flow_infer::{Assessment, FrameError, Gate};
use flowgate_sensors::{Source, SourceError};

/// Answers every frame that `board` fetches. One that was lost is no input of the model: the pin is low.
pub(crate) fn serve<B: Board>(board: &mut B, gate: &mut Gate<'_>) -> Ran {
    let stop = loop {
        let assessed = assess(board, gate);
        let answered =
            assessed.and_then(|assessment| serve::show(board, serve::answer_of(assessment)));
        if let Err(stop) = answered {
            break stop;
        }
    };
    Ran {
        stop,
        scratch_bytes: gate.scratch_bytes(),
    }
}

/// Nothing for a frame that was lost.
fn assess<B: Board>(board: &mut B, gate: &mut Gate<'_>) -> Result<Option<Assessment>, Stop> {
    let spec = board.source().next_frame()?;
    let mut frame = gate.frame(spec).map_err(refused)?;
    while frame.missing() > 0 {
        let row = match board.source().row() {
            Err(SourceError::FrameLost) => {
                defmt::warn!("a frame was lost");
                return Ok(None);
            }
            row => row?,
        };
        let planes = row.get(..spec.format.planes()).unwrap_or(&[]);
        frame.push_row(planes).map_err(refused)?;
    }
    frame.assess().map(Some).map_err(refused)
}

fn refused(error: FrameError) -> Stop {
    defmt::error!("no frame for this model: {}", error);
    Stop::InputSize
}
