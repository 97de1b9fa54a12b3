//! Frames of a known size, one behind the other, without anything between them.

use super::{Arrival, Camera, RowSink, Sink, Step, fill};
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
    /// Of a frame, or of one row.
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

    /// A frame whose rows are handed over as they come.
    fn by_rows(&mut self, mut rows: Box<dyn RowSink + '_>, began: Instant) -> Result<Step> {
        let len = self.spec.row_bytes(0) as usize;
        for y in 0..self.spec.rows() {
            let found = fill(&mut self.input, &mut self.bytes, len);
            let found = found.with_context(|| format!("{}: cannot be read", self.name))?;
            if found < len {
                return Ok(self.truncated(u64::from(y) * len as u64 + found as u64));
            }
            rows.row(&self.bytes);
        }
        rows.end(Arrival {
            began,
            complete: Instant::now(),
            lost: 0,
        });
        Ok(Step::Frame)
    }

    fn truncated(&self, found: u64) -> Step {
        let len = self.spec.byte_len();
        Step::Fault(format!(
            "the last frame is truncated: {found} bytes of {len}"
        ))
    }
}

impl Camera for Raw {
    fn step(&mut self, sink: &mut dyn Sink) -> Result<Step> {
        let len = self.spec.byte_len() as usize;
        let place = || format!("{}: cannot be read", self.name);
        // The first byte may be long in coming.
        if self.input.fill_buf().with_context(place)?.is_empty() {
            return Ok(Step::End);
        }
        let began = Instant::now();
        if self.spec.format.planes() == 1
            && let Some(rows) = sink.rows(self.spec)
        {
            return self.by_rows(rows, began);
        }
        let found = fill(&mut self.input, &mut self.bytes, len).with_context(place)?;
        if found < len {
            return Ok(self.truncated(found as u64));
        }
        let arrival = Arrival {
            began,
            complete: Instant::now(),
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
