//! The host's own answers, by the very crate that runs on the boards.

use crate::inputs::Inputs;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, Noise};
use flow_infer::gate::Decision;
use flow_infer::score::complexity::Coder;
use flow_train_host::by_number_format;
use flow_train_host::evaluate::HeapScratch;
use flowgate_stream::Answer;

/// Scores `inputs` with `model` on this machine; the pin is what it should be.
///
/// # Errors
/// The model is refused.
pub(crate) fn answers(model: &[u8], inputs: &Inputs) -> Result<Vec<Answer>> {
    let artifact = Artifact::load(model).context("the model is refused")?;
    inputs.check(&artifact)?;
    Ok(by_number_format!(
        artifact.number_format(),
        answers_in(&artifact, inputs)
    ))
}

fn answers_in<A: Arithmetic>(artifact: &Artifact<'_>, inputs: &Inputs) -> Vec<Answer> {
    let mut scratch = HeapScratch::<A>::new(artifact);
    let mut coder = Coder::new();
    let mut detector = Detector::new(artifact, scratch.borrow(), &mut coder);
    let mut answer = |input: &[u8]| {
        let scores = detector.scores(input, Noise::Planned);
        let mut answer = Answer::new(artifact, scores);
        answer.pin_high = answer.decision == Some(Decision::Accept);
        answer
    };
    inputs.iter().map(&mut answer).collect()
}
