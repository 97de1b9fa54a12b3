//! SOURCE on the command line: standard input, a file, or a device.

use super::raw::Raw;
use super::y4m::Y4m;
use super::{Camera, MAX_FRAME_BYTES, interval};
use crate::frames;
use anyhow::{Context, Result, bail};
use flow_infer::front_end::{FrameSpec, PixelFormat, YuvRange};
use flow_train_host::files::one_line;
use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

const BUFFER: usize = 64 * 1024;
const MAGIC: &[u8] = b"YUV4MPEG2";

/// Where frames come from.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct SourceArgs {
    /// A .y4m file, a device such as /dev/video0, or - for standard input; for a model of windows a CSV file or -, a line a
    /// sample
    source: PathBuf,
    /// Pixel format of raw frames, or asked of a device: grey8, rgb888, bgr888, rgb565, yuyv, uyvy,
    /// nv12, i420, i422, i444, rggb8, ...
    #[arg(long, value_name = "F", value_parser = format, help_heading = "The source")]
    format: Option<PixelFormat>,
    /// Size of raw frames, or asked of a device, which takes the nearest
    #[arg(long, value_name = "WxH", value_parser = frames::size, help_heading = "The source")]
    size: Option<(u16, u16)>,
    /// Frames a second: asked of a device; a file is played at it instead of as fast as it goes. Samples a second, where
    /// no column of times says it
    #[arg(long, value_name = "N", value_parser = rate, help_heading = "The source")]
    rate: Option<f64>,
    /// Raw Y, Cb and Cr have the range of video, 16 to 235
    #[arg(long, requires = "format", help_heading = "The source")]
    limited_range: bool,
}

impl SourceArgs {
    /// Whether a file is to be played at a rate.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Its name, for people.
    pub(crate) fn name(&self) -> String {
        match self.is_standard_input() {
            true => "standard input".to_owned(),
            false => one_line(&self.source).to_string(),
        }
    }

    /// The path of the source.
    pub(crate) fn path(&self) -> &Path {
        &self.source
    }

    /// A flag that was given and says something of frames.
    pub(crate) fn of_frames(&self) -> Option<&'static str> {
        let given = [
            (self.format.is_some(), "--format"),
            (self.size.is_some(), "--size"),
        ];
        let given = given.into_iter().find(|(given, _)| *given);
        given.map(|(_, flag)| flag)
    }

    pub(crate) fn is_standard_input(&self) -> bool {
        self.source == Path::new("-")
    }

    /// Raw frames, where their format is said.
    fn raw(&self) -> Result<Option<FrameSpec>> {
        let Some(format) = self.format else {
            return Ok(None);
        };
        let Some((width, height)) = self.size else {
            bail!("--format: raw frames need their --size as well");
        };
        let range = match self.limited_range {
            true => YuvRange::Limited,
            false => YuvRange::Full,
        };
        let spec = FrameSpec::new(format, width, height).with_range(range);
        spec.check().context("--size")?;
        match spec.byte_len() > MAX_FRAME_BYTES {
            true => bail!("--size: frames of more than {MAX_FRAME_BYTES} bytes are not taken"),
            false => Ok(Some(spec)),
        }
    }
}

/// Opens a source.
pub(crate) fn open(args: &SourceArgs) -> Result<Box<dyn Camera>> {
    let name = args.name();
    if args.is_standard_input() {
        return stream(args, name, Box::new(std::io::stdin()), true);
    }
    let cannot = || format!("{name}: cannot be read");
    let metadata = std::fs::metadata(&args.source).with_context(cannot)?;
    if is_device(&metadata) {
        return device(args);
    }
    if metadata.is_dir() {
        bail!("{name}: a directory; `flowgate score` reads pictures");
    }
    let file = File::open(&args.source).with_context(cannot)?;
    stream(args, name, Box::new(file), !metadata.is_file())
}

fn stream(
    args: &SourceArgs,
    name: String,
    input: Box<dyn Read + Send>,
    waits: bool,
) -> Result<Box<dyn Camera>> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let raw = args.raw()?;
    let start = input.fill_buf();
    let start = start.with_context(|| format!("{name}: cannot be read"))?;
    if start.is_empty() {
        bail!("{name}: holds no frames");
    }
    // The first piece of a pipe may be shorter than the word.
    let word = &MAGIC[..start.len().min(MAGIC.len())];
    let is_video = start.starts_with(word) && (raw.is_none() || word == MAGIC);
    match (is_video, raw) {
        (true, Some(_)) => bail!("{name}: a y4m video says its format and size itself"),
        (true, None) => Ok(Box::new(Y4m::new(name, input, waits)?.at_rate(args.rate))),
        (false, Some(spec)) => {
            let mut frames = Raw::new(name, input, spec);
            frames.interval = args.rate.and_then(interval);
            Ok(Box::new(frames))
        }
        (false, None) if start.starts_with(&[0x1f, 0x8b]) => {
            bail!("{name}: compressed; `gunzip -c FILE | flowgate watch MODEL -` reads it")
        }
        (false, None) => {
            bail!("{name}: no y4m video (raw frames need --format and --size)")
        }
    }
}

#[cfg(unix)]
fn is_device(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_device(_: &Metadata) -> bool {
    false
}

#[cfg(all(feature = "camera", target_os = "linux"))]
fn device(args: &SourceArgs) -> Result<Box<dyn Camera>> {
    let wish = super::wish::Wish {
        format: args.format,
        size: args.size,
        rate: args.rate,
    };
    Ok(Box::new(super::device::Device::open(&args.source, wish)?))
}

#[cfg(not(all(feature = "camera", target_os = "linux")))]
fn device(args: &SourceArgs) -> Result<Box<dyn Camera>> {
    bail!(
        "{}: this build reads no devices (cargo install flowgate --features camera), \
         but `ffmpeg -f v4l2 -i DEVICE -f yuv4mpegpipe - | flowgate watch MODEL -` does",
        args.name()
    )
}

fn format(text: &str) -> Result<PixelFormat, String> {
    let known = || PixelFormat::ALL.map(PixelFormat::name).join(", ");
    PixelFormat::from_name(text).ok_or_else(|| format!("the formats are {}", known()))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|rate| (0.001..=100_000.0).contains(rate))
        .ok_or_else(|| "expected frames a second, as 25 or 0.2".to_owned())
}
