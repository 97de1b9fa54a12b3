//! The inputs of a run, in the bytes that the engine reads.

use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::front_end::windows::Windows;
use flow_infer::front_end::{Frame, FrameReader, FrameSpec, FrontEnd, PixelFormat, Reduction};
use flow_train_host::data::picture::{self, Picture};
use flow_train_host::data::recordings::RecordingOptions;
use flow_train_host::data::{self, Dataset, ItemName, ItemNames, Notice, ReadOptions};
use flow_train_host::windows::WindowSpec;
use flowgate_stream::{FrameHeader, InputsHeader};
use std::path::Path;

/// Inputs of one size.
#[derive(Default)]
pub(crate) struct Inputs {
    input_bytes: usize,
    bytes: Vec<u8>,
    names: Option<ItemNames>,
    /// What boards get instead of inputs.
    unread: Option<Unread>,
}

/// What inputs are made of.
enum Unread {
    /// Frames, each behind its header.
    Frames(Vec<u8>),
    /// A stretch of samples without a gap, of which the inputs are the windows.
    Samples(Vec<u8>),
}

impl Inputs {
    /// Inputs of `input_bytes` each, one after the other.
    pub(crate) fn new(input_bytes: usize, bytes: Vec<u8>) -> Self {
        Self {
            input_bytes,
            bytes,
            names: None,
            unread: None,
        }
    }

    /// The windows in a stretch of samples, one value a channel, which boards get sample by sample.
    pub(crate) fn of_samples(windows: &Windows<'_>, samples: &[i16]) -> Self {
        let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        let len = windows.byte_len();
        let hop = len / windows.len() * windows.hop();
        let inputs = bytes.windows(len).step_by(hop.max(1));
        Self {
            unread: Some(Unread::Samples(bytes.clone())),
            ..Self::new(len, inputs.flatten().copied().collect())
        }
    }

    /// Loads the first `limit` inputs of a data set for a model: pictures, where it reads frames, reduced here and for
    /// boards as they are; recordings, where it reads windows, which boards get sample by sample.
    ///
    /// # Errors
    /// The file is missing or is no data set, or pictures do not fit the model.
    pub(crate) fn load_for(
        artifact: &Artifact<'_>,
        path: &Path,
        limit: Option<usize>,
    ) -> Result<Self> {
        if let Some(windows) = artifact.windows() {
            let spec = WindowSpec::of(&windows);
            let options = ReadOptions {
                recordings: Some(RecordingOptions::of_model(spec)),
                ..ReadOptions::default()
            };
            return Self::load_with(path, &options, limit);
        }
        match artifact.front_end() {
            Some(FrontEnd::Frames(reduction)) => Self::load_frames(path, reduction, limit),
            _ => Self::load(path, limit),
        }
    }

    fn load_frames(path: &Path, reduction: &Reduction, limit: Option<usize>) -> Result<Self> {
        let options = ReadOptions {
            reduction: Some(*reduction),
            ..ReadOptions::default()
        };
        let read = data::read(path, &options)?;
        warn(&read.notices);
        let range = 0..limit.unwrap_or(usize::MAX);
        let dataset = read.dataset.take(range.clone());
        let names = read.items.take(range);
        let mut frames = vec![];
        for index in 0..dataset.len() {
            let ItemName::File(name) = names.get(index) else {
                // Arrays and videos are read in the size of the model, or not at all.
                return Ok(Self {
                    names: Some(names),
                    ..Self::of(&dataset)
                });
            };
            let file = if path.is_dir() {
                path.join(name)
            } else {
                path.to_owned()
            };
            let (spec, bytes) = frame(&picture::load(&file)?)?;
            reduction
                .region_of(&spec)
                .with_context(|| file.display().to_string())?;
            append_frame(&Frame::new(spec, &bytes)?, &mut frames);
        }
        Ok(Self {
            names: Some(names),
            unread: Some(Unread::Frames(frames)),
            ..Self::of(&dataset)
        })
    }

