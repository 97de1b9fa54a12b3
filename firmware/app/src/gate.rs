//! The gate with the committed model in flash: the program of a product.

use crate::{Board, Ran, Stop, deliberate, images, serve};
use flow_infer::{Gate, OpenError};

flow_infer::gate!(
    /// Garments.
    Fashion = "../../models/fashion-bottleneck.flow"
);

/// Opens the gate, answers the compiled-in images, then whatever `board` fetches.
pub fn run<B: Board>(board: &mut B) -> Ran {
    start(board).unwrap_or_else(Ran::without_model)
}

fn start<B: Board>(board: &mut B) -> Result<Ran, Stop> {
    let mut gate = Fashion::take().map_err(refused)?;
    tested(&gate);
    for image in images::ALL {
        serve::answer(board, &mut gate, image)?;
    }
    let mut input = [0; images::BYTES];
    Ok(serve::serve(board, &mut gate, &mut input))
}

fn tested(gate: &Gate<'_>) {
    let vectors = gate.artifact().golden().count();
    defmt::info!("self-test passed: {} golden vectors", vectors);
    deliberate::panic_if_asked(vectors);
}

fn refused(error: OpenError) -> Stop {
    defmt::error!("no gate: {}", error);
    match error {
        OpenError::SelfTest(_) => Stop::SelfTestFailed,
        _ => Stop::ModelRefused,
    }
}
