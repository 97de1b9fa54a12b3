//! The scores of one input, step by step: the flow's, then the code length, then what the tests make of both.

#[cfg(feature = "windows")]
mod windowed;

use crate::artifact::Artifact;
use crate::engine::{Arithmetic, Elements, Evaluator, Request};
use crate::plan::{PlannedInput, parts};
use crate::score::complexity::{Coder, Measuring};
use crate::score::{Exposure, Scores};
use crate::spec::Shape;
use core::task::Poll;
#[cfg(feature = "windows")]
use windowed::Windowed;

/// The scores of one input while they are computed.
#[derive(Debug)]
pub struct Scoring<'s, A: Arithmetic> {
    artifact: &'s Artifact<'s>,
    /// The bytes of an image; nothing of other inputs.
    image: &'s [u8],
    evaluator: Evaluator<'s, A>,
    coder: &'s mut Coder,
    measuring: Measuring,
    /// The window; none of other inputs.
    #[cfg(feature = "windows")]
    window: Option<Windowed<'s>>,
}

impl<'s, A: Arithmetic> Scoring<'s, A> {
    /// Nothing computed yet of a request for these elements.
    #[inline(always)]
    pub(crate) fn new(
        artifact: &'s Artifact<'s>,
        elements: Elements<'s>,
        request: Request<'s, A>,
        coder: &'s mut Coder,
    ) -> Self {
        let shape = match *artifact.input() {
            PlannedInput::Image { shape, .. } if parts::IMAGES => shape,
            _ => Shape::new(0, 0, 0),
        };
        Self {
            artifact,
            image: elements.image(),
            evaluator: Evaluator::new(request),
            coder,
            measuring: Measuring::new(shape),
            #[cfg(feature = "windows")]
            window: Windowed::of(elements),
        }
    }

    /// Does at most so many steps, as of [`Evaluator::poll`] and rows of the code length. Scores that are there come
    /// again when they are asked for again.
    #[inline(always)]
    pub fn poll(&mut self, mut steps: u32, most: Option<usize>) -> Poll<Scores> {
        let Poll::Ready(evaluation) = self.evaluator.poll(&mut steps, most) else {
            return Poll::Pending;
        };
        let mut scores = Scores {
            log_prob_raw: evaluation.log_prob_raw,
            squares_raw: evaluation.squares_raw,
            ratio_raw: self.artifact.has_ratio().then_some(evaluation.ratio_raw),
            marginals: (self.artifact.has_marginals()).then_some(evaluation.marginals),
            saturated: evaluation.saturated,
            ..Scores::default()
        };
        if parts::IMAGES && matches!(self.artifact.input(), PlannedInput::Image { .. }) {
            while !self.measuring.is_complete() {
                if steps == 0 {
                    return Poll::Pending;
                }
                steps -= 1;
                self.measuring.row(self.image, self.coder);
            }
            scores.code_length_raw = Some(self.measuring.length().nats_raw());
            scores.exposure = Some(Exposure::of(self.image));
        }
        #[cfg(feature = "windows")]
        if let Some(window) = &mut self.window {
            if !window.poll(&mut steps) {
                return Poll::Pending;
            }
            scores.code_length_raw = Some(window.code_length().nats_raw());
            scores.fault = window.fault();
        }
        let tests = self.artifact.tests();
        scores.combined = tests.and_then(|tests| tests.combine(&scores));
        Poll::Ready(scores)
    }
}