    /// Frames, which become inputs here, and on boards once more.
    ///
    /// # Errors
    /// One that does not fit the reduction.
    pub(crate) fn of_frames(reduction: &Reduction, frames: &[Frame<'_>]) -> Result<Self> {
        let mut sums = vec![0; reduction.accumulators()];
        let mut input = vec![0; reduction.output.len()];
        let (mut inputs, mut stream) = (vec![], vec![]);
        for frame in frames {
            let mut reader = FrameReader::new(reduction, frame.spec(), &mut sums, &mut input)?;
            reader.push_frame(frame)?;
            inputs.extend(reader.input()?);
            append_frame(frame, &mut stream);
        }
        Ok(Self {
            unread: Some(Unread::Frames(stream)),
            ..Self::new(reduction.output.len(), inputs)
        })
    }

    /// Loads the first `limit` inputs of a data set.
    ///
    /// # Errors
    /// The file is missing or is no data set.
    pub(crate) fn load(path: &Path, limit: Option<usize>) -> Result<Self> {
        Self::load_with(path, &ReadOptions::default(), limit)
    }

    fn load_with(path: &Path, options: &ReadOptions, limit: Option<usize>) -> Result<Self> {
        let read = data::read(path, options)?;
        warn(&read.notices);
        let range = 0..limit.unwrap_or(usize::MAX);
        Ok(Self {
            names: Some(read.items.take(range.clone())),
            ..Self::of(&read.dataset.take(range))
        })
    }

    /// A data set as the engine reads it.
    pub(crate) fn of(data: &Dataset) -> Self {
        let inputs = (0..data.len()).map(|index| data.input_bytes(index));
        let bytes: Vec<u8> = inputs.flat_map(|input| input.into_owned()).collect();
        Self::new(bytes.len() / data.len().max(1), bytes)
    }

    /// Adds the inputs of another data set.
    ///
    /// # Errors
    /// They have another size.
    pub(crate) fn append(&mut self, other: &Self) -> Result<()> {
        if self.bytes.is_empty() {
            self.input_bytes = other.input_bytes;
        }
        if !other.bytes.is_empty() && self.input_bytes != other.input_bytes {
            bail!(
                "inputs of {} bytes beside inputs of {}",
                other.input_bytes,
                self.input_bytes
            );
        }
        self.bytes.extend(&other.bytes);
        self.names = None;
        Ok(())
    }

    /// Checks that the inputs have the size that a model reads.
    ///
    /// # Errors
    /// They have another; the message says both.
    pub(crate) fn check(&self, artifact: &Artifact<'_>) -> Result<()> {
        let wanted = artifact.input_len();
        if self.input_bytes != wanted {
            bail!(
                "inputs of {} bytes, but the model reads {wanted}",
                self.input_bytes
            );
        }
        Ok(())
    }

    /// What an input is called: its row, where its file says nothing else.
    pub(crate) fn name(&self, index: usize) -> ItemName<'_> {
        match &self.names {
            Some(names) => names.get(index),
            None => ItemName::Row(index),
        }
    }

    /// Number of inputs.
    pub(crate) fn len(&self) -> usize {
        self.iter().len()
    }

    /// Each input's bytes.
    pub(crate) fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.bytes.chunks_exact(self.input_bytes.max(1))
    }

    /// The inputs file of a board.
    ///
    /// # Errors
    /// There are more inputs than its header can count.
    pub(crate) fn to_stream(&self) -> Result<Vec<u8>> {
        let (count, input_bytes, bytes) = match &self.unread {
            None => (self.len(), u32::try_from(self.input_bytes)?, &self.bytes),
            Some(Unread::Frames(frames)) => (self.len(), InputsHeader::FRAMES, frames),
            Some(Unread::Samples(samples)) => (1, u32::try_from(samples.len())?, samples),
        };
        let header = InputsHeader {
            count: u32::try_from(count)?,
            input_bytes,
        };
        Ok([&header.to_bytes(), bytes.as_slice()].concat())
    }
}

fn warn(notices: &[Notice]) {
    for notice in notices {
        eprintln!("warning: {notice}");
    }
}

/// A picture as a frame: grey, or red, green and blue.
fn frame(picture: &Picture) -> Result<(FrameSpec, Vec<u8>)> {
    let size = picture.size;
    let format = match size.channels {
        1 => PixelFormat::Grey8,
        _ => PixelFormat::Rgb888,
    };
    let spec = FrameSpec::new(format, size.width.try_into()?, size.height.try_into()?);
    let plane = picture.pixels.len() / size.channels.max(1) as usize;
    let pixels = (0..plane).flat_map(|i| picture.pixels.iter().skip(i).step_by(plane));
    Ok((spec, pixels.copied().collect()))
}

/// The header of a frame, then each row as a camera delivers it.
fn append_frame(frame: &Frame<'_>, out: &mut Vec<u8>) {
    out.extend(FrameHeader(frame.spec()).to_bytes());
    for y in 0..frame.spec().rows() {
        out.extend(frame.row(y).concat());
    }
}
