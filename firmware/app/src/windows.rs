//! Answers windows of a sensor's samples, sample by sample.

use crate::serve::{self, Scorer};
use crate::{Board, Ran, Stop};
use flow_infer::front_end::windows::MAX_CHANNELS;
use flow_infer::{Gate, WindowError};
use flowgate_sensors::{Source, SourceError};

/// Answers every window that is due among the samples that `board` fetches.
pub(crate) fn serve<B: Board>(board: &mut B, gate: &mut Gate<'_>) -> Ran {
    let mut values = [0; MAX_CHANNELS];
    let channels = gate.windows().map_or(0, |windows| windows.channels());
    let sample = values.get_mut(..channels).unwrap_or_default();
    let stop = loop {
        if let Err(stop) = take(board, gate, sample) {
            break stop;
        }
    };
    Ran {
        stop,
        scratch_bytes: gate.scratch_bytes(),
    }
}

/// Takes the next sample and answers the window that ends with it, where one is due.
fn take<B: Board>(board: &mut B, gate: &mut Gate<'_>, sample: &mut [i16]) -> Result<(), Stop> {
    match board.source().sample(sample) {
        Err(SourceError::SamplesLost) => {
            gate.restart_window();
            return Ok(());
        }
        fetched => fetched?,
    }
    match gate.push(sample).map_err(refused)? {
        Some(assessment) => serve::show(board, serve::answer_of(Some(assessment))),
        None => Ok(()),
    }
}

fn refused(error: WindowError) -> Stop {
    defmt::error!("no sample for this model: {}", error);
    Stop::InputSize
}
