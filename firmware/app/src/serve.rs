//! Scores whatever the board fetches, until there is nothing more.

use crate::model::Model;
use crate::{Board, Ran, Stop, pin};
use flowgate_stream::Answer;

/// Answers every input that `board` fetches into `input`.
pub fn serve<B: Board>(board: &mut B, model: &mut Model<'_>, input: &mut [u8]) -> Ran {
    let stop = loop {
        if let Err(stop) = board.next(input).and_then(|()| answer(board, model, input)) {
            break stop;
        }
    };
    Ran {
        stop,
        scratch_bytes: u32::try_from(model.scratch_bytes()).unwrap_or(u32::MAX),
    }
}

/// Scores one input, shows the decision on the pin and reports both.
pub(crate) fn answer<B: Board>(
    board: &mut B,
    model: &mut Model<'_>,
    input: &[u8],
) -> Result<(), Stop> {
    let (decision, raw) = model.score(input);
    let pin_high = pin::show(board, decision);
    board.answer(&Answer {
        decision,
        pin_high,
        raw,
    })
}
