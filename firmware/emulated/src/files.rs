//! The files that the host gives and takes.

use crate::host::HostFile;
use flowgate_app::Stop;
use flowgate_stream::{ANSWERS_FILE, INPUTS_FILE, InputsHeader, MODEL_FILE};

/// The inputs still to be read, and the answers file.
pub(crate) struct Files {
    inputs: HostFile,
    header: InputsHeader,
    answers: HostFile,
}

impl Files {
    /// Opens the inputs and begins the answers.
    pub(crate) fn open() -> Result<Self, Stop> {
        let inputs = HostFile::open(INPUTS_FILE)?;
        let mut header = [0; InputsHeader::BYTES];
        inputs.read_exact(&mut header)?;
        Ok(Self {
            inputs,
            header: InputsHeader::from_bytes(header).ok_or(Stop::HostFiles)?,
            answers: HostFile::create(ANSWERS_FILE)?,
        })
    }

    /// Reads the next input.
    pub(crate) fn next_input(&mut self, input: &mut [u8]) -> Result<(), Stop> {
        self.header.count = self.header.count.checked_sub(1).ok_or(Stop::End)?;
        if u32::try_from(input.len()) != Ok(self.header.input_bytes) {
            return Err(Stop::InputSize);
        }
        self.inputs.read_exact(input)
    }

    /// Appends to the answers.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.answers.write_all(bytes)
    }
}

/// Reads the model into the front of `buffer`; one that does not fit is refused.
pub(crate) fn read_model(buffer: &mut [u8]) -> Result<&[u8], Stop> {
    let capacity = buffer.len();
    let model = HostFile::open(MODEL_FILE)?.read(buffer)?;
    if model.len() < capacity {
        Ok(model)
    } else {
        Err(Stop::ModelRefused)
    }
}
