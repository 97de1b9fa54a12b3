//! The files that the host gives and takes.

use crate::host::HostFile;
use crate::memory::ROW;
use flow_infer::front_end::windows::MAX_CHANNELS;
use flow_infer::front_end::{FrameSpec, PixelFormat};
use flowgate_app::Stop;
use flowgate_sensors::{Camera, Source, SourceError};
use flowgate_stream::{ANSWERS_FILE, FrameHeader, INPUTS_FILE, InputsHeader, MODEL_FILE};

/// The inputs still to be read, and the answers file.
pub(crate) struct Files {
    inputs: HostFile,
    header: InputsHeader,
    camera: Option<Camera<'static, HostFile>>,
    /// Bytes of the input that was begun sample by sample.
    bytes_left: u32,
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
            bytes_left: 0,
            answers: HostFile::create(ANSWERS_FILE)?,
        })
    }

    /// Whether the inputs are frames.
    pub(crate) fn are_frames(&self) -> bool {
        self.header.input_bytes == InputsHeader::FRAMES
    }

    /// Appends to the answers.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.answers.write_all(bytes)
    }

    fn count_down(&mut self) -> Result<(), SourceError> {
        let left = self.header.count.checked_sub(1);
        self.header.count = left.ok_or(SourceError::End)?;
        Ok(())
    }

    /// A camera whose rows come out of the host's file.
    fn camera(&mut self) -> Result<&mut Camera<'static, HostFile>, SourceError> {
        if self.camera.is_none() {
            let memory = ROW.try_take().ok_or(SourceError::Device)?;
            let none = FrameSpec::new(PixelFormat::Grey8, 0, 0);
            self.camera = Some(Camera::new(self.inputs, memory, none)?);
        }
        self.camera.as_mut().ok_or(SourceError::Device)
    }
}

impl Source for Files {
    fn next(&mut self, input: &mut [u8]) -> Result<(), SourceError> {
        self.count_down()?;
        if u32::try_from(input.len()) != Ok(self.header.input_bytes) {
            return Err(SourceError::OtherInput);
        }
        let read = self.inputs.read_exact(input);
        read.map_err(|_| SourceError::Device)
    }

    /// Every input is a stretch of samples without a gap.
    fn sample(&mut self, values: &mut [i16]) -> Result<(), SourceError> {
        if self.bytes_left == 0 {
            self.count_down()?;
            self.bytes_left = self.header.input_bytes;
            return Err(SourceError::SamplesLost);
        }
        let mut bytes = [0; MAX_CHANNELS * size_of::<i16>()];
        let bytes = bytes.get_mut(..size_of_val(values));
        let bytes = bytes.ok_or(SourceError::OtherInput)?;
        let left = self.bytes_left.checked_sub(bytes.len() as u32);
        self.bytes_left = left.ok_or(SourceError::OtherInput)?;
        let read = self.inputs.read_exact(bytes);
        read.map_err(|_| SourceError::Device)?;
        for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
            *value = i16::from_le_bytes(*bytes);
        }
        Ok(())
    }

    /// Every frame has a header of its own, and so the camera that is made of them.
    fn next_frame(&mut self) -> Result<FrameSpec, SourceError> {
        if !self.are_frames() {
            return Err(SourceError::OtherInput);
        }
        self.count_down()?;
        let mut header = [0; FrameHeader::BYTES];
        let read = self.inputs.read_exact(&mut header);
        read.map_err(|_| SourceError::Device)?;
        let FrameHeader(spec) = FrameHeader::from_bytes(header).ok_or(SourceError::Device)?;
        self.camera()?.set_frame(spec);
        Ok(spec)
    }

    fn row(&mut self) -> Result<[&[u8]; 3], SourceError> {
        self.camera()?.row()
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
