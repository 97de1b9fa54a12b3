//! YUV4MPEG2 as a stream without an end: from ffmpeg, GStreamer or a file.
//!
//! A pipe loses no bytes, but who fills it may stop in the middle of a frame, begin again with another size, or say a
//! size that its frames do not have. What lies between two frames is skipped up to the next line FRAME.

use super::{Arrival, Camera, MAX_FRAME_BYTES, Sink, Step, fill, interval};
use anyhow::{Context, Result, bail};
use flow_infer::front_end::{Frame, FrameSpec, PixelFormat};
use flow_train_host::data::y4m;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

/// Longest line; those of real streams have some 60 bytes.
const MAX_LINE: u64 = 4096;
/// Faults in a row after which the header must be wrong.
const MAX_FAULTS: u32 = 10;
const FRAME: &[u8] = b"FRAME";
const HEADER: &[u8] = b"YUV4MPEG2";

/// A stream of frames with a header.
pub(crate) struct Y4m {
    name: String,
    input: BufReader<Box<dyn Read + Send>>,
    spec: FrameSpec,
    interval: Option<Duration>,
    /// Whether looking ahead may mean waiting.
    waits: bool,
    line: Vec<u8>,
    bytes: Vec<u8>,
    /// Offset of the next byte.
    place: u64,
    /// Faults since the last good frame but one.
    faults: u32,
    /// Whether the line FRAME of the next frame was read already.
    at_frame: bool,
    ended: bool,
}

impl Y4m {
    /// Reads the first line.
    pub(super) fn new(
        name: String,
        input: BufReader<Box<dyn Read + Send>>,
        waits: bool,
    ) -> Result<Self> {
        let mut stream = Self {
            name,
            input,
            spec: FrameSpec::new(PixelFormat::Grey8, 1, 1),
            interval: None,
            waits,
            line: Vec::new(),
            bytes: Vec::new(),
            place: 0,
            faults: 0,
            at_frame: false,
            ended: false,
        };
        stream.next_line()?;
        stream.begin()?;
        Ok(stream)
    }

    /// Sets the rate at which it is played.
    pub(super) fn at_rate(mut self, rate: Option<f64>) -> Self {
        self.interval = rate.and_then(interval).or(self.interval);
        self
    }

    /// Begins a stream with the header that was just read.
    fn begin(&mut self) -> Result<()> {
        let start = self.place - self.line.len() as u64;
        let header = match y4m::header(trimmed(&self.line)) {
            Ok(header) => header,
            Err((byte, problem)) => bail!("{}: byte {}: {problem}", self.name, start + byte as u64),
        };
        let len = header.spec.byte_len();
        if len > MAX_FRAME_BYTES {
            bail!(
                "{}: byte {start}: frames of {}x{} pixels have {len} bytes, more than the {MAX_FRAME_BYTES} that are taken",
                self.name,
                header.spec.width,
                header.spec.height
            );
        }
        self.spec = header.spec;
        self.interval = header.rate.and_then(interval);
        Ok(())
    }

    /// The next line with its end, or as much as a line may have; false at the end of the stream.
    fn next_line(&mut self) -> Result<bool> {
        self.line.clear();
        let mut limited = (&mut self.input).take(MAX_LINE);
        let read = limited.read_until(b'\n', &mut self.line);
        let read = read.with_context(|| format!("{}: cannot be read", self.name))?;
        self.place += read as u64;
        Ok(read > 0)
    }

    /// Skips to the line behind the next FRAME; false at the end.
    fn resynchronize(&mut self) -> Result<bool> {
        loop {
            if trimmed(&self.line).ends_with(FRAME) && self.line.ends_with(b"\n") {
                return Ok(true);
            }
            let cut = self.line.len().saturating_sub(FRAME.len());
            let tail = self.line.split_off(cut);
            let whole = tail.ends_with(b"\n");
            if !self.next_line()? {
                return Ok(false);
            }
            // A line that was cut may have its word cut as well.
            if !whole {
                self.line.splice(0..0, tail);
            }
        }
    }

    fn fault(&mut self, what: String) -> Result<Step> {
        self.faults += 2;
        if self.faults > 2 * MAX_FAULTS {
            let spec = self.spec;
            bail!(
                "{}: {what}: so it was {MAX_FAULTS} times: its frames are not {}x{} {}",
                self.name,
                spec.width,
                spec.height,
                spec.format
            );
        }
        Ok(Step::Fault(what))
    }

    /// Whether what follows a frame can follow one, where looking ahead needs no waiting.
    fn ends_well(&mut self) -> bool {
        if self.waits {
            return true;
        }
        let ahead = self.input.fill_buf().unwrap_or(&[]);
        let begins = |word: &[u8]| {
            let len = ahead.len().min(word.len());
            ahead[..len] == word[..len]
        };
        begins(FRAME) || begins(HEADER)
    }
}

impl Camera for Y4m {
    fn step(&mut self, sink: &mut dyn Sink) -> Result<Step> {
        if self.ended {
            return Ok(Step::End);
        }
        if !std::mem::take(&mut self.at_frame) {
            let start = self.place;
            if !self.next_line()? {
                return Ok(Step::End);
            }
            let line = trimmed(&self.line);
            if line.starts_with(HEADER) {
                self.begin()?;
                let spec = self.spec;
                let what = format!("frames are {}x{} from here on", spec.width, spec.height);
                return Ok(Step::Fault(format!("byte {start}: {what}")));
            }
            let rest = line.strip_prefix(FRAME);
            if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" ")) {
                self.at_frame = self.resynchronize()?;
                self.ended = !self.at_frame;
                let what = format!("byte {start}: no frame begins here, as one should");
                return self.fault(what);
            }
        }
        let began = Instant::now();
        let len = self.spec.byte_len() as usize;
        let start = self.place;
        let found = fill(&mut self.input, &mut self.bytes, len);
        let found = found.with_context(|| format!("{}: cannot be read", self.name))?;
        self.place += found as u64;
        if found < len {
            self.ended = true;
            let what = format!("byte {start}: the frame is truncated: {found} bytes of {len}");
            return self.fault(what);
        }
        let complete = Instant::now();
        if !self.ends_well() {
            return self.fault(format!(
                "byte {start}: the frame does not end where it should"
            ));
        }
        self.faults = self.faults.saturating_sub(1);
        let arrival = Arrival {
            began,
            complete,
            lost: 0,
        };
        sink.frame(&Frame::new(self.spec, &self.bytes)?, arrival);
        Ok(Step::Frame)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_live(&self) -> bool {
        false
    }

    fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}
