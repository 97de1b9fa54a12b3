//! Sources of frames, one after the other, with bounded memory: what `watch` looks at and `capture` keeps.
//!
//! A source hands every frame over where it lies, in its own buffer or in the driver's, and nothing is copied; packed
//! frames of a pipe go row by row and lie nowhere. What comes in the place of a frame is said and the source goes on
//! where it can.

#[cfg(all(feature = "camera", target_os = "linux"))]
mod device;
mod inputs;
mod open;
pub(crate) mod pump;
mod raw;
pub(crate) mod slot;
#[cfg(test)]
mod tests;
pub(crate) mod whole;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod wish;
mod y4m;

pub(crate) use open::{SourceArgs, open};

use anyhow::Result;
use flow_infer::front_end::{Frame, FrameSpec};
use std::time::{Duration, Instant};

/// Largest frame that is taken: more than 8K with full chroma.
const MAX_FRAME_BYTES: u64 = 256 << 20;

/// When a frame came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// When its first byte was there.
    pub(crate) began: Instant,
    /// When its last byte was there.
    pub(crate) complete: Instant,
    /// Frames that the driver lost before it.
    pub(crate) lost: u64,
}

/// What came next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(all(feature = "camera", target_os = "linux")), allow(dead_code))] // only devices go away
pub(crate) enum Step {
    /// A frame, which was handed over.
    Frame,
    /// Something else where a frame should be; the source goes on.
    Fault(String),
    /// Nothing yet: time to see whether an end was asked for.
    Idle,
    /// Nothing more.
    End,
    /// The device went away; [`Camera::reopen`] may bring it back.
    Gone(String),
}

/// Where frames come from.
pub(crate) trait Camera: Send {
    /// Waits for the next frame and hands it over.
    ///
    /// # Errors
    /// What makes going on pointless.
    fn step(&mut self, sink: &mut dyn Sink) -> Result<Step>;

    /// What it is, for messages.
    fn name(&self) -> &str;

    /// Whether frames come when they come: one that is not taken is lost.
    fn is_live(&self) -> bool;

    /// Time from one frame to the next, where the source says it.
    fn interval(&self) -> Option<Duration>;

    /// Opens a device that went away again.
    ///
    /// # Errors
    /// It is not back yet.
    fn reopen(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Whom frames are handed to.
pub(crate) trait Sink {
    /// Takes a frame where it lies.
    fn frame(&mut self, frame: &Frame<'_>, arrival: Arrival);

    /// Takes a frame of one plane row after row while it is still coming, so that nobody need keep it; none where
    /// frames are wanted whole.
    fn rows(&mut self, spec: FrameSpec) -> Option<Box<dyn RowSink + '_>>;
}

/// Whom the rows of one frame are handed to; a frame that breaks off is dropped with it.
pub(crate) trait RowSink {
    /// Takes the next row.
    fn row(&mut self, row: &[u8]);

    /// Takes note that all rows came.
    fn end(self: Box<Self>, arrival: Arrival);
}

/// Time from one frame to the next at this rate.
fn interval(rate: f64) -> Option<Duration> {
    let usable = rate.is_finite() && rate > 0.0;
    usable
        .then(|| Duration::try_from_secs_f64(1.0 / rate).ok())
        .flatten()
}

/// Fills `bytes` with the next `len` of a stream, whose memory grows with what really comes; returns how many came.
fn fill(input: &mut impl std::io::Read, bytes: &mut Vec<u8>, len: usize) -> std::io::Result<usize> {
    use std::io::Read;
    if bytes.len() != len {
        bytes.clear();
        let found = input.take(len as u64).read_to_end(bytes)?;
        return Ok(found);
    }
    let mut found = 0;
    while found < len {
        match input.read(&mut bytes[found..]) {
            Ok(0) => break,
            Ok(read) => found += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
