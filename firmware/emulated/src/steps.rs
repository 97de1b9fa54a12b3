//! The scores of each input in one go, then in steps with a mark of the counter wherever a program could do something
//! else.

use crate::files::{self, Files};
use crate::mark::count_mark;
use crate::memory::{CODER, FIXED, INPUT, MODEL, take};
use core::task::Poll;
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Noise, STEP_PRODUCTS};
use flowgate_app::Stop;
use flowgate_sensors::{Source, SourceError};

/// Scores every input of the host in both ways, which must agree, and appends its log_prob to the answers; the exit code.
pub(crate) fn run() -> i32 {
    score_all().err().unwrap_or(Stop::End).exit_code()
}

fn score_all() -> Result<(), Stop> {
    let bytes = files::read_model(take(&MODEL)?)?;
    let artifact = Artifact::load(bytes).map_err(|_| Stop::ModelRefused)?;
    let mut detector = Detector::new(&artifact, take(&FIXED)?.borrow(), take(&CODER)?);
    let mut files = Files::open()?;
    let input = take(&INPUT)?.get_mut(..artifact.input_len());
    let input = input.ok_or(Stop::ModelRefused)?;
    loop {
        match files.next(input) {
            Err(SourceError::End) => return Ok(()),
            other => other?,
        }
        count_mark();
        let in_one_go = detector.scores(input, Noise::Planned);
        count_mark();
        let scoring = detector.begin((&*input).into(), Noise::Planned);
        let mut scoring = scoring.map_err(|_| Stop::InputSize)?;
        count_mark();
        let scores = loop {
            let polled = scoring.poll(1, Some(STEP_PRODUCTS));
            count_mark();
            if let Poll::Ready(scores) = polled {
                break scores;
            }
        };
        if in_one_go != Ok(scores) {
            return Err(Stop::SelfTestFailed);
        }
        files.append(&scores.log_prob_raw.to_le_bytes())?;
    }
}
