//! Scores whatever the board fetches, until there is nothing more.

use crate::model::Model;
use crate::{Board, Ran, Stop, pin};
use flow_infer::engine::Arithmetic;

/// Answers every input that `board` fetches into `input`.
pub fn serve<B: Board, A: Arithmetic>(
    board: &mut B,
    model: &mut Model<'_, A>,
    input: &mut [u8],
) -> Ran {
    let stop = loop {
        if let Err(stop) = board.next(input).and_then(|()| answer(board, model, input)) {
            break stop;
        }
    };
    Ran {
        stop,
        scratch_bytes: model.scratch_bytes(),
    }
}

/// Scores one input, shows the decision on the pin and reports both.
pub(crate) fn answer<B: Board, A: Arithmetic>(
    board: &mut B,
    model: &mut Model<'_, A>,
    input: &[u8],
) -> Result<(), Stop> {
    let mut answer = model.answer(input);
    answer.pin_high = pin::show(board, answer.decision);
    board.answer(&answer)
}
