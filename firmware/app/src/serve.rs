//! Scores whatever the board fetches, until there is nothing more.

use crate::{Board, Ran, Stop, pin};
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, Noise};
use flow_infer::score::complexity::Coder;
use flowgate_stream::Answer;

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
pub fn serve<B: Board, A: Arithmetic>(
    board: &mut B,
    detector: &mut Detector<'_, A>,
    input: &mut [u8],
) -> Ran {
    let stop = loop {
        if let Err(stop) = board
            .next(input)
            .and_then(|()| answer(board, detector, input))
        {
            break stop;
        }
    };
    Ran {
        stop,
        scratch_bytes: scratch_bytes(detector),
    }
}

/// Scores one input, shows the decision on the pin and reports both.
pub(crate) fn answer<B: Board, A: Arithmetic>(
    board: &mut B,
    detector: &mut Detector<'_, A>,
    input: &[u8],
) -> Result<(), Stop> {
    let scores = detector.scores(input, Noise::Planned);
    let mut answer = Answer::new(detector.artifact().gate(), scores);
    answer.pin_high = pin::show(board, answer.decision);
    board.answer(&answer)
}

/// Bytes that the model needs in RAM: latents, activations and the coder's state.
fn scratch_bytes<A: Arithmetic>(detector: &Detector<'_, A>) -> u32 {
    let need = detector.artifact().scratch_need();
    let bytes = |count: u32, each: usize| (count as usize).saturating_mul(each);
    let buffers = bytes(need.latents, size_of::<A::Latent>())
        .saturating_add(bytes(need.activations, size_of::<A::Activation>()));
    u32::try_from(buffers.saturating_add(size_of::<Coder>())).unwrap_or(u32::MAX)
}
