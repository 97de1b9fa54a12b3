//! The evaluation of one input in pieces.

use super::Assessment;
use crate::artifact::Artifact;
use crate::engine::{Fixed, STEP_PRODUCTS};
use crate::scoring::Scoring;
use core::task::Poll;

/// The evaluation of one input, computed a few steps at a time: [`Gate::begin`](crate::Gate::begin).
///
/// Between two polls the program does what it likes: feed a watchdog, answer a bus, yield to other tasks. The result is
/// that of [`Gate::assess`](crate::Gate::assess) to the bit, wherever the evaluation is left. Dropping it abandons the
/// input; until then it borrows the gate, so two inputs are never mixed.
///
/// ```
/// use core::task::Poll;
/// use flow_infer::{Gate, Model, Workspace};
///
/// # let bytes = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pump.flow"));
/// # let model = Model::load(bytes)?;
/// # let mut workspace = Workspace::for_model(&model);
/// # let mut gate = Gate::new(model, &mut workspace)?;
/// # let mut fed = 0;
/// # let mut feed_the_watchdog = || fed += 1;
/// let input = [1.0f32, -2.0];
/// let mut evaluation = gate.begin(&input)?;
/// let assessment = loop {
///     match evaluation.poll(1) {
///         Poll::Ready(assessment) => break assessment,
///         Poll::Pending => feed_the_watchdog(),
///     }
/// };
/// assert_eq!(assessment, gate.assess(&input)?);
/// # assert!(fed > 2, "fed {fed} times");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # How long a step is
///
/// A step multiplies about 65,536 times at most: a longer row of a layer is divided between its columns, and a column
/// between its output channels. On an emulated Cortex-M4 the longest step of the committed models takes 127,000
/// instructions (`cargo xtask bench steps`), of 36 and 73 million of an image.
///
/// An evaluation is 3 KiB that live in it, on the stack or in a task, beside the gate's workspace. On a host a gate
/// computes whole inputs faster: laid out weights are not kept from poll to poll.
#[derive(Debug)]
pub struct Evaluation<'e> {
    artifact: &'e Artifact<'e>,
    scoring: Scoring<'e, Fixed>,
}

impl<'e> Evaluation<'e> {
    #[inline(always)]
    pub(super) fn new(artifact: &'e Artifact<'e>, scoring: Scoring<'e, Fixed>) -> Self {
        Self { artifact, scoring }
    }

    /// Computes at most so many steps more. An assessment that is there comes again when it is asked for again.
    pub fn poll(&mut self, steps: u32) -> Poll<Assessment> {
        let scores = self.scoring.poll(steps, Some(STEP_PRODUCTS));
        scores.map(|scores| Assessment::of(self.artifact, scores))
    }
}
