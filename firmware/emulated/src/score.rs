//! Any model, from a file of the host.
//!
//! The model goes to a buffer in RAM as large as the emulated machines allow, so that comparing
//! another model with the host needs no other firmware.

use crate::board::Emulated;
use crate::files;
use flowgate_app::model::Model;
use flowgate_app::{Ran, Stop, serve};
use static_cell::ConstStaticCell;

static MODEL: ConstStaticCell<[u8; 1 << 20]> = ConstStaticCell::new([0; 1 << 20]);
static SCRATCH: ConstStaticCell<[u8; 1 << 20]> = ConstStaticCell::new([0; 1 << 20]);

/// Loads the host's model and answers the host's inputs.
pub(crate) fn run(board: &mut Emulated) -> Ran {
    load_and_serve(board).unwrap_or_else(|stop| Ran {
        stop,
        scratch_bytes: 0,
    })
}

fn load_and_serve(board: &mut Emulated) -> Result<Ran, Stop> {
    let bytes = files::read_model(MODEL.try_take().ok_or(Stop::ModelRefused)?)?;
    let mut model = Model::new(bytes, SCRATCH.try_take().ok_or(Stop::ModelRefused)?);
    let mut input = [0; 784];
    Ok(serve::serve(board, &mut model, &mut input))
}
