//! A lowered flow in the engine, as floats: packed, written and loaded as a device would load it.

use super::ExportError;
use super::file::FlowFile;
use super::float::FloatNumbers;
use super::lower::LoweredFlow;
use super::pack::pack;
use flow_infer::artifact::Artifact;
use flow_infer::plan::Step;

/// A lowered flow that the float engine can run.
#[derive(Debug)]
pub struct FloatEngine {
    steps: Vec<Step>,
    bytes: Vec<u8>,
}

impl FloatEngine {
    /// Packs a flow as floats of 32 bits.
    ///
    /// # Errors
    /// [`ExportError::TooLarge`], or [`ExportError::Rejected`] for a flow that the engine refuses.
    pub fn new(flow: &LoweredFlow) -> Result<Self, ExportError> {
        let packed = pack(flow, &FloatNumbers::default())?;
        Ok(Self {
            steps: packed.steps.clone(),
            bytes: FlowFile::new(packed).to_bytes()?,
        })
    }

    /// The steps of its plan.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The loaded file.
    ///
    /// # Errors
    /// None that [`new`](Self::new) has not met already.
    pub fn artifact(&self) -> Result<Artifact<'_>, ExportError> {
        Artifact::load(&self.bytes).map_err(ExportError::Rejected)
    }

    /// The bytes of the file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
