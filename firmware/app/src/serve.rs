//! Scores whatever the board fetches, until there is nothing more.

use crate::{Board, Ran, Stop, pin};
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, Fixed, Noise};
use flow_infer::gate::Decision;
use flow_infer::score::complexity::Coder;
use flow_infer::{Assessment, Gate};
use flowgate_sensors::Source;
use flowgate_stream::Answer;

/// What answers inputs: the gate of a product, or a detector of a model in any number format.
pub trait Scorer {
    /// Scores an input and decides; the pin is low.
    fn score(&mut self, input: &[u8]) -> Answer;

    /// Bytes that the model needs in RAM.
    fn scratch_bytes(&self) -> u32;
}

impl Scorer for Gate<'_> {
    fn score(&mut self, input: &[u8]) -> Answer {
        answer_of(self.assess(input).ok())
    }

    fn scratch_bytes(&self) -> u32 {
        scratch_bytes::<Fixed>(self.artifact())
    }
}

impl<A: Arithmetic> Scorer for Detector<'_, A> {
    fn score(&mut self, input: &[u8]) -> Answer {
        let scores = self.scores(input, Noise::Planned);
        Answer::new(self.artifact(), scores)
    }

    fn scratch_bytes(&self) -> u32 {
        scratch_bytes::<A>(self.artifact())
    }
}

/// What a gate answers, before anything is done about it: the pin is low.
#[inline]
pub(crate) fn answer_of(assessed: Option<Assessment>) -> Answer {
    Answer {
        scores: assessed.map(|assessment| assessment.scores),
        score_raw: assessed.map(|assessment| assessment.score_raw),
        p_value_ppm: assessed.and_then(|assessment| assessment.p_value_ppm),
        decision: Some(assessed.map_or(Decision::Invalid, |assessment| assessment.decision)),
        pin_high: false,
    }
}

/// Lets the detector reproduce the model's golden vectors on this very core.
///
/// # Errors
/// [`Stop::SelfTestFailed`] where a bit differs.
pub fn self_test<A: Arithmetic>(detector: &mut Detector<'_, A>) -> Result<(), Stop> {
    match detector.self_test() {
        Ok(vectors) => {
            defmt::info!("self-test passed: {} golden vectors", vectors);
            Ok(())
        }
        Err(error) => {
            defmt::error!("self-test failed: {}", error);
            Err(Stop::SelfTestFailed)
        }
    }
}

/// Answers every input that `board` fetches into `input`.
pub fn serve<B: Board>(board: &mut B, scorer: &mut impl Scorer, input: &mut [u8]) -> Ran {
    let stop = loop {
        let fetched = board.source().next(input).map_err(Stop::from);
        if let Err(stop) = fetched.and_then(|()| answer(board, scorer, input)) {
            break stop;
        }
    };
    Ran {
        stop,
        scratch_bytes: scorer.scratch_bytes(),
    }
}

/// Scores one input, shows the decision on the pin and reports both.
pub(crate) fn answer<B: Board>(
    board: &mut B,
    scorer: &mut impl Scorer,
    input: &[u8],
) -> Result<(), Stop> {
    let answer = scorer.score(input);
    show(board, answer)
}

/// Shows a decision on the pin and reports it.
///
/// # Errors
/// As [`Board::answer`].
#[inline]
pub fn show<B: Board>(board: &mut B, mut answer: Answer) -> Result<(), Stop> {
    answer.pin_high = pin::show(board, answer.decision);
    board.answer(&answer)
}

/// Bytes of latents, activations and the coder's state.
fn scratch_bytes<A: Arithmetic>(artifact: &Artifact<'_>) -> u32 {
    let need = artifact.scratch_need();
    let bytes = |count: u32, each: usize| (count as usize).saturating_mul(each);
    let buffers = bytes(need.latents, size_of::<A::Latent>())
        .saturating_add(bytes(need.activations, size_of::<A::Activation>()));
    u32::try_from(buffers.saturating_add(size_of::<Coder>())).unwrap_or(u32::MAX)
}
