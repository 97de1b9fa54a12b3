//! A model, ready to decide.

use super::{
    Assessment, BorrowedMemory, Evaluation, FrameMemory, Input, InputError, Memory, Model,
    OpenError, SelfTestFailed,
};
use crate::artifact::Artifact;
use crate::detector::Detector;
use crate::drift::DriftAlarm;
use crate::engine::{Elements, Fixed, LATENT_FRACTION_BITS, Noise, Request, ScratchMut};
#[cfg(feature = "windows")]
use crate::front_end::windows::Ring;
use crate::gate::{AdaptiveThreshold, Decision, SequenceAlarm};
use crate::plan::{NumberFormat, PlannedInput};
use crate::score::ScoreKind;
use crate::score::complexity::Coder;
use crate::scoring::Scoring;

/// A calibrated model with its memory, tested on this very machine: what is left to go wrong is the input.
///
/// It owns what it needs and borrows the model's bytes and the workspace, so it can live in a struct of the
/// application; with `'static` bytes and memory it is `Gate<'static>` and may move anywhere.
#[derive(Debug)]
pub struct Gate<'m> {
    pub(super) artifact: Artifact<'m>,
    pub(super) scratch: ScratchMut<'m, Fixed>,
    pub(super) coder: &'m mut Coder,
    #[cfg(any(feature = "frames", feature = "windows"))]
    pub(super) frames: FrameMemory<'m>,
    #[cfg(feature = "windows")]
    pub(super) ring: Ring,
}

impl<'m> Gate<'m> {
    /// Loads a model and opens its gate; see [`Gate::new`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(bytes: &'m [u8], memory: &'m mut impl Memory) -> Result<Self, OpenError> {
        Self::new(Model::load(bytes)?, memory)
    }

    /// The gate of a model: in integers, calibrated, with enough memory, and every golden vector of the file has come
    /// out to the bit.
    ///
    /// # Errors
    /// [`OpenError`]: which of these does not hold.
    pub fn new(model: Model<'m>, memory: &'m mut impl Memory) -> Result<Self, OpenError> {
        Self::in_memory(model, memory.lend())
    }

    /// [`Gate::new`] in memory whose parts the caller holds, as the C interface does.
    ///
    /// # Errors
    /// [`OpenError`].
    #[doc(hidden)]
    #[cfg_attr(
        not(any(feature = "frames", feature = "windows")),
        allow(unused_variables)
    )]
    pub fn in_memory(
        model: Model<'m>,
        (mut memory, frames): (BorrowedMemory<'m>, FrameMemory<'m>),
    ) -> Result<Self, OpenError> {
        let artifact = model.0;
        check(&artifact, &mut memory)?;
        let BorrowedMemory { scratch, coder } = memory;
        Ok(Self {
            artifact,
            scratch,
            coder,
            #[cfg(any(feature = "frames", feature = "windows"))]
            frames,
            #[cfg(feature = "windows")]
            ring: Ring::new(),
        })
    }

    /// Whether an input is like the data that the model was built for.
    ///
    /// # Errors
    /// [`InputError`]: what is given is no input of this model.
    pub fn decide(&mut self, input: &(impl Input + ?Sized)) -> Result<Decision, InputError> {
        self.assess(input).map(|assessment| assessment.decision)
    }

    /// The decision with the numbers behind it.
    ///
    /// # Errors
    /// [`InputError`]: what is given is no input of this model.
    pub fn assess(&mut self, input: &(impl Input + ?Sized)) -> Result<Assessment, InputError> {
        self.assess_elements(input.elements())
    }

    /// The assessment of an input, to be computed step by step between other work.
    ///
    /// # Errors
    /// [`InputError`]: what is given is no input of this model.
    pub fn begin<'e>(
        &'e mut self,
        input: &'e (impl Input + ?Sized),
    ) -> Result<Evaluation<'e>, InputError> {
        let elements = input.elements().of_model(&self.artifact);
        elements.check(&self.artifact)?;
        let (artifact, scratch) = (&self.artifact, self.scratch.reborrow());
        let request = Request::new(artifact, elements, Noise::Planned, scratch);
        let request = request.map_err(|_| InputError::NotFinite)?;
        let scoring = Scoring::new(artifact, elements, request, self.coder);
        Ok(Evaluation::new(artifact, scoring))
    }

    /// Evaluates the file's golden vectors again and returns how many there are: for programs that test themselves
    /// from time to time.
    ///
    /// # Errors
    /// The first vector that does not come out to the bit.
    pub fn self_test(&mut self) -> Result<u32, SelfTestFailed> {
        self_test(&mut self.detector())
    }

    /// How far every latent of the last input lies from the middle of the prior: half its square,
    /// in units of 2^-16 nats, where its pixel lies (channel by channel, row by row). Together what
    /// the prior takes off the log-likelihood, read from the workspace that is there anyway: a rough
    /// picture of where the input is odd. (Host tools have a finer one, which counts log_det as
    /// well.) Anything before the first input.
    pub fn latent_squares(&self) -> impl Iterator<Item = u32> + '_ {
        let latents = self.scratch.latents.get(..self.artifact.dims());
        latents.unwrap_or(&[]).iter().map(|&z| {
            let half_square = (i64::from(z) * i64::from(z)) >> (2 * LATENT_FRACTION_BITS - 15);
            u32::try_from(half_square).unwrap_or(u32::MAX)
        })
    }

    /// An alarm for slow change, fed with [`Assessment::score_raw`], that inputs like the calibration data raise once
    /// in `inputs` on average or more rarely. `None` of a gate that was calibrated on too few inputs (500 are enough),
    /// or on many with the same score.
    pub fn drift_alarm(&self, inputs: u32) -> Option<DriftAlarm> {
        DriftAlarm::new(self.artifact.calibration()?, inputs)
    }

    /// An alarm that benign inputs raise with probability at most `level_ppm` / 10^6 in all of the gate's life, fed with
    /// [`Assessment::p_value_ppm`]. `None` of a gate without p-values or calibrated on too few inputs (230 are enough).
    pub fn sequence_alarm(&self, level_ppm: u32) -> Option<SequenceAlarm> {
        let samples = self.artifact.p_values()?.samples();
        SequenceAlarm::new(samples, level_ppm)
    }

    /// The gate's threshold, to follow slow change: by steps of a 64th of the distance between lowest and median
    /// calibration score, and never further than that distance. `None` of a file without that table.
    pub fn adaptive_threshold(&self) -> Option<AdaptiveThreshold> {
        AdaptiveThreshold::of(self.artifact.calibration()?)
    }

    /// The file's parts, for host tools.
    #[doc(hidden)]
    pub fn artifact(&self) -> &Artifact<'m> {
        &self.artifact
    }

    fn detector(&mut self) -> Detector<'_, Fixed> {
        Detector::new(&self.artifact, self.scratch.reborrow(), self.coder)
    }

    fn assess_elements(&mut self, elements: Elements<'_>) -> Result<Assessment, InputError> {
        assess(&mut self.detector(), elements)
    }
}

