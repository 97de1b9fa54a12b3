//! Video as YUV4MPEG2: a line that says what the frames are, then frame after frame, uncompressed.
//!
//! Read by hand: it is a header of one line, and what matters is that a bad one is named by its byte. 8 bits a sample;
//! C420 in all its sitings, C422, C444 and mono. Where the stream does not say `XCOLORRANGE=FULL`, Y, Cb and Cr have
//! the limited range of video; mono is taken as it is.

use std::path::Path;

use flow_infer::front_end::{Frame, FrameSpec, PixelFormat, Reduction, YuvRange};
use flow_infer::spec::Shape;

use super::error::{DataError, Position, Problem, excerpt};
use super::images::Images;
use super::reduce::{self, Reducer};
use super::source::Source;

/// First bytes of every file, as far as formats are told apart by them.
pub(super) const MAGIC: &[u8] = b"YUV4MPEG";
const WORD: &[u8] = b"YUV4MPEG2";
const FRAME: &[u8] = b"FRAME";

/// The frames of a video, one after the other.
pub struct Y4m<'s> {
    source: Source<'s>,
    spec: FrameSpec,
    line: Vec<u8>,
}

impl Y4m<'static> {
    /// Opens a file, compressed or not, and reads its first line.
    ///
    /// # Errors
    /// [`DataError`] with the byte of a malformed header.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::new(Source::open(path)?)
    }
}

impl<'s> Y4m<'s> {
    pub(super) fn new(mut source: Source<'s>) -> Result<Self, DataError> {
        let mut line = Vec::new();
        next_line(&mut source, &mut line)?;
        let header = header(&line)
            .map_err(|(byte, problem)| source.error_at(Position::Byte(byte as u64), problem))?;
        let spec = header.spec;
        Ok(Self { source, spec, line })
    }

    /// What the frames are.
    pub fn spec(&self) -> FrameSpec {
        self.spec
    }

    /// The bytes of the next frame; none at the end of the file.
    ///
    /// # Errors
    /// [`DataError`] with the byte: something else than a frame, or a truncated one.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, DataError> {
        let place = self.source.position();
        if !next_line(&mut self.source, &mut self.line)? {
            return Ok(None);
        }
        let rest = self.line.strip_prefix(FRAME);
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" ")) {
            let problem = Problem::Malformed(format!(
                "a frame begins with the word FRAME, here is {:?}",
                excerpt(&self.line)
            ));
            return Err(self.source.error_at(Position::Byte(place), problem));
        }
        self.source.bytes(Some(self.spec.byte_len())).map(Some)
    }
}

/// Puts the next line in place of the last one, without its end; false at the end of the file.
fn next_line(source: &mut Source<'_>, line: &mut Vec<u8>) -> Result<bool, DataError> {
    line.clear();
    let read = source.line(line)?;
    line.pop_if(|byte| *byte == b'\n');
    Ok(read)
}

/// Reads all frames as images: reduced, or of their own size where a model could have it.
pub(super) fn read(source: Source<'_>, reduction: Option<&Reduction>) -> Result<Images, DataError> {
    let mut video = Y4m::new(source)?;
    let own = own_size(&video.spec);
    let reduction = reduction.copied().unwrap_or(own);
    let frame_problem = |video: &Y4m<'_>, error| video.source.error(Problem::Frame(error));
    let mut reducer = Reducer::new(&reduction).map_err(|error| frame_problem(&video, error))?;
    let mut pixels = Vec::new();
    while let Some(bytes) = video.next_frame()? {
        let frame = Frame::new(video.spec, &bytes);
        let input = frame.and_then(|frame| reducer.frame(&frame).map(<[u8]>::to_vec));
        pixels.extend(input.map_err(|error| frame_problem(&video, error))?);
    }
    if pixels.is_empty() {
        return Err(video.source.error(Problem::Empty));
    }
    reduce::inputs(&reduction, pixels).map_err(|problem| video.source.error(problem))
}

fn own_size(spec: &FrameSpec) -> Reduction {
    let channels = if spec.format.is_yuv() { 3 } else { 1 };
    Reduction::to(Shape::new(channels, spec.height, spec.width))
}

/// What the first line of a video says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// What the frames are.
    pub spec: FrameSpec,
    /// Frames a second, where the line says it.
    pub rate: Option<f64>,
}

/// Reads the first line of a video, without its end.
///
/// # Errors
/// The byte of the line where it is malformed, and why.
pub fn header(line: &[u8]) -> Result<Header, (usize, Problem)> {
    let mut words = line.split(|&byte| byte == b' ');
    let first = words.next().unwrap_or(&[]);
    if first != WORD {
        let problem = format!(
            "a video begins with YUV4MPEG2, here is {:?}",
            excerpt(first)
        );
        return Err((0, Problem::Malformed(problem)));
    }
    let mut place = first.len() + 1;
    let (mut width, mut height) = (None, None);
    let (mut format, mut range) = (PixelFormat::I420, YuvRange::Limited);
    let mut frame_rate = None;
    for word in words {
        let bad = |what: &str| {
            let problem = format!("{:?} {what}", excerpt(word));
            (place, Problem::Malformed(problem))
        };
        match word {
            [b'W', number @ ..] => width = Some(side(number).ok_or_else(|| bad(NO_SIDE))?),
            [b'H', number @ ..] => height = Some(side(number).ok_or_else(|| bad(NO_SIDE))?),
            [b'C', name @ ..] => format = chroma(name).ok_or_else(|| bad(NO_CHROMA))?,
            b"XCOLORRANGE=FULL" => range = YuvRange::Full,
            [b'F', ratio @ ..] => frame_rate = rate(ratio),
            // Interlacing, aspect, comments: of no matter here.
            _ => {}
        }
        place += word.len() + 1;
    }
    let (Some(width), Some(height)) = (width, height) else {
        let problem = "the first line lacks width (W) or height (H)".to_owned();
        return Err((line.len(), Problem::Malformed(problem)));
    };
    Ok(Header {
        spec: FrameSpec::new(format, width, height).with_range(range),
        rate: frame_rate,
    })
}

const NO_SIDE: &str = "is no width or height from 1 to 32767";
const NO_CHROMA: &str =
    "is no format that is read: those are C420 (jpeg, mpeg2, paldv), C422, C444 and Cmono";

/// A quotient such as 30000:1001; 0:0 says that the rate is unknown.
fn rate(ratio: &[u8]) -> Option<f64> {
    let (frames, seconds) = std::str::from_utf8(ratio).ok()?.split_once(':')?;
    let (frames, seconds) = (frames.parse::<u32>().ok()?, seconds.parse::<u32>().ok()?);
    (frames > 0 && seconds > 0).then(|| f64::from(frames) / f64::from(seconds))
}

fn side(number: &[u8]) -> Option<u16> {
    let number: u16 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let largest = flow_infer::front_end::MAX_SIDE;
    (number > 0 && u32::from(number) <= largest).then_some(number)
}

fn chroma(name: &[u8]) -> Option<PixelFormat> {
    match name {
        b"420" | b"420jpeg" | b"420mpeg2" | b"420paldv" => Some(PixelFormat::I420),
        b"422" => Some(PixelFormat::I422),
        b"444" => Some(PixelFormat::I444),
        b"mono" => Some(PixelFormat::Grey8),
        _ => None,
    }
}
