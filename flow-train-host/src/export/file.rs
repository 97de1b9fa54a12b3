//! The bytes of a `.flow` file, written.

use super::ExportError;
use super::pack::Packed;
use super::provenance::Provenance;
use crate::calibrate::Calibrated;
use crate::front_end::FrontEnd as Carried;
use crate::windows::{WindowSpec, WindowSpecError};
use flow_infer::artifact::{
    Artifact, CHECKSUM_LEN, FORMAT_VERSION, GoldenVector, HEADER_LEN, LoadError, MAGIC,
    PUBLIC_KEY_LEN, SECTION_ALIGNMENT, SECTION_ENTRY_LEN, SIGNATURE_LEN, Section, checksum, field,
};
use flow_infer::front_end::FrontEnd;
use flow_infer::gate::Calibration;
use flow_infer::plan::{NumberFormat, PlannedInput, ScratchNeed};
use flow_infer::score::Scores;
use flow_infer::score::combined::Tests;
use flow_infer::spec::FlowSpec;

/// A `.flow` file in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowFile {
    format: NumberFormat,
    need: ScratchNeed,
    /// Version of the model.
    pub model_version: u32,
    sections: Vec<(Section, Vec<u8>)>,
}

const ORDER: [Section; 11] = [
    Section::Plan,
    Section::Tensors,
    Section::Spec,
    Section::Gate,
    Section::FrontEnd,
    Section::Tests,
    Section::PValues,
    Section::Golden,
    Section::GoldenCombined,
    Section::Provenance,
    Section::Signature,
];

fn postcard(value: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain data always encodes into a growing buffer")
}

impl FlowFile {
    /// A file with plan and tensors only.
    pub fn new(packed: Packed) -> Self {
        let mut plan = postcard(&packed.head);
        packed
            .steps
            .iter()
            .for_each(|step| plan.extend(postcard(step)));
        Self {
            format: packed.format,
            need: packed.need,
            model_version: 0,
            sections: vec![(Section::Plan, plan), (Section::Tensors, packed.tensors)],
        }
    }

    /// The parts of a loaded file.
    pub fn from_artifact(artifact: &Artifact<'_>) -> Self {
        let sections = ORDER.into_iter().map(|s| (s, artifact.section(s).to_vec()));
        Self {
            format: artifact.number_format(),
            need: artifact.scratch_need(),
            model_version: artifact.model_version(),
            sections: sections.filter(|(_, bytes)| !bytes.is_empty()).collect(),
        }
    }

    /// Replaces a section; empty bytes remove it. Any change makes a signature invalid, so it goes too.
    pub fn set(&mut self, section: Section, bytes: Vec<u8>) {
        self.sections
            .retain(|(s, _)| *s != section && *s != Section::Signature);
        if !bytes.is_empty() {
            self.sections.push((section, bytes));
        }
        let place = |s: &Section| ORDER.iter().position(|o| o == s);
        self.sections.sort_by_key(|(s, _)| place(s));
    }

    /// Stores the spec.
    pub fn set_spec(&mut self, spec: &FlowSpec) {
        self.set(Section::Spec, postcard(spec));
    }

    /// Stores a gate that decides by a score of which no file's tests are part; tests and p-values of another
    /// calibration go.
    pub fn set_calibration(&mut self, gate: &Calibration) {
        self.set(Section::Gate, postcard(gate));
        self.set(Section::Tests, Vec::new());
        self.set(Section::PValues, Vec::new());
        self.set(Section::GoldenCombined, Vec::new());
    }

    /// Stores a calibration of the loaded file that this one was made from; `golden` are the scores of its golden
    /// vectors, which get their combined scores.
    ///
    /// # Errors
    /// [`ExportError::Rejected`] where the tests are none that load.
    pub fn calibrate(
        &mut self,
        calibrated: &Calibrated,
        artifact: &Artifact<'_>,
        golden: &[Scores],
    ) -> Result<(), ExportError> {
        self.set_calibration(&calibrated.gate);
        self.set(Section::PValues, calibrated.p_values.clone());
        if calibrated.tests.is_empty() {
            return Ok(());
        }
        let images = matches!(artifact.input(), PlannedInput::Image { .. });
        let have_code = images || artifact.windows().is_some();
        let tests = Tests::parse(&calibrated.tests, have_code);
        let tests = tests.ok_or(ExportError::Rejected(LoadError::Tests))?;
        let combined = golden.iter().map(|scores| tests.combine(scores));
        let raw = combined.map(|found| found.map_or(0, |found| found.score_raw).to_le_bytes());
        self.set(Section::Tests, calibrated.tests.clone());
        self.set(Section::GoldenCombined, raw.collect::<Vec<_>>().concat());
        Ok(())
    }

