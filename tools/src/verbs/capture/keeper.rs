//! Where frames are kept, within a bound.

use super::pictures::Pictures;
use super::video::Video;
use crate::camera::whole::Whole;
use crate::failure;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// What came of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is kept under this name.
    Kept(String),
    /// It does not fit what is kept already.
    Misfit,
    /// It would pass the bound.
    Full,
}

/// A place for frames.
pub(super) struct Keeper {
    kind: Kind,
    most_bytes: u64,
    bytes: u64,
    count: u64,
    /// Whether somebody was told that frames are left out.
    said: bool,
}

enum Kind {
    Video(Video),
    Pictures(Pictures),
}

impl Keeper {
    /// A video where the name says so, else a directory.
    pub(super) fn new(out: &Path, most_bytes: u64) -> Result<Self> {
        let is_video = out
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("y4m"));
        let kind = match is_video {
            true => Kind::Video(Video::new(out)?),
            false => Kind::Pictures(Pictures::new(out)?),
        };
        Ok(Self {
            kind,
            most_bytes,
            bytes: 0,
            count: 0,
            said: false,
        })
    }

    /// Says how long it is from one frame of the source to the next, and how many of them are one kept.
    pub(super) fn at_rate(mut self, interval: Option<Duration>, every: u64) -> Self {
        if let (Kind::Video(video), Some(interval)) = (&mut self.kind, interval) {
            let seconds = interval.as_secs_f64() * every as f64;
            video.rate = (seconds > 0.0).then(|| 1.0 / seconds);
        }
        self
    }

    /// Keeps a frame.
    pub(super) fn keep(&mut self, whole: &Whole) -> Result<Outcome> {
        let entry = match &self.kind {
            Kind::Video(video) => video.entry(whole)?,
            Kind::Pictures(pictures) => Some(pictures.entry(whole)?),
        };
        let Some(entry) = entry else {
            if !std::mem::replace(&mut self.said, true) {
                let spec = whole.spec();
                let (width, height, format) = (spec.width, spec.height, spec.format);
                failure::warn(&format!(
                    "frames of {width}x{height} {format} are left out: a video has frames of one kind"
                ));
            }
            return Ok(Outcome::Misfit);
        };
        let bytes = self.bytes + entry.len() as u64;
        if bytes > self.most_bytes {
            return Ok(Outcome::Full);
        }
        let name = match &mut self.kind {
            Kind::Video(video) => video.write(whole, &entry)?,
            Kind::Pictures(pictures) => pictures.write(&entry)?,
        };
        (self.bytes, self.count) = (bytes, self.count + 1);
        Ok(Outcome::Kept(name))
    }

    /// Gives a video its name.
    pub(super) fn finish(&mut self) -> Result<()> {
        match &mut self.kind {
            Kind::Video(video) => video.finish(),
            Kind::Pictures(_) => Ok(()),
        }
    }

    /// Frames that were kept.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
