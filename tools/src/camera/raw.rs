//! Frames of a known size, one behind the other, without anything between them.

use super::{Arrival, Camera, Step, fill};
use anyhow::{Context, Result};
use flow_infer::front_end::{Frame, FrameSpec};
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

/// A stream of raw frames.
pub(crate) struct Raw {
    pub(super) name: String,
    pub(super) input: BufReader<Box<dyn Read + Send>>,
    pub(super) spec: FrameSpec,
    pub(super) interval: Option<Duration>,
    bytes: Vec<u8>,
}

impl Raw {
    pub(super) fn new(
        name: String,
        input: BufReader<Box<dyn Read + Send>>,
        spec: FrameSpec,
    ) -> Self {
        Self {
            name,
            input,
            spec,
            interval: None,
            bytes: Vec::new(),
        }
    }
}

impl Camera for Raw {
    fn step(&mut self, take: &mut dyn FnMut(&Frame<'_>, Arrival)) -> Result<Step> {
        let len = self.spec.byte_len() as usize;
        let place = || format!("{}: cannot be read", self.name);
        // The first byte may be long in coming.
        if self.input.fill_buf().with_context(place)?.is_empty() {
            return Ok(Step::End);
        }
        let began = Instant::now();
        let found = fill(&mut self.input, &mut self.bytes, len).with_context(place)?;
        if found < len {
            let what = format!("the last frame is truncated: {found} bytes of {len}");
            return Ok(Step::Fault(what));
        }
        let arrival = Arrival {
            began,
            complete: Instant::now(),
            lost: 0,
        };
        take(&Frame::new(self.spec, &self.bytes)?, arrival);
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
