//! The files that the host gives and takes.

use crate::camera::Camera;
use crate::host::HostFile;
use flow_infer::front_end::FrameSpec;
use flowgate_app::Stop;
use flowgate_stream::{ANSWERS_FILE, FrameHeader, INPUTS_FILE, InputsHeader, MODEL_FILE};

/// The inputs still to be read, and the answers file.
pub(crate) struct Files {
    inputs: HostFile,
    header: InputsHeader,
    camera: Option<Camera>,
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
            camera: None,
            answers: HostFile::create(ANSWERS_FILE)?,
        })
    }

    /// Whether the inputs are frames.
    pub(crate) fn are_frames(&self) -> bool {
        self.header.input_bytes == InputsHeader::FRAMES
    }

    /// Reads the next input.
    pub(crate) fn next_input(&mut self, input: &mut [u8]) -> Result<(), Stop> {
        self.count_down()?;
        if u32::try_from(input.len()) != Ok(self.header.input_bytes) {
            return Err(Stop::InputSize);
        }
        self.inputs.read_exact(input)
    }

    /// Reads what the rows of the next frame are.
    pub(crate) fn next_frame(&mut self) -> Result<FrameSpec, Stop> {
        if !self.are_frames() {
            return Err(Stop::InputSize);
        }
        self.count_down()?;
        let mut header = [0; FrameHeader::BYTES];
        self.inputs.read_exact(&mut header)?;
        let FrameHeader(spec) = FrameHeader::from_bytes(header).ok_or(Stop::HostFiles)?;
        if self.camera.is_none() {
            self.camera = Some(Camera::take()?);
        }
        self.camera.as_mut().ok_or(Stop::HostFiles)?.begin(spec);
        Ok(spec)
    }

    /// Reads the next row of a frame.
    pub(crate) fn row(&mut self) -> Result<[&[u8]; 3], Stop> {
        let camera = self.camera.as_mut().ok_or(Stop::HostFiles)?;
        camera.row(&self.inputs)
    }

    /// Appends to the answers.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.answers.write_all(bytes)
    }

    fn count_down(&mut self) -> Result<(), Stop> {
        self.header.count = self.header.count.checked_sub(1).ok_or(Stop::End)?;
        Ok(())
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
