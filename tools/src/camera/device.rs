//! Cameras of Linux by V4L2: frames are reduced where the driver put them, in buffers that are mapped.

use super::wish::Wish;
use super::{Arrival, Camera, Sink, Step, interval};
use anyhow::{Context, Result, anyhow, bail};
use flow_infer::front_end::{Frame, FrameSpec, PixelFormat, YuvRange};
use flow_train_host::files::one_line;
use linuxvideo::format::{PixFormat, PixelFormat as Fourcc};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, Fract};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is asked for where nothing is said.
const SIZE: (u16, u16) = (640, 480);

/// Formats of V4L2 that are read, the ones with fewest bytes a pixel of luma first.
const FORMATS: [(&[u8; 4], PixelFormat); 14] = [
    (b"GREY", PixelFormat::Grey8),
    (b"NV12", PixelFormat::Nv12),
    (b"YU12", PixelFormat::I420),
    (b"YUYV", PixelFormat::Yuyv),
    (b"UYVY", PixelFormat::Uyvy),
    (b"422P", PixelFormat::I422),
    (b"RGBP", PixelFormat::Rgb565),
    (b"RGBR", PixelFormat::Rgb565be),
    (b"RGB3", PixelFormat::Rgb888),
    (b"BGR3", PixelFormat::Bgr888),
    (b"RGGB", PixelFormat::Rggb8),
    (b"BA81", PixelFormat::Bggr8),
    (b"GRBG", PixelFormat::Grbg8),
    (b"GBRG", PixelFormat::Gbrg8),
];

/// A device that delivers frames.
pub(super) struct Device {
    path: PathBuf,
    name: String,
    wish: Wish,
    stream: ReadStream,
    spec: FrameSpec,
    interval: Option<Duration>,
}

impl Device {
    pub(super) fn open(path: &Path, wish: Wish) -> Result<Self> {
        let name = one_line(path).to_string();
        let (stream, spec, interval) = start(path, wish).with_context(|| name.clone())?;
        Ok(Self {
            path: path.to_owned(),
            name,
            wish,
            stream,
            spec,
            interval,
        })
    }
}

impl Camera for Device {
    fn step(&mut self, sink: &mut dyn Sink) -> Result<Step> {
        let spec = self.spec;
        let taken = self.stream.dequeue(|view| {
            if view.is_error() {
                return Ok(Step::Fault(
                    "the driver marked a frame as broken".to_owned(),
                ));
            }
            let complete = Instant::now();
            let arrival = Arrival {
                began: complete,
                complete,
                lost: 0,
            };
            Ok(match Frame::new(spec, &view) {
                Ok(frame) => {
                    sink.frame(&frame, arrival);
                    Step::Frame
                }
                Err(error) => Step::Fault(error.to_string()),
            })
        });
        Ok(match taken {
            Ok(step) => step,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Step::Idle,
            Err(error) => Step::Gone(format!("the device went away: {error}")),
        })
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_live(&self) -> bool {
        true
    }

    fn interval(&self) -> Option<Duration> {
        self.interval
    }

    fn reopen(&mut self) -> Result<()> {
        let (stream, spec, interval) = start(&self.path, self.wish)?;
        (self.stream, self.spec, self.interval) = (stream, spec, interval);
        Ok(())
    }
}

fn start(path: &Path, wish: Wish) -> Result<(ReadStream, FrameSpec, Option<Duration>)> {
    let device = linuxvideo::Device::open(path).map_err(busy)?;
    let offered = device.formats(BufType::VIDEO_CAPTURE);
    let offered = offered.map(|format| format.map(|f| f.pixel_format().as_fourcc()));
    let offered: Vec<[u8; 4]> = offered.collect::<io::Result<_>>().map_err(busy)?;
    let (fourcc, _) = choose(&offered, wish.format).map_err(|why| anyhow!(why))?;
    let (width, height) = wish.size.unwrap_or(SIZE);
    // A driver takes the nearest size that it has.
    let format = PixFormat::new(width.into(), height.into(), Fourcc::from_fourcc(fourcc));
    let capture = device.video_capture(format).map_err(busy)?;
    let spec = spec(capture.format())?;
    let asked = wish
        .rate
        .map(|rate| Fract::new(1000, (rate * 1000.0) as u32));
    // A driver that keeps its own rate is no less a camera.
    let _ = asked.map(|asked| capture.set_frame_interval(asked));
    let stream = capture.into_stream().map_err(busy)?;
    Ok((stream, spec, wish.rate.and_then(interval)))
}

/// What the driver settled on.
fn spec(format: &PixFormat) -> Result<FrameSpec> {
    let fourcc = format.pixel_format().as_fourcc();
    let Some((_, pixels)) = FORMATS.iter().find(|(known, _)| **known == fourcc) else {
        bail!("the driver insists on the format {}", text(fourcc));
    };
    let side = |n: u32| u16::try_from(n).context("a frame that is too large");
    let spec = FrameSpec::new(*pixels, side(format.width())?, side(format.height())?);
    let spec = spec.with_range(YuvRange::Limited);
    match format.bytes_per_line() {
        0 => Ok(spec),
        stride => Ok(spec.with_stride(stride)),
    }
}

/// The format to ask for: the wanted one, else the first of ours that is offered.
fn choose(
    offered: &[[u8; 4]],
    wanted: Option<PixelFormat>,
) -> Result<([u8; 4], PixelFormat), String> {
    let mut usable = FORMATS.iter().filter(|(code, _)| offered.contains(code));
    let found = usable.find(|(_, format)| wanted.is_none_or(|wanted| wanted == *format));
    let all = || {
        let names: Vec<String> = offered.iter().copied().map(text).collect();
        names.join(", ")
    };
    match (found, wanted) {
        (Some((code, format)), _) => Ok((**code, *format)),
        (None, Some(wanted)) => Err(format!("offers no {wanted}, but {}", all())),
        (None, None) => Err(format!("offers no format that is read, but {}", all())),
    }
}

fn text(fourcc: [u8; 4]) -> String {
    String::from_utf8_lossy(&fourcc).trim_end().to_owned()
}

fn busy(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::ResourceBusy => anyhow!("another program has the device"),
        _ => anyhow!("cannot be used as a camera: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_format_is_asked_for_else_the_leanest() {
        let offered = [*b"MJPG", *b"YUYV", *b"NV12"];
        assert_eq!(choose(&offered, None), Ok((*b"NV12", PixelFormat::Nv12)));
        let yuyv = Some(PixelFormat::Yuyv);
        assert_eq!(choose(&offered, yuyv), Ok((*b"YUYV", PixelFormat::Yuyv)));
        let error = choose(&offered, Some(PixelFormat::Grey8)).unwrap_err();
        assert_eq!(error, "offers no grey8, but MJPG, YUYV, NV12");
        assert!(choose(&[*b"MJPG"], None).is_err());
    }

    #[test]
    fn no_code_stands_twice() {
        for (place, (code, format)) in FORMATS.iter().enumerate() {
            let rest = &FORMATS[place + 1..];
            assert!(rest.iter().all(|(c, f)| c != code && f != format));
        }
    }
}