/// What the gate of a detector's model says of an input.
pub(super) fn assess(
    detector: &mut Detector<'_, Fixed>,
    elements: Elements<'_>,
) -> Result<Assessment, InputError> {
    let artifact = detector.artifact();
    let elements = elements.of_model(artifact);
    elements.check(artifact)?;
    // Of an input of the right size only this can be wrong: the rest was checked when the gate was opened.
    let scores = detector.scores_of(elements, Noise::Planned);
    let scores = scores.map_err(|_| InputError::NotFinite)?;
    Ok(Assessment::of(artifact, scores))
}

fn self_test(detector: &mut Detector<'_, Fixed>) -> Result<u32, SelfTestFailed> {
    let tested = detector.self_test();
    tested.map_err(|error| SelfTestFailed {
        vector: error.vector(),
    })
}

/// Everything that deciding relies on, the golden vectors included.
pub(super) fn check(
    artifact: &Artifact<'_>,
    memory: &mut BorrowedMemory<'_>,
) -> Result<(), OpenError> {
    check_model(artifact, &memory.scratch)?;
    let mut detector = Detector::new(artifact, memory.scratch.reborrow(), memory.coder);
    self_test(&mut detector).map_err(OpenError::SelfTest)?;
    Ok(())
}

fn check_model(artifact: &Artifact<'_>, scratch: &ScratchMut<'_, Fixed>) -> Result<(), OpenError> {
    if artifact.number_format() != NumberFormat::Q8 {
        return Err(OpenError::NumberFormat);
    }
    let calibration = artifact.calibration().ok_or(OpenError::NotCalibrated)?;
    let image = matches!(artifact.input(), PlannedInput::Image { .. });
    let has_code = image || artifact.windows().is_some();
    if calibration.score == ScoreKind::Complexity && !has_code {
        return Err(OpenError::Score);
    }
    let need = artifact.scratch_need();
    let (latents, activations) = (need.latents as usize, need.activations as usize);
    if scratch.latents.len() < latents || scratch.activations.len() < activations {
        return Err(OpenError::Workspace {
            needed: bytes(latents, activations),
            given: bytes(scratch.latents.len(), scratch.activations.len()),
        });
    }
    Ok(())
}

/// Bytes of so many latents and activations, and of the coder.
fn bytes(latents: usize, activations: usize) -> u32 {
    let latents = latents.saturating_mul(size_of::<i32>());
    let activations = activations.saturating_mul(size_of::<i16>());
    let sum = latents
        .saturating_add(activations)
        .saturating_add(size_of::<Coder>());
    u32::try_from(sum).unwrap_or(u32::MAX)
}
