//! One `.flow` file: checked whole before anything of it is used, then read in place.
//!
//! The description of every byte is `documents/format.md`. Loading copies nothing: weights stay in flash.

mod front_end;
mod golden;
mod header;
mod included;

pub use front_end::{FrontEndNeed, front_end_need};
pub use golden::{Golden, GoldenVector};
pub use header::{
    CHECKSUM_LEN, FORMAT_VERSION, HEADER_LEN, MAGIC, PUBLIC_KEY_LEN, SECTION_ALIGNMENT,
    SECTION_ENTRY_LEN, SIGNATURE_LEN, Section, field, scratch_need,
};
pub use included::{assert_gate, input_len, reads_frames, reads_windows};

use crate::front_end::FrontEnd;
use crate::front_end::windows::Windows;
use crate::gate::{Calibration, PValues};
use crate::plan::{
    Coupling, NumberFormat, PlanError, PlanHead, PlannedInput, ScratchNeed, Step, Steps, parts,
    validate_head, validate_step,
};
use crate::score::combined::{TestKind, Tests};
use crate::score::{ScoreKind, Scores};
use crc::{CRC_32_ISO_HDLC, Crc};

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// CRC-32 (ISO-HDLC) of bytes: the checksum of the format.
pub fn checksum(bytes: &[u8]) -> u32 {
    CHECKSUM.checksum(bytes)
}

/// Why bytes are not a `.flow` file that this crate runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LoadError {
    /// The first bytes are not a `.flow` file's.
    Magic,
    /// A format version that this crate does not know.
    Version(u16),
    /// Fewer or more bytes than the header says.
    Length,
    /// The checksum does not match: the file is damaged.
    Checksum,
    /// A number format that this crate does not know.
    NumberFormat,
    /// A section that overlaps the header, is misaligned or reaches past the end.
    SectionTable,
    /// No plan, or no tensors.
    MissingSection,
    /// The plan is malformed.
    Plan(PlanError),
    /// The scratch sizes in the header are not those that the plan needs.
    Scratch,
    /// The gate's calibration cannot be decoded.
    Calibration,
    /// The golden vectors do not fit the input, or lack a combined score that the file's tests give.
    Golden,
    /// The front end cannot be decoded, or does not lead to the input.
    FrontEnd,
    /// The tests of the combined score are malformed, or the gate decides by tests that are not there.
    Tests,
    /// The table of p-values is malformed, or of another calibration than the gate.
    PValues,
    /// A signature of another length, or bytes behind it that it does not cover.
    Signature,
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Magic => f.write_str("not a .flow file"),
            Self::Version(version) => write!(
                f,
                "format version {version}, but this build reads version {FORMAT_VERSION}"
            ),
            Self::Length => {
                f.write_str("the length differs from what the header says: truncated or padded")
            }
            Self::Checksum => f.write_str("the checksum does not match: the file is damaged"),
            Self::NumberFormat => f.write_str("unknown number format"),
            Self::SectionTable => f.write_str("the section table is malformed"),
            Self::MissingSection => f.write_str("the plan or the tensors are missing"),
            Self::Plan(error) => write!(f, "malformed plan: {error}"),
            Self::Scratch => f.write_str("the header's scratch sizes are not those of the plan"),
            Self::Calibration => f.write_str("the gate's calibration is malformed"),
            Self::FrontEnd => f.write_str("the front end is malformed or not the input's"),
            Self::Golden => f.write_str("the golden vectors do not fit the input or the tests"),
            Self::Tests => f.write_str("the tests of the combined score are malformed"),
            Self::PValues => f.write_str("the p-values are malformed or not those of the gate"),
            Self::Signature => f.write_str("the signature does not cover the file"),
        }
    }
}

impl core::error::Error for LoadError {}

/// What a signature covers, and the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'b> {
    /// All bytes before the signature.
    pub message: &'b [u8],
    /// The signer's ed25519 key.
    pub public_key: &'b [u8; PUBLIC_KEY_LEN],
    /// ed25519 signature of the message.
    pub signature: &'b [u8; SIGNATURE_LEN],
}

/// A loaded `.flow` file. Everything in it has been checked; reading it cannot fail.
#[derive(Clone, Debug)]
pub struct Artifact<'b> {
    bytes: &'b [u8],
    format: NumberFormat,
    head: PlanHead,
    steps: Steps<'b>,
    tensors: &'b [u8],
    need: ScratchNeed,
    has_ratio: bool,
    /// Steps up to the one that standardizes every value of the input; none where no such step comes first.
    standardizing: usize,
    gate: Option<Calibration>,
    front_end: Option<FrontEnd>,
    #[cfg(feature = "windows")]
    windows: Option<Windows<'b>>,
    tests: Option<Tests<'b>>,
    p_values: Option<PValues<'b>>,
}

