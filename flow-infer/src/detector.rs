//! The way from an input to its scores, of models in any number format: what host tools and test firmware use.

use crate::artifact::Artifact;
use crate::engine::{Arithmetic, Elements, InputError, Noise, Request, ScratchMut};
use crate::gate::Decision;
use crate::score::Scores;
use crate::score::complexity::Coder;
use crate::scoring::Scoring;
use core::task::Poll;

/// A loaded model with the memory it works in.
#[derive(Debug)]
pub struct Detector<'a, A: Arithmetic> {
    artifact: &'a Artifact<'a>,
    scratch: ScratchMut<'a, A>,
    coder: &'a mut Coder,
}

/// A golden vector that this machine does not reproduce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SelfTestError {
    /// The scores of a vector differ from the recorded ones.
    Differs {
        /// Which vector.
        vector: u32,
    },
    /// A vector could not be evaluated.
    Refused {
        /// Which vector.
        vector: u32,
        /// Why.
        error: InputError,
    },
}

impl core::fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Differs { vector } => {
                write!(
                    f,
                    "golden vector {vector}: the scores differ from the recorded ones"
                )
            }
            Self::Refused { vector, error } => write!(f, "golden vector {vector}: {error}"),
        }
    }
}

impl core::error::Error for SelfTestError {}

impl SelfTestError {
    /// Which vector.
    pub(crate) const fn vector(self) -> u32 {
        match self {
            Self::Differs { vector } | Self::Refused { vector, .. } => vector,
        }
    }
}

impl<'a, A: Arithmetic> Detector<'a, A> {
    /// Joins a model, its scratch and the state of the complexity coder.
    pub fn new(
        artifact: &'a Artifact<'a>,
        scratch: ScratchMut<'a, A>,
        coder: &'a mut Coder,
    ) -> Self {
        Self {
            artifact,
            scratch,
            coder,
        }
    }

    /// The model.
    pub fn artifact(&self) -> &'a Artifact<'a> {
        self.artifact
    }

    /// The latents that the last evaluation left, image-shaped.
    pub fn latents(&self) -> &[A::Latent] {
        let dims = self.artifact.dims();
        self.scratch.latents.get(..dims).unwrap_or(&[])
    }

    /// All scores of an input.
    ///
    /// # Errors
    /// [`InputError`] as of [`evaluate`](crate::engine::evaluate).
    pub fn scores(&mut self, input: &[u8], noise: Noise<'_>) -> Result<Scores, InputError> {
        self.scores_of(input.into(), noise)
    }

    /// All scores of an input whose elements may be of any type.
    ///
    /// # Errors
    /// [`InputError`] as of [`evaluate_elements`](crate::engine::evaluate_elements).
    pub fn scores_of(
        &mut self,
        elements: Elements<'_>,
        noise: Noise<'_>,
    ) -> Result<Scores, InputError> {
        let (artifact, scratch) = (self.artifact, self.scratch.reborrow());
        let elements = elements.of_model(artifact);
        let request = Request::new(artifact, elements, noise, scratch)?;
        let mut scoring = Scoring::new(artifact, elements, request, self.coder);
        loop {
            if let Poll::Ready(scores) = scoring.poll(u32::MAX, None) {
                return Ok(scores);
            }
        }
    }

    /// All scores of an input, to be computed step by step.
    ///
    /// # Errors
    /// [`InputError`] as of [`evaluate_elements`](crate::engine::evaluate_elements).
    pub fn begin<'s>(
        &'s mut self,
        elements: Elements<'s>,
        noise: Noise<'s>,
    ) -> Result<Scoring<'s, A>, InputError> {
        let (artifact, scratch) = (self.artifact, self.scratch.reborrow());
        let elements = elements.of_model(artifact);
        let request = Request::new(artifact, elements, noise, scratch)?;
        Ok(Scoring::new(artifact, elements, request, self.coder))
    }

    /// What the file's gate says of an input; [`Decision::Invalid`] without a gate or for an input that is none.
    pub fn decide(&mut self, input: &[u8]) -> Decision {
        let scores = self.scores(input, Noise::Planned);
        match (self.artifact.calibration(), scores) {
            (Some(gate), Ok(scores)) => gate.decide(&scores),
            _ => Decision::Invalid,
        }
    }

    /// Evaluates the file's golden vectors and compares every bit; returns how many there are.
    ///
    /// # Errors
    /// The first vector that this machine does not reproduce.
    pub fn self_test(&mut self) -> Result<u32, SelfTestError> {
        let mut vector = 0;
        for golden in self.artifact.golden() {
            let scores = self.scores(golden.input, Noise::Planned);
            let scores = scores.map_err(|error| SelfTestError::Refused { vector, error })?;
            let same = scores.log_prob_raw == golden.log_prob_raw
                && scores.code_length_raw.unwrap_or(0) == golden.code_length_raw
                && scores.combined.map(|combined| combined.score_raw) == golden.combined_raw;
            if !same {
                return Err(SelfTestError::Differs { vector });
            }
            vector += 1;
        }
        Ok(vector)
    }
}
