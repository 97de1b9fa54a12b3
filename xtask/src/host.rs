//! The host's own answers, by the very crate that runs on the boards.

use crate::inputs::Inputs;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Arithmetic, F16, F32, Fixed, Noise, ScratchMut, evaluate};
use flow_infer::gate::Decision;
use flow_infer::plan::NumberFormat;
use flow_infer::score::Scores;
use flowgate_stream::Answer;

/// Scores `inputs` with `model` on this machine; the pin is what it should be.
///
/// # Errors
/// The model is refused.
pub(crate) fn answers(model: &[u8], inputs: &Inputs) -> Result<Vec<Answer>> {
    let artifact = Artifact::load(model).context("the model is refused")?;
    Ok(match artifact.number_format() {
        NumberFormat::Q8 => answers_in::<Fixed>(&artifact, inputs),
        NumberFormat::F32 => answers_in::<F32>(&artifact, inputs),
        NumberFormat::F16 => answers_in::<F16>(&artifact, inputs),
    })
}

fn answers_in<A: Arithmetic>(artifact: &Artifact<'_>, inputs: &Inputs) -> Vec<Answer> {
    let need = artifact.scratch_need();
    let mut latents = vec![A::ZERO_LATENT; need.latents as usize];
    let mut activations = vec![A::ZERO_ACTIVATION; need.activations as usize];
    let mut answer = |input: &[u8]| {
        let scratch = ScratchMut::<A> { latents: &mut latents, activations: &mut activations };
        let scores = evaluate(artifact, input, Noise::Midpoint, scratch, &mut ()).map(|e| Scores {
            log_prob_raw: e.log_prob_raw,
            code_length_raw: None,
            saturated: e.saturated,
        });
        let mut answer = Answer::new(artifact.gate(), scores);
        answer.pin_high = answer.decision == Some(Decision::Accept);
        answer
    };
    inputs.iter().map(&mut answer).collect()
}