impl<'b> Artifact<'b> {
    /// Checks every byte and borrows the file.
    ///
    /// # Errors
    /// [`LoadError`]; nothing of a malformed file is ever run.
    pub fn load(bytes: &'b [u8]) -> Result<Self, LoadError> {
        let format = check_envelope(bytes)?;
        let plan = find(bytes, Section::Plan).ok_or(LoadError::MissingSection)?;
        let tensors = find(bytes, Section::Tensors).ok_or(LoadError::MissingSection)?;
        let (head, steps) = Steps::parse(plan).map_err(encoding)?;
        validate_head(&head, format, tensors).map_err(LoadError::Plan)?;
        let checked = check_steps(steps.clone(), &head, format, tensors)?;
        let latents = head.input.latents() as u32;
        let need = ScratchNeed {
            latents,
            activations: checked.activations,
        };
        if stated_need(bytes) != need {
            return Err(LoadError::Scratch);
        }
        let gate =
            Calibration::decode(find(bytes, Section::Gate)).map_err(|_| LoadError::Calibration)?;
        let windows = match parts::WINDOWS {
            true => front_end::windows(find(bytes, Section::FrontEnd), &head.input)?,
            false => None,
        };
        let artifact = Self {
            tests: read_tests(
                bytes,
                (&head.input, &checked, windows.is_some()),
                gate.as_ref(),
            )?,
            p_values: read_p_values(bytes, gate.as_ref())?,
            bytes,
            format,
            head,
            steps,
            tensors,
            need,
            has_ratio: checked.has_ratio,
            standardizing: checked.standardizing,
            gate,
            front_end: front_end::decode(find(bytes, Section::FrontEnd), &head.input)?,
            #[cfg(feature = "windows")]
            windows,
        };
        artifact.golden().check(artifact.tests.is_some())?;
        Ok(artifact)
    }

    /// The whole file.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// How its numbers are stored.
    pub fn number_format(&self) -> NumberFormat {
        self.format
    }

    /// What the flow reads.
    pub fn input(&self) -> &PlannedInput {
        &self.head.input
    }

    /// Number of coordinates D.
    pub fn dims(&self) -> usize {
        self.head.input.shape().len()
    }

    /// The head of the plan.
    pub fn plan_head(&self) -> &PlanHead {
        &self.head
    }

    /// The steps of the plan.
    pub fn steps(&self) -> Steps<'b> {
        // A clone would be a call of memmove, which nothing else on a board needs.
        Steps::of(self.steps.rest(), self.head.steps)
    }

    /// The tensors.
    pub fn tensors(&self) -> &'b [u8] {
        self.tensors
    }

    /// Scratch that an evaluation needs.
    pub fn scratch_need(&self) -> ScratchNeed {
        self.need
    }

    /// Whether the plan has a ratio net.
    pub fn has_ratio(&self) -> bool {
        self.has_ratio
    }

    /// Whether the plan's first step, a ratio net aside, standardizes every value of the input.
    pub fn has_marginals(&self) -> bool {
        self.standardizing > 0
    }

    /// Whether that step is the last of so many.
    pub(crate) fn standardizes_after(&self, steps: usize) -> bool {
        self.standardizing == steps
    }

    /// The gate's calibration, if the file was calibrated.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.gate.as_ref()
    }

    /// What turns a frame into the input, if the file says.
    pub fn front_end(&self) -> Option<&FrontEnd> {
        self.front_end.as_ref()
    }

    /// How samples become the input, if the file says.
    #[inline(always)]
    pub fn windows(&self) -> Option<Windows<'b>> {
        #[cfg(feature = "windows")]
        return self.windows;
        #[cfg(not(feature = "windows"))]
        None
    }

    /// Bytes of an input, as in golden vectors: of the window, where the model is for windows.
    pub fn input_len(&self) -> usize {
        match self.windows() {
            Some(windows) => windows.byte_len(),
            None => self.head.input.byte_len(),
        }
    }

    /// Memory that reading frames or keeping a window takes.
    pub fn frame_need(&self) -> FrontEndNeed {
        FrontEndNeed::of(self.front_end(), self.windows())
    }

    /// The tests of the combined score, if the file carries any.
    pub fn tests(&self) -> Option<&Tests<'b>> {
        self.tests.as_ref()
    }

    /// The p-values, if the file carries any.
    pub fn p_values(&self) -> Option<&PValues<'b>> {
        self.p_values.as_ref()
    }

    /// How rarely benign inputs score as low as these, in parts per million and never too small; `None` without a
    /// table or without a deciding score. A saturated evaluation lies below all others.
    pub fn p_value_ppm(&self, scores: &Scores) -> Option<u32> {
        let deciding = self.gate.as_ref()?.score_raw(scores)?;
        let deciding = if scores.saturated { i64::MIN } else { deciding };
        Some(self.p_values.as_ref()?.ppm(deciding))
    }

    /// Golden vectors for the self-test.
    pub fn golden(&self) -> Golden<'b> {
        let vectors = self.section(Section::Golden);
        let combined = self.section(Section::GoldenCombined);
        Golden::new(vectors, combined, self.input_len())
    }

    /// Version of the model, counted up by whoever ships it.
    pub fn model_version(&self) -> u32 {
        let bytes = self
            .bytes
            .get(field::MODEL_VERSION)
            .and_then(|b| b.first_chunk());
        u32::from_le_bytes(bytes.copied().unwrap_or_default())
    }

    /// The file's signature, if it carries one.
    ///
    /// Loading does not check it: whose keys count is for the one who loads to say, and firmware that verifies has an
    /// ed25519 of its own (a bootloader's, a secure element's).
    pub fn signed(&self) -> Option<Signed<'b>> {
        let (_, offset, len) =
            entries(self.bytes).find(|&(kind, _, _)| kind == Section::Signature as u32)?;
        let (public_key, rest) = self.bytes.get(offset..)?.get(..len)?.split_first_chunk()?;
        Some(Signed {
            message: self.bytes.get(..offset)?,
            public_key,
            signature: rest.first_chunk()?,
        })
    }

    /// The bytes of a section; empty if it is not there.
    pub fn section(&self, section: Section) -> &'b [u8] {
        find(self.bytes, section).unwrap_or(&[])
    }
}

