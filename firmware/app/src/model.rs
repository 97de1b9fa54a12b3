//! A loaded model together with the memory it is evaluated in.

use crate::Stop;
use flow_infer::artifact::Artifact;
use flow_infer::engine::{Arithmetic, InputError, Noise, ScratchMut, evaluate};
use flow_infer::score::Scores;
use flowgate_stream::Answer;

/// A model and its scratch, in the number system that the model is stored in.
pub struct Model<'a, A: Arithmetic> {
    artifact: &'a Artifact<'a>,
    scratch: ScratchMut<'a, A>,
}

impl<'a, A: Arithmetic> Model<'a, A> {
    /// A model whose golden vectors gave the recorded bits, on this very core.
    ///
    /// # Errors
    /// [`Stop::SelfTestFailed`] where one did not.
    pub fn tested(artifact: &'a Artifact<'a>, scratch: ScratchMut<'a, A>) -> Result<Self, Stop> {
        let mut model = Self { artifact, scratch };
        let mut tested: u32 = 0;
        for vector in artifact.golden() {
            let scores = model.scores(vector.input).map_err(|_| Stop::SelfTestFailed)?;
            let same = scores.log_prob_raw == vector.log_prob_raw
                && scores.code_length_raw.unwrap_or(0) == vector.code_length_raw;
            if !same {
                return Err(Stop::SelfTestFailed);
            }
            tested = tested.wrapping_add(1);
        }
        defmt::info!("self-test passed: {} golden vectors", tested);
        Ok(model)
    }

    /// Scores and decision for one input.
    pub fn answer(&mut self, input: &[u8]) -> Answer {
        let scores = self.scores(input);
        Answer::new(self.artifact.gate(), scores)
    }

    /// Bytes of scratch that the model needs.
    #[must_use]
    pub fn scratch_bytes(&self) -> u32 {
        let need = self.artifact.scratch_need();
        let latents = need.latents.saturating_mul(size_of::<A::Latent>() as u32);
        let activations = need.activations.saturating_mul(size_of::<A::Activation>() as u32);
        latents.saturating_add(activations)
    }

    fn scores(&mut self, input: &[u8]) -> Result<Scores, InputError> {
        let scratch = self.scratch.reborrow();
        evaluate(self.artifact, input, Noise::Midpoint, scratch, &mut ()).map(|e| Scores {
            log_prob_raw: e.log_prob_raw,
            code_length_raw: None,
            saturated: e.saturated,
        })
    }
}
