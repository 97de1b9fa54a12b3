//! Decisions about a camera's frames, whole or row by row.

use super::{Assessment, Evaluation, Gate};
use crate::artifact::Artifact;
use crate::detector::Detector;
use crate::engine::{Elements, Fixed, Noise, Request, ScratchMut};
use crate::front_end::{Frame, FrameError, FrameReader, FrameSpec, FrontEnd, Reduction};
use crate::gate::Decision;
use crate::score::complexity::Coder;
use crate::scoring::Scoring;

impl<'m> Gate<'m> {
    /// Whether a frame is like those that the model was built for: the front end of its file makes the input of it.
    ///
    /// # Errors
    /// [`FrameError`]: the model is for no frames, or not for such.
    pub fn decide_frame(&mut self, frame: &Frame<'_>) -> Result<Decision, FrameError> {
        self.assess_frame(frame).map(|a| a.decision)
    }

    /// The decision about a frame with the numbers behind it.
    ///
    /// # Errors
    /// As [`Gate::decide_frame`].
    pub fn assess_frame(&mut self, frame: &Frame<'_>) -> Result<Assessment, FrameError> {
        let mut input = self.frame(frame.spec())?;
        input.reader.push_frame(frame)?;
        input.assess()
    }

    /// Begins a frame that comes row by row, as a camera or a DMA delivers it.
    ///
    /// # Errors
    /// [`FrameError`]: the model is for no frames, or not for such; or [`FrameError::Memory`], where the workspace has
    /// none for frames.
    pub fn frame(&mut self, spec: FrameSpec) -> Result<FrameInput<'_, 'm>, FrameError> {
        let reduction = reduction(&self.artifact)?;
        let memory = &mut self.frames;
        let reader = FrameReader::new(reduction, spec, memory.sums, memory.input)?;
        Ok(FrameInput {
            artifact: &self.artifact,
            scratch: self.scratch.reborrow(),
            coder: self.coder,
            reader,
        })
    }
}

fn reduction<'a>(artifact: &'a Artifact<'_>) -> Result<&'a Reduction, FrameError> {
    match artifact.front_end() {
        Some(FrontEnd::Frames(reduction)) => Ok(reduction),
        None => Err(FrameError::NoFrontEnd),
    }
}

/// A frame on its way into a [`Gate`], of which a few sums are kept and no pixel.
///
/// ```
/// # flow_infer::gate!(Parts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/parts.flow"));
/// # struct Camera;
/// # impl Camera { fn row(&mut self, y: u8) -> [u8; 2 * 20] { [y; 40] } }
/// # let mut camera = Camera;
/// use flow_infer::{FrameSpec, PixelFormat};
///
/// let mut gate = Parts::take()?;
/// let mut frame = gate.frame(FrameSpec::new(PixelFormat::Yuyv, 20, 12))?;
/// for y in 0..12 {
///     frame.push_row(&[&camera.row(y)])?;
/// }
/// let decision = frame.decide()?;
/// # assert!(!decision.accepted());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FrameInput<'g, 'm> {
    artifact: &'g Artifact<'m>,
    scratch: ScratchMut<'g, Fixed>,
    coder: &'g mut Coder,
    reader: FrameReader<'g>,
}

impl<'g> FrameInput<'g, '_> {
    /// Takes the next row of pixels: the row of each plane that belongs to it, in the order of the planes. Where a
    /// chroma row serves two rows of pixels, it is given with both.
    ///
    /// # Errors
    /// [`FrameError::Planes`], [`FrameError::Row`], [`FrameError::Excess`]; the row is then not taken.
    pub fn push_row(&mut self, planes: &[&[u8]]) -> Result<(), FrameError> {
        self.reader.push_row(planes)
    }

    /// Rows that are still to come.
    pub fn missing(&self) -> u32 {
        self.reader.missing()
    }

    /// Forgets the rows that have come: another frame begins, whose first row is next.
    pub fn restart(&mut self) {
        self.reader.restart();
    }

    /// The assessment of the frame, to be computed step by step between other work, such as taking in the rows of the
    /// next frame.
    ///
    /// # Errors
    /// [`FrameError::Unfinished`].
    pub fn begin(self) -> Result<Evaluation<'g>, FrameError> {
        let artifact: &'g Artifact<'g> = self.artifact;
        let input = Elements::Bytes(self.reader.into_input()?);
        let checked = input.check(artifact);
        // A front end that loads makes the model's own input.
        checked.map_err(|_| FrameError::Output)?;
        let request = Request::new(artifact, input, Noise::Planned, self.scratch);
        let request = request.map_err(|_| FrameError::Output)?;
        let scoring = Scoring::new(artifact, input, request, self.coder);
        Ok(Evaluation::new(artifact, scoring))
    }

    /// Whether the frame is like those that the model was built for.
    ///
    /// # Errors
    /// [`FrameError::Unfinished`].
    pub fn decide(self) -> Result<Decision, FrameError> {
        self.assess().map(|assessment| assessment.decision)
    }

    /// The decision with the numbers behind it.
    ///
    /// # Errors
    /// [`FrameError::Unfinished`].
    pub fn assess(self) -> Result<Assessment, FrameError> {
        let input = Elements::Bytes(self.reader.input()?);
        let mut detector = Detector::new(self.artifact, self.scratch, self.coder);
        // A front end that loads makes the model's own input.
        let scores = detector.scores_of(input, Noise::Planned);
        let scores = scores.map_err(|_| FrameError::Output)?;
        Ok(Assessment::of(self.artifact, scores))
    }
}
