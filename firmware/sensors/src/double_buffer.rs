//! Rows of a camera interface whose DMA fills two places by turns.

use crate::{Source, SourceError};
use flow_infer::front_end::FrameSpec;

/// A camera interface, and the DMA behind it: one frame at a time, as it is asked, into two places of a row each.
pub trait Interface {
    /// Forgets what has come so far, waits for the beginning of a frame, and captures this frame only.
    fn start(&mut self);

    /// What has come of the frame.
    fn captured(&mut self) -> Captured;

    /// Copies the first place or the second one, whatever is written to it meanwhile.
    fn copy(&self, second: bool, row: &mut [u8]);
}

/// What has come of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Whole rows, each in the place that was not the last one's, the first in the first.
    pub rows: u32,
    /// A part of a row has come besides.
    pub begun: bool,
    /// The camera has ended the frame, and all of it has been stored.
    pub ended: bool,
    /// Bytes came faster than they were stored.
    pub overrun: bool,
}

/// Frames out of two places of a row each.
///
/// A row is copied before its place is written again, which is found out afterwards; a frame of which a byte is
/// missing, or which has one too many, is [`SourceError::FrameLost`]. Frames are captured one by one, so that no two are
/// ever mixed; those that pass by while a gate decides are not waited for.
#[derive(Debug)]
pub struct DoubleBuffer<'m, I> {
    interface: I,
    memory: &'m mut [u8],
    spec: FrameSpec,
    row_bytes: usize,
    /// The row that is asked for next.
    next: u32,
    /// Looks at the interface before a camera that sends nothing has failed.
    patience: u32,
}

impl<'m, I: Interface> DoubleBuffer<'m, I> {
    /// Frames of a format with one plane; `memory` holds a row. A camera that sends nothing new in `patience` looks at it
    /// has failed.
    ///
    /// # Errors
    /// [`SourceError::OtherInput`]: the format has several planes, or a row is larger than the memory.
    pub fn new(
        interface: I,
        memory: &'m mut [u8],
        spec: FrameSpec,
        patience: u32,
    ) -> Result<Self, SourceError> {
        let row_bytes = spec.row_bytes(0) as usize;
        match spec.format.planes() == 1 && row_bytes <= memory.len() {
            true => Ok(Self {
                interface,
                memory,
                spec,
                row_bytes,
                next: 0,
                patience,
            }),
            false => Err(SourceError::OtherInput),
        }
    }

    /// Waits until so many rows are there, and at the end of a frame for the end.
    fn wait(&mut self, rows: u32) -> Result<(), SourceError> {
        let all = rows == self.rows();
        for _ in 0..self.patience {
            let captured = self.interface.captured();
            let exactly = captured.rows == rows && !captured.begun;
            match (captured.overrun, captured.ended) {
                (true, _) => return Err(SourceError::FrameLost),
                (_, true) if all && !exactly => return Err(SourceError::FrameLost),
                (_, true) if captured.rows < rows => return Err(SourceError::FrameLost),
                (_, ended) if captured.rows >= rows && (ended || !all) => return Ok(()),
                _ => core::hint::spin_loop(),
            }
        }
        Err(SourceError::Device)
    }

    fn rows(&self) -> u32 {
        self.spec.height.into()
    }
}

impl<I: Interface> Source for DoubleBuffer<'_, I> {
    fn next_frame(&mut self) -> Result<FrameSpec, SourceError> {
        self.next = 0;
        self.interface.start();
        Ok(self.spec)
    }

    fn row(&mut self) -> Result<[&[u8]; 3], SourceError> {
        let number = self.next;
        self.wait(number + 1)?;
        let row = self.memory.get_mut(..self.row_bytes);
        let row = row.ok_or(SourceError::OtherInput)?;
        self.interface.copy(number % 2 == 1, row);
        // The row after the next one goes to the same place, as soon as the next one is whole.
        let written_again = number + 2 < self.spec.height.into();
        if written_again && self.interface.captured().rows > number + 1 {
            return Err(SourceError::FrameLost);
        }
        self.next = number + 1;
        Ok([row, &[], &[]])
    }
}