fn encoding(_: postcard::Error) -> LoadError {
    LoadError::Plan(PlanError::Encoding)
}

/// What is known of a plan whose steps have been checked.
struct Checked {
    activations: u32,
    has_ratio: bool,
    standardizing: usize,
}

/// Checks every step of a plan.
///
/// Never inlined: the coupling that it decodes would take two kilobytes of the stack as long as the gate is used.
#[inline(never)]
fn check_steps(
    mut steps: Steps<'_>,
    head: &PlanHead,
    format: NumberFormat,
    tensors: &[u8],
) -> Result<Checked, LoadError> {
    let mut checked = Checked {
        activations: 0,
        has_ratio: false,
        standardizing: 0,
    };
    let mut room = Coupling::empty();
    let (mut begun, mut ratios) = (0, 0);
    while let Some(step) = steps.next_in(&mut room) {
        let step = step.map_err(encoding)?;
        let need = validate_step(step, head, format, tensors).map_err(LoadError::Plan)?;
        checked.activations = need.max(checked.activations);
        // A ratio net before it changes nothing.
        if parts::GLOW && begun == ratios && step.standardizes() {
            checked.standardizing = begun + 1;
        }
        begun += 1;
        ratios += usize::from(matches!(step, Step::Ratio(_)));
    }
    if !steps.rest().is_empty() {
        return Err(LoadError::Plan(PlanError::Encoding));
    }
    checked.has_ratio = ratios > 0;
    Ok(checked)
}

/// The tests; a gate that decides by them needs them.
fn read_tests<'b>(
    bytes: &'b [u8],
    (input, checked, windows): (&PlannedInput, &Checked, bool),
    gate: Option<&Calibration>,
) -> Result<Option<Tests<'b>>, LoadError> {
    let windows = parts::WINDOWS && windows;
    let images = matches!(input, PlannedInput::Image { .. });
    let mut without = 0;
    if !checked.has_ratio {
        without |= TestKind::Ratio.bit();
    }
    if checked.standardizing == 0 {
        without |= TestKind::Marginals.bit();
    }
    // Windows have a code length, and no bytes.
    if windows {
        without |= TestKind::OF_BYTES;
    }
    match find(bytes, Section::Tests) {
        None if gate.is_some_and(|gate| gate.score == ScoreKind::Combined) => Err(LoadError::Tests),
        None => Ok(None),
        Some(section) => Tests::parse(section, images || windows)
            .filter(|tests| tests.lack(without))
            .map(Some)
            .ok_or(LoadError::Tests),
    }
}

