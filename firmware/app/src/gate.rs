//! The gate with the committed model in flash.

use crate::model::Model;
use crate::{Board, Ran, Stop, deliberate, serve};
use static_cell::ConstStaticCell;

static SCRATCH: ConstStaticCell<[u8; 4096]> = ConstStaticCell::new([0; 4096]);

/// Runs.
pub fn run<B: Board>(board: &mut B) -> Ran {
    let Some(scratch) = SCRATCH.try_take() else {
        return Ran {
            stop: Stop::ModelRefused,
            scratch_bytes: 0,
        };
    };
    let mut model = Model::new(b"model", scratch);
    deliberate::panic_if_asked(model.scratch_bytes());
    let mut input = [0; 784];
    defmt::info!("scratch {} bytes", model.scratch_bytes());
    serve::serve(board, &mut model, &mut input)
}
