//! Windows of samples, as the host gives them one by one.

use crate::board::Emulated;
use crate::files::Files;
use crate::mark::count_mark;
use crate::memory::{CODER, INPUT, take};
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, Elements, Noise, ScratchMut};
use flow_infer::front_end::windows::{MAX_CHANNELS, Ring, Windows};
use flowgate_app::serve::{self, Scorer};
use flowgate_app::{Board, Ran, Stop};
use flowgate_sensors::{Source, SourceError};
use flowgate_stream::Answer;

/// The last window and the next sample.
struct Samples<'w> {
    windows: Windows<'w>,
    memory: &'static mut [u8],
    ring: Ring,
    values: [i16; MAX_CHANNELS],
}

impl<'w> Samples<'w> {
    fn new(windows: Windows<'w>) -> Result<Self, Stop> {
        let memory = take(&INPUT)?.get_mut(..windows.byte_len());
        Ok(Self {
            windows,
            memory: memory.ok_or(Stop::ModelRefused)?,
            ring: Ring::new(),
            values: [0; MAX_CHANNELS],
        })
    }

    /// Fetches the next sample; what is in front of a gap is forgotten.
    fn fetch(&mut self, source: &mut impl Source) -> Result<(), SourceError> {
        loop {
            let sample = self.values.get_mut(..self.windows.channels());
            match source.sample(sample.unwrap_or_default()) {
                Err(SourceError::SamplesLost) => self.ring.reset(),
                other => return other,
            }
        }
    }

    /// Takes the sample that was fetched and answers the window that ends with it, where one is due.
    fn answer<A: Arithmetic>(&mut self, detector: &mut Detector<'_, A>) -> Option<Answer> {
        let sample = self.values.get(..self.windows.channels())?;
        if !self.ring.push(&self.windows, self.memory, sample) {
            return None;
        }
        let window = self.ring.window(&self.windows, self.memory);
        let window = Elements::Window(self.windows, window);
        let scores = detector.scores_of(window, Noise::Planned);
        Some(Answer::new(detector.artifact(), scores))
    }
}

/// Answers every window that is due.
pub(crate) fn serve<A: Arithmetic>(
    board: &mut Emulated,
    detector: &mut Detector<'_, A>,
    windows: Windows<'_>,
) -> Result<Ran, Stop> {
    let mut samples = Samples::new(windows)?;
    let stop = loop {
        if let Err(error) = samples.fetch(board.source()) {
            break error.into();
        }
        let answer = samples.answer(detector);
        if let Some(Err(stop)) = answer.map(|answer| serve::show(board, answer)) {
            break stop;
        }
    };
    Ok(Ran {
        stop,
        scratch_bytes: detector.scratch_bytes(),
    })
}

/// Takes every sample between two marks and appends the log_prob of every window.
pub(crate) fn count<A: Arithmetic>(
    artifact: &Artifact<'_>,
    windows: Windows<'_>,
    scratch: ScratchMut<'_, A>,
    files: &mut Files,
) -> Result<(), Stop> {
    let mut detector = Detector::new(artifact, scratch, take(&CODER)?);
    let mut samples = Samples::new(windows)?;
    loop {
        match samples.fetch(files) {
            Err(SourceError::End) => return Ok(()),
            other => other?,
        }
        count_mark();
        let answer = samples.answer(&mut detector);
        count_mark();
        if let Some(answer) = answer {
            let scores = answer.scores.ok_or(Stop::InputSize)?;
            files.append(&scores.log_prob_raw.to_le_bytes())?;
        }
    }
}
