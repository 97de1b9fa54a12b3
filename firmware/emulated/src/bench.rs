//! The engine under a counter of instructions: one evaluation of the host's model after another, between marks.

use crate::files::{self, Files};
use crate::mark::count_mark;
use crate::memory::{FIXED, HALF, INPUT, KERNEL_TRIALS, MODEL, REDUCED, SINGLE, SUMS, take};
#[cfg(feature = "windows")]
use crate::windows;
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Arithmetic, Noise, ScratchMut, evaluate};
use flow_infer::front_end::{FrameReader, FrontEnd, Reduction};
use flow_infer::plan::NumberFormat;
use flowgate_app::Stop;
use flowgate_sensors::{Source, SourceError};
use flowgate_stream::exit;

/// Random tiles on which the core's kernel must equal the portable one.
const TRIALS: u32 = 300;

/// Tries the kernel, then evaluates every input between two marks; the exit code.
pub(crate) fn run() -> i32 {
    match take(&KERNEL_TRIALS).map(|trials| trials.first_difference(TRIALS)) {
        Ok(Some(_)) => exit::KERNEL_DIFFERS,
        Ok(None) => evaluate_all().err().unwrap_or(Stop::End).exit_code(),
        Err(stop) => stop.exit_code(),
    }
}

/// Appends the log_prob of every input to the answers.
fn evaluate_all() -> Result<(), Stop> {
    let bytes = files::read_model(take(&MODEL)?)?;
    let artifact = Artifact::load(bytes).map_err(|_| Stop::ModelRefused)?;
    match artifact.number_format() {
        NumberFormat::Q8 => evaluations(&artifact, take(&FIXED)?.borrow()),
        NumberFormat::F32 => evaluations(&artifact, take(&SINGLE)?.borrow()),
        NumberFormat::F16 => evaluations(&artifact, take(&HALF)?.borrow()),
    }
}

fn evaluations<A: Arithmetic>(
    artifact: &Artifact<'_>,
    mut scratch: ScratchMut<'_, A>,
) -> Result<(), Stop> {
    let mut files = Files::open()?;
    #[cfg(feature = "windows")]
    if let Some(described) = artifact.windows() {
        return windows::count(artifact, described, scratch, &mut files);
    }
    match artifact.front_end() {
        Some(FrontEnd::Frames(reduction)) if files.are_frames() => {
            return reductions(artifact, reduction, scratch, &mut files);
        }
        _ => {}
    }
    let input = take(&INPUT)?.get_mut(..artifact.input_len());
    let input = input.ok_or(Stop::ModelRefused)?;
    loop {
        match files.next(input) {
            Err(SourceError::End) => return Ok(()),
            other => other?,
        }
        count_mark();
        let evaluation = evaluate(artifact, input, Noise::Planned, scratch.reborrow(), &mut ());
        count_mark();
        let evaluation = evaluation.map_err(|_| Stop::InputSize)?;
        files.append(&evaluation.log_prob_raw.to_le_bytes())?;
    }
}

/// Of frames the front end alone is counted: every row between two marks, and the host's file outside of them.
fn reductions<A: Arithmetic>(
    artifact: &Artifact<'_>,
    reduction: &Reduction,
    mut scratch: ScratchMut<'_, A>,
    files: &mut Files,
) -> Result<(), Stop> {
    let (sums, input) = (take(&SUMS)?, take(&REDUCED)?);
    loop {
        let spec = match files.next_frame() {
            Err(SourceError::End) => return Ok(()),
            other => other?,
        };
        let reader = FrameReader::new(reduction, spec, sums, input);
        let mut reader = reader.map_err(|_| Stop::InputSize)?;
        while reader.missing() > 0 {
            let row = files.row()?;
            let planes = row.get(..spec.format.planes()).unwrap_or(&[]);
            count_mark();
            let pushed = reader.push_row(planes);
            count_mark();
            pushed.map_err(|_| Stop::InputSize)?;
        }
        let input = reader.input().map_err(|_| Stop::InputSize)?;
        let evaluation = evaluate(artifact, input, Noise::Planned, scratch.reborrow(), &mut ());
        let evaluation = evaluation.map_err(|_| Stop::InputSize)?;
        files.append(&evaluation.log_prob_raw.to_le_bytes())?;
    }
}
