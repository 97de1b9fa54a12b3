//! Any model, from a file of the host.
//!
//! Comparing another model with the host needs no other firmware.

use crate::board::Emulated;
use crate::files;
use crate::memory::{CODER, FIXED, HALF, INPUT, MODEL, REDUCED, SINGLE, SUMS, take};
#[cfg(feature = "windows")]
use crate::windows;
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, ScratchMut};
use flow_infer::front_end::{FrameError, FrameReader, FrontEnd, Reduction};
use flow_infer::plan::NumberFormat;
use flowgate_app::serve::{self, Scorer};
use flowgate_app::{Board, Ran, Stop};
use flowgate_sensors::Source;

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
    #[cfg(feature = "windows")]
    if let Some(described) = artifact.windows() {
        return windows::serve(board, &mut detector, described);
    }
    match artifact.front_end() {
        Some(FrontEnd::Frames(reduction)) if board.gives_frames() => {
            serve_frames(board, &mut detector, reduction)
        }
        _ => {
            let input = take(&INPUT)?.get_mut(..artifact.input_len());
            let input = input.ok_or(Stop::ModelRefused)?;
            Ok(serve::serve(board, &mut detector, input))
        }
    }
}

/// Answers every frame of the host.
fn serve_frames(
    board: &mut Emulated,
    scorer: &mut impl Scorer,
    reduction: &Reduction,
) -> Result<Ran, Stop> {
    let (sums, input) = (take(&SUMS)?, take(&REDUCED)?);
    let stop = loop {
        if let Err(stop) = answer_frame(board, scorer, reduction, (sums, input)) {
            break stop;
        }
    };
    let scratch_bytes = scorer.scratch_bytes();
    Ok(Ran {
        stop,
        scratch_bytes,
    })
}

fn answer_frame(
    board: &mut Emulated,
    scorer: &mut impl Scorer,
    reduction: &Reduction,
    (sums, input): (&mut [u64], &mut [u8]),
) -> Result<(), Stop> {
    let spec = board.source().next_frame()?;
    let mut reader = FrameReader::new(reduction, spec, sums, input).map_err(refused)?;
    while reader.missing() > 0 {
        let row = board.source().row()?;
        let planes = row.get(..spec.format.planes()).unwrap_or(&[]);
        reader.push_row(planes).map_err(refused)?;
    }
    let answer = scorer.score(reader.input().map_err(refused)?);
    serve::show(board, answer)
}

fn refused(error: FrameError) -> Stop {
    defmt::error!("no frame for this model: {}", error);
    Stop::InputSize
}
