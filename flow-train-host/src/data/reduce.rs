//! Pictures of any size into inputs, by the front end that a board runs.

use flow_infer::front_end::{Frame, FrameError, FrameReader, FrameSpec, PixelFormat, Reduction};

use super::error::{ImageSize, Problem};
use super::images::Images;
use super::picture::Picture;

/// Reduces frames, with memory that serves one after the other.
#[derive(Debug)]
pub struct Reducer {
    reduction: Reduction,
    sums: Vec<u64>,
    input: Vec<u8>,
}

impl Reducer {
    /// For the inputs of a reduction.
    ///
    /// # Errors
    /// [`FrameError`] where the reduction is inconsistent.
    pub fn new(reduction: &Reduction) -> Result<Self, FrameError> {
        reduction.check()?;
        Ok(Self {
            reduction: *reduction,
            sums: vec![0; reduction.accumulators()],
            input: vec![0; reduction.output.len()],
        })
    }

    /// The input of a frame.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn frame(&mut self, frame: &Frame<'_>) -> Result<&[u8], FrameError> {
        let mut reader = self.reader(frame.spec())?;
        reader.push_frame(frame)?;
        reader.into_input()
    }

    /// A reader of one frame whose rows come one by one.
    ///
    /// # Errors
    /// [`FrameError`] where there is no input of such a frame.
    pub fn reader(&mut self, frame: FrameSpec) -> Result<FrameReader<'_>, FrameError> {
        FrameReader::new(&self.reduction, frame, &mut self.sums, &mut self.input)
    }

    /// The input of a picture, C x H x W. A model for the frames of one camera takes pictures of their size.
    fn planes(&mut self, size: ImageSize, pixels: &[u8]) -> Result<&[u8], FrameError> {
        let side = |n: u32| u16::try_from(n).map_err(|_| FrameError::Size);
        let (width, height) = (side(size.width)?, side(size.height)?);
        let wanted = self.reduction.frame.map(|only| (only.width, only.height));
        if wanted.is_some_and(|wanted| wanted != (width, height)) {
            return Err(FrameError::OtherFrame);
        }
        let format = match size.channels {
            1 => PixelFormat::Grey8,
            _ => PixelFormat::Rgb888,
        };
        let reduction = Reduction {
            frame: None,
            ..self.reduction
        };
        let Self { sums, input, .. } = self;
        let mut reader = FrameReader::new(
            &reduction,
            FrameSpec::new(format, width, height),
            sums,
            input,
        )?;
        let (columns, channels) = (usize::from(width), size.channels as usize);
        let plane = columns * usize::from(height);
        let mut row = vec![0; columns * channels];
        for y in 0..usize::from(height) {
            for channel in 0..channels {
                let from = pixels.get(channel * plane + y * columns..).unwrap_or(&[]);
                let to = row.iter_mut().skip(channel).step_by(channels);
                to.zip(from).for_each(|(to, from)| *to = *from);
            }
            reader.push_row(&[&row])?;
        }
        Ok(&self.input)
    }

    fn output(&self) -> ImageSize {
        let shape = self.reduction.output;
        ImageSize {
            channels: shape.channels.into(),
            height: shape.height.into(),
            width: shape.width.into(),
        }
    }
}

/// A picture as an input.
pub(super) fn picture(reduction: &Reduction, picture: &Picture) -> Result<Picture, Problem> {
    let mut reducer = Reducer::new(reduction).map_err(Problem::Frame)?;
    let pixels = reducer.planes(picture.size, &picture.pixels);
    let pixels = pixels.map_err(Problem::Frame)?.to_vec();
    Ok(Picture {
        size: reducer.output(),
        pixels,
    })
}

/// Images as inputs; those that have an input's shape are inputs already.
///
/// # Errors
/// [`Problem::Frame`].
pub fn images(reduction: &Reduction, images: Images) -> Result<Images, Problem> {
    let size = ImageSize {
        channels: images.channels() as u32,
        height: images.height() as u32,
        width: images.width() as u32,
    };
    let mut reducer = Reducer::new(reduction).map_err(Problem::Frame)?;
    if size == reducer.output() {
        return Ok(images);
    }
    let mut pixels = Vec::with_capacity(images.len() * reduction.output.len());
    for image in images.iter() {
        pixels.extend_from_slice(reducer.planes(size, image).map_err(Problem::Frame)?);
    }
    inputs(reduction, pixels)
}

/// Inputs one behind the other as a set.
pub(super) fn inputs(reduction: &Reduction, pixels: Vec<u8>) -> Result<Images, Problem> {
    let shape = reduction.output;
    let [c, h, w] = [shape.channels, shape.height, shape.width].map(usize::from);
    Images::new(c, h, w, pixels).map_err(|mismatch| Problem::Malformed(mismatch.to_string()))
}