/// The p-values; they and the gate come from the same calibration scores.
fn read_p_values<'b>(
    bytes: &'b [u8],
    gate: Option<&Calibration>,
) -> Result<Option<PValues<'b>>, LoadError> {
    let Some(section) = find(bytes, Section::PValues) else {
        return Ok(None);
    };
    let table = PValues::parse(section);
    let table = table.filter(|t| gate.is_some_and(|gate| gate.samples == t.samples()));
    table.map(Some).ok_or(LoadError::PValues)
}

fn half(bytes: &[u8], start: usize) -> u16 {
    let two = bytes.get(start..).and_then(|b| b.first_chunk::<2>());
    u16::from_le_bytes(two.copied().unwrap_or_default())
}

fn word(bytes: &[u8], start: usize) -> u32 {
    let four = bytes.get(start..).and_then(|b| b.first_chunk::<4>());
    u32::from_le_bytes(four.copied().unwrap_or_default())
}

fn stated_need(bytes: &[u8]) -> ScratchNeed {
    ScratchNeed {
        latents: word(bytes, field::SCRATCH_LATENTS.start),
        activations: word(bytes, field::SCRATCH_ACTIVATIONS.start),
    }
}

/// Magic, version, length, checksum, number format, reserved bytes, section table.
fn check_envelope(bytes: &[u8]) -> Result<NumberFormat, LoadError> {
    if bytes.get(field::MAGIC) != Some(&MAGIC[..]) {
        return Err(LoadError::Magic);
    }
    if bytes.len() < HEADER_LEN + CHECKSUM_LEN {
        return Err(LoadError::Length);
    }
    // The version comes first: the rest of a future file may look different.
    let version = half(bytes, field::VERSION.start);
    if version != FORMAT_VERSION {
        return Err(LoadError::Version(version));
    }
    if word(bytes, field::TOTAL_LEN.start) as usize != bytes.len() {
        return Err(LoadError::Length);
    }
    let (body, stored) = bytes
        .split_last_chunk::<CHECKSUM_LEN>()
        .ok_or(LoadError::Length)?;
    if checksum(body) != u32::from_le_bytes(*stored) {
        return Err(LoadError::Checksum);
    }
    if body
        .get(field::RESERVED)
        .is_none_or(|r| r.iter().any(|&b| b != 0))
    {
        return Err(LoadError::SectionTable);
    }
    check_sections(body)?;
    check_signature(body)?;
    let code = body.get(field::NUMBER_FORMAT).copied().unwrap_or(u8::MAX);
    NumberFormat::from_code(code).ok_or(LoadError::NumberFormat)
}

fn section_count(bytes: &[u8]) -> usize {
    usize::from(bytes.get(field::SECTIONS).copied().unwrap_or(0))
}

/// Kind, offset and length of the sections, in the order of the table.
fn entries(bytes: &[u8]) -> impl Iterator<Item = (u32, usize, usize)> + '_ {
    let table = bytes
        .get(HEADER_LEN..)
        .unwrap_or(&[])
        .chunks_exact(SECTION_ENTRY_LEN);
    table.take(section_count(bytes)).map(|entry| {
        (
            word(entry, 0),
            word(entry, 4) as usize,
            word(entry, 8) as usize,
        )
    })
}

/// Sections lie in the order of the table, aligned, within the file, each kind once.
fn check_sections(body: &[u8]) -> Result<(), LoadError> {
    let mut end = HEADER_LEN + section_count(body) * SECTION_ENTRY_LEN;
    if end > body.len() {
        return Err(LoadError::SectionTable);
    }
    for (index, (kind, offset, len)) in entries(body).enumerate() {
        let after = offset.checked_add(len);
        let twice = entries(body).take(index).any(|(other, _, _)| other == kind);
        let good = !twice && offset >= end && offset % SECTION_ALIGNMENT == 0;
        match after {
            Some(after) if good && after <= body.len() => end = after,
            _ => return Err(LoadError::SectionTable),
        }
    }
    Ok(())
}

/// A signature is the last section, so that it covers everything but itself and the checksum.
fn check_signature(body: &[u8]) -> Result<(), LoadError> {
    let is_signature = |&(kind, _, _): &(u32, usize, usize)| kind == Section::Signature as u32;
    match entries(body).find(is_signature) {
        Some((_, offset, len))
            if len != PUBLIC_KEY_LEN + SIGNATURE_LEN || offset + len != body.len() =>
        {
            Err(LoadError::Signature)
        }
        _ => Ok(()),
    }
}

fn find(bytes: &[u8], section: Section) -> Option<&[u8]> {
    let (_, offset, len) = entries(bytes).find(|&(kind, _, _)| kind == section as u32)?;
    bytes.get(offset..)?.get(..len)
}
