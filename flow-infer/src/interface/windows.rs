//! Decisions about a sensor's samples, one sample at a time.

use super::{Assessment, Evaluation, Gate, WindowShape};
use crate::artifact::Artifact;
use crate::detector::Detector;
use crate::engine::{Elements, Noise, Request};
use crate::front_end::windows::Ring;
use crate::gate::Decision;
use crate::scoring::Scoring;
use core::error::Error;
use core::fmt::{Display, Formatter, Result as Written};

/// Why a sample is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WindowError {
    /// The model's file says nothing of windows.
    NoFrontEnd,
    /// Another number of values than the sensor has channels.
    Channels {
        /// Channels of the model's sensor.
        expected: u8,
        /// Values that there are.
        given: u32,
    },
    /// The workspace has no memory for a window.
    Memory,
}

impl Display for WindowError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        match self {
            Self::NoFrontEnd => f.write_str("the model's file says nothing of windows"),
            Self::Channels { expected, given } => {
                write!(
                    f,
                    "a sample of {given} values, the model reads {expected} channels"
                )
            }
            Self::Memory => f.write_str("the workspace has no memory for a window"),
        }
    }
}

impl Error for WindowError {}

impl Gate<'_> {
    /// Takes a sample, one value a channel, and gives the decision about the window that ends with it, where one is due.
    ///
    /// A window is due when as many samples have come as it has, and then after every hop. Where samples were lost, call
    /// [`Gate::restart_window`]: a window has no gap.
    ///
    /// ```
    /// # flow_infer::gate!(Motion = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/motion.flow"));
    /// # struct Accelerometer(u32);
    /// # impl Accelerometer {
    /// #     fn read(&mut self) -> Option<[i16; 2]> {
    /// #         self.0 += 1;
    /// #         (self.0 < 100).then_some([0, 0])
    /// #     }
    /// # }
    /// # let mut accelerometer = Accelerometer(0);
    /// use flow_infer::Decision;
    ///
    /// let mut gate = Motion::take()?;
    /// while let Some(sample) = accelerometer.read() {
    ///     if let Some(assessment) = gate.push(&sample)? {
    ///         if let Some(fault) = assessment.scores.fault {
    ///             // Nothing moved at all, not even noise: the sensor is stuck.
    ///             assert_eq!(assessment.decision, Decision::Invalid);
    ///             # assert_eq!((fault.channel, fault.kind.name()), (0, "stuck"));
    ///         }
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WindowError`]; the sample is then not taken.
    pub fn push(&mut self, sample: &[i16]) -> Result<Option<Assessment>, WindowError> {
        if !self.take_sample(sample)? {
            return Ok(None);
        }
        let window = window(&self.artifact, &self.ring, self.frames.input)?;
        let scratch = self.scratch.reborrow();
        let mut detector = Detector::new(&self.artifact, scratch, self.coder);
        let scores = detector.scores_of(window, Noise::Planned);
        // A front end that loads makes the model's own input.
        let scores = scores.map_err(|_| WindowError::NoFrontEnd)?;
        Ok(Some(Assessment::of(&self.artifact, scores)))
    }

    /// As [`Gate::push`], and no more than the decision.
    ///
    /// # Errors
    /// [`WindowError`]; the sample is then not taken.
    pub fn decide_sample(&mut self, sample: &[i16]) -> Result<Option<Decision>, WindowError> {
        let assessment = self.push(sample)?;
        Ok(assessment.map(|assessment| assessment.decision))
    }

    /// As [`Gate::push`], the assessment to be computed step by step between other work. No sample can be taken
    /// meanwhile: a sensor with a memory of its own keeps them.
    ///
    /// # Errors
    /// [`WindowError`]; the sample is then not taken.
    pub fn push_and_begin(
        &mut self,
        sample: &[i16],
    ) -> Result<Option<Evaluation<'_>>, WindowError> {
        if !self.take_sample(sample)? {
            return Ok(None);
        }
        let artifact = &self.artifact;
        let window = window(artifact, &self.ring, self.frames.input)?;
        let request = Request::new(artifact, window, Noise::Planned, self.scratch.reborrow());
        let request = request.map_err(|_| WindowError::NoFrontEnd)?;
        let scoring = Scoring::new(artifact, window, request, self.coder);
        Ok(Some(Evaluation::new(artifact, scoring)))
    }

    /// Forgets the samples that have come: some were lost, or the sensor was switched off.
    pub fn restart_window(&mut self) {
        self.ring.reset();
    }

    /// The windows that the model is for, if it is for such.
    pub fn windows(&self) -> Option<WindowShape<'_>> {
        self.artifact.windows().map(WindowShape)
    }

    /// Takes a sample and says whether a window is due.
    fn take_sample(&mut self, sample: &[i16]) -> Result<bool, WindowError> {
        let windows = self.artifact.windows().ok_or(WindowError::NoFrontEnd)?;
        if sample.len() != windows.channels() {
            return Err(WindowError::Channels {
                expected: windows.channels() as u8,
                given: u32::try_from(sample.len()).unwrap_or(u32::MAX),
            });
        }
        let memory = self.frames.input.get_mut(..windows.byte_len());
        let memory = memory.ok_or(WindowError::Memory)?;
        Ok(self.ring.push(&windows, memory, sample))
    }
}

/// The last window.
fn window<'w>(
    artifact: &Artifact<'w>,
    ring: &Ring,
    memory: &'w [u8],
) -> Result<Elements<'w>, WindowError> {
    let windows = artifact.windows().ok_or(WindowError::NoFrontEnd)?;
    Ok(Elements::Window(windows, ring.window(&windows, memory)))
}
