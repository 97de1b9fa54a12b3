//! Any model, from a file of the host.
//!
//! Comparing another model with the host needs no other firmware.

use crate::board::Emulated;
use crate::files;
use crate::memory::{CODER, FIXED, HALF, INPUT, MODEL, SINGLE, take};
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, ScratchMut};
use flow_infer::plan::NumberFormat;
use flowgate_app::{Ran, Stop, serve};

/// Loads the host's model and answers the host's inputs.
pub(crate) fn run(board: &mut Emulated) -> Ran {
    load(board).unwrap_or_else(Ran::without_model)
}

fn load(board: &mut Emulated) -> Result<Ran, Stop> {
    let bytes = files::read_model(take(&MODEL)?)?;
    let artifact = Artifact::load(bytes).map_err(|error| {
        defmt::error!("model refused: {}", error);
        Stop::ModelRefused
    })?;
    match artifact.number_format() {
        NumberFormat::Q8 => serve(board, &artifact, take(&FIXED)?.borrow()),
        NumberFormat::F32 => serve(board, &artifact, take(&SINGLE)?.borrow()),
        NumberFormat::F16 => serve(board, &artifact, take(&HALF)?.borrow()),
    }
}

fn serve<A: Arithmetic>(
    board: &mut Emulated,
    artifact: &Artifact<'_>,
    scratch: ScratchMut<'_, A>,
) -> Result<Ran, Stop> {
    let mut detector = Detector::new(artifact, scratch, take(&CODER)?);
    serve::self_test(&mut detector)?;
    let input = take(&INPUT)?.get_mut(..artifact.input().byte_len());
    let input = input.ok_or(Stop::ModelRefused)?;
    Ok(serve::serve(board, &mut detector, input))
}