    /// Stores what turns a frame into the input.
    pub fn set_front_end(&mut self, front_end: &FrontEnd) {
        self.set(Section::FrontEnd, postcard(front_end));
    }

    /// Stores what a model carries.
    ///
    /// # Errors
    /// [`WindowSpecError`] of windows that no file can hold.
    pub fn carry(&mut self, front_end: &Carried) -> Result<(), WindowSpecError> {
        match front_end {
            Carried::Frames(reduction) => {
                self.set_front_end(&FrontEnd::Frames(*reduction));
                Ok(())
            }
            Carried::Windows(windows) => self.set_windows(windows),
        }
    }

    /// Stores how samples become the input.
    ///
    /// # Errors
    /// [`WindowSpecError`] where no file can hold them.
    pub fn set_windows(&mut self, windows: &WindowSpec) -> Result<(), WindowSpecError> {
        self.set(Section::FrontEnd, windows.to_bytes()?);
        Ok(())
    }

    /// Stores where the model comes from.
    pub fn set_provenance(&mut self, provenance: &Provenance) {
        self.set(Section::Provenance, postcard(provenance));
    }

    /// Stores golden vectors.
    pub fn set_golden<'g>(&mut self, vectors: impl Iterator<Item = GoldenVector<'g>>) {
        let (mut bytes, mut combined) = (Vec::new(), Vec::new());
        for vector in vectors {
            bytes.extend_from_slice(vector.input);
            bytes.extend_from_slice(&vector.log_prob_raw.to_le_bytes());
            bytes.extend_from_slice(&vector.code_length_raw.to_le_bytes());
            combined.extend(vector.combined_raw.iter().flat_map(|raw| raw.to_le_bytes()));
        }
        self.set(Section::Golden, bytes);
        self.set(Section::GoldenCombined, combined);
    }

    /// Signs the file: `sign` gets all bytes before the signature and gives public key and signature.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub fn sign(
        &mut self,
        sign: impl FnOnce(&[u8]) -> ([u8; PUBLIC_KEY_LEN], [u8; SIGNATURE_LEN]),
    ) -> Result<(), ExportError> {
        const EMPTY: [u8; PUBLIC_KEY_LEN + SIGNATURE_LEN] = [0; PUBLIC_KEY_LEN + SIGNATURE_LEN];
        self.set(Section::Signature, EMPTY.to_vec());
        let bytes = self.to_bytes()?;
        let artifact = Artifact::load(&bytes).map_err(ExportError::Rejected)?;
        let message = artifact.signed().map_or(&[][..], |signed| signed.message);
        let (public_key, signature) = sign(message);
        self.set(Section::Signature, [&public_key[..], &signature].concat());
        Ok(())
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`ExportError::Rejected`] if they would not load: nothing that a board refuses is ever written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ExportError> {
        let table_end = HEADER_LEN + self.sections.len() * SECTION_ENTRY_LEN;
        let mut body = vec![0; table_end];
        for (index, (section, bytes)) in self.sections.iter().enumerate() {
            body.resize(body.len().next_multiple_of(SECTION_ALIGNMENT), 0);
            let entry = [*section as u32, body.len() as u32, bytes.len() as u32];
            let at = HEADER_LEN + index * SECTION_ENTRY_LEN;
            for (word, value) in body[at..at + SECTION_ENTRY_LEN]
                .chunks_exact_mut(4)
                .zip(entry)
            {
                word.copy_from_slice(&value.to_le_bytes());
            }
            body.extend_from_slice(bytes);
        }
        let total = u32::try_from(body.len() + CHECKSUM_LEN);
        let total = total.map_err(|_| ExportError::TooLarge("file"))?;
        self.write_header(&mut body, total);
        let sum = checksum(&body);
        body.extend_from_slice(&sum.to_le_bytes());
        Artifact::load(&body).map_err(ExportError::Rejected)?;
        Ok(body)
    }

    fn write_header(&self, body: &mut [u8], total: u32) {
        body[field::MAGIC].copy_from_slice(&MAGIC);
        body[field::VERSION].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        body[field::SECTIONS] = self.sections.len() as u8;
        body[field::NUMBER_FORMAT] = self.format.code();
        body[field::TOTAL_LEN].copy_from_slice(&total.to_le_bytes());
        body[field::SCRATCH_LATENTS].copy_from_slice(&self.need.latents.to_le_bytes());
        body[field::SCRATCH_ACTIVATIONS].copy_from_slice(&self.need.activations.to_le_bytes());
        body[field::MODEL_VERSION].copy_from_slice(&self.model_version.to_le_bytes());
    }
}
