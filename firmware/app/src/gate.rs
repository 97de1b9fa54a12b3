//! The gate with its model in flash: the program of a product.

use crate::{Board, Ran, Stop, forced_panic};
#[cfg(not(own_model))]
use crate::{images, serve};
use flow_infer::{Gate, OpenError};

flow_infer::gate!(
    /// The committed model of garments, or the file that `FLOWGATE_MODEL` names.
    Carried = env!("FLOWGATE_MODEL_FILE")
);

/// Opens the gate, answers the compiled-in images of the committed model, then whatever `board` fetches.
pub fn run<B: Board>(board: &mut B) -> Ran {
    start(board).unwrap_or_else(Ran::without_model)
}

fn start<B: Board>(board: &mut B) -> Result<Ran, Stop> {
    let mut gate = Carried::take().map_err(refused)?;
    tested(&gate);
    answer_all(board, &mut gate)
}

#[cfg(not(own_model))]
fn answer_all<B: Board>(board: &mut B, gate: &mut Gate<'_>) -> Result<Ran, Stop> {
    for image in images::ALL {
        serve::answer(board, gate, image)?;
    }
    let mut input = [0; images::BYTES];
    Ok(serve::serve(board, gate, &mut input))
}

#[cfg(own_model)]
use crate::own::serve as answer_all;

fn tested(gate: &Gate<'_>) {
    let vectors = gate.artifact().golden().count();
    defmt::info!("self-test passed: {} golden vectors", vectors);
    forced_panic::panic_if_asked(vectors);
}

fn refused(error: OpenError) -> Stop {
    defmt::error!("no gate: {}", error);
    match error {
        OpenError::SelfTest(_) => Stop::SelfTestFailed,
        _ => Stop::ModelRefused,
    }
}
