//! A frame, row by row, into the model's input.

use super::error::FrameError;
use super::format::YuvRange;
use super::frame::{Frame, FrameSpec, MAX_PLANES};
use super::output::Conversion;
use super::reduction::{Reduction, Region};
use super::source::Sources;
use super::span::Spans;
use crate::bytes;
use crate::spec::Shape;

/// Takes a frame row by row and averages it into the model's input.
#[derive(Debug)]
pub struct FrameReader<'m> {
    frame: FrameSpec,
    region: Region,
    output: Shape,
    conversion: Conversion,
    sums: &'m mut [u64],
    input: &'m mut [u8],
    /// Next row of the frame.
    next: u32,
    /// Next row of the input.
    row: usize,
    /// Units that the row of the input still needs: a line of cells counts as many as the input has rows, a row of
    /// the input as many as the region has lines.
    needed: u32,
    /// Which half of the sums is the row at work; the other is the one behind it.
    flipped: bool,
}

impl<'m> FrameReader<'m> {
    /// A reader of frames like `frame`: `sums` holds at least [`Reduction::accumulators`] numbers, `input` at least
    /// the bytes of the model's input. Neither need be cleared.
    ///
    /// # Errors
    /// [`FrameError`] as [`Reduction::region_of`], and [`FrameError::Memory`].
    pub fn new(
        reduction: &Reduction,
        frame: FrameSpec,
        sums: &'m mut [u64],
        input: &'m mut [u8],
    ) -> Result<Self, FrameError> {
        reduction.check()?;
        let region = reduction.region_of(&frame)?;
        let (output, accumulators) = (reduction.output, reduction.accumulators());
        let sums = sums.get_mut(..accumulators).ok_or(FrameError::Memory)?;
        let input = input.get_mut(..output.len()).ok_or(FrameError::Memory)?;
        let mut reader = Self {
            frame,
            region,
            output,
            conversion: conversion(&frame, output),
            sums,
            input,
            next: 0,
            row: 0,
            needed: 0,
            flipped: false,
        };
        reader.restart();
        Ok(reader)
    }

    /// Begins a new frame; what has been read of the last one is forgotten.
    pub fn restart(&mut self) {
        self.sums.fill(0);
        (self.next, self.row, self.needed) = (0, 0, self.lines());
    }

    /// Rows that are still to come.
    pub fn missing(&self) -> u32 {
        self.frame.rows() - self.next
    }

    /// Takes the next row of pixels: the row of each plane that belongs to it, in the order of the planes. Where a
    /// chroma row serves two rows of pixels, it is given with both.
    ///
    /// # Errors
    /// [`FrameError::Planes`], [`FrameError::Row`], [`FrameError::Excess`]; the row is then not taken.
    pub fn push_row(&mut self, planes: &[&[u8]]) -> Result<(), FrameError> {
        let format = self.frame.format;
        if planes.len() != format.planes() {
            let needed = format.planes() as u8;
            return Err(FrameError::Planes { needed });
        }
        let mut row = [&[][..]; MAX_PLANES];
        for (plane, (to, &from)) in row.iter_mut().zip(planes).enumerate() {
            let (needed, found) = (self.frame.row_bytes(plane), from.len() as u32);
            if found < needed {
                return Err(FrameError::Row { needed, found });
            }
            *to = from;
        }
        if self.missing() == 0 {
            return Err(FrameError::Excess);
        }
        let y = self.next;
        self.next += 1;
        let line = y.checked_sub(u32::from(self.region.y));
        if let Some(line) = line.filter(|&line| line < u32::from(self.region.height)) {
            self.add(&row, y, line);
        }
        Ok(())
    }

    /// Takes a whole frame, from its first row on.
    ///
    /// # Errors
    /// [`FrameError::OtherFrame`] if it is not like the reader's.
    pub fn push_frame(&mut self, frame: &Frame<'_>) -> Result<(), FrameError> {
        if frame.spec().with_stride(0) != self.frame.with_stride(0) {
            return Err(FrameError::OtherFrame);
        }
        self.restart();
        for y in 0..self.frame.rows() {
            let row = frame.row(y);
            self.push_row(row.get(..self.frame.format.planes()).unwrap_or(&[]))?;
        }
        Ok(())
    }

    /// The model's input, once all rows have come.
    ///
    /// # Errors
    /// [`FrameError::Unfinished`].
    pub fn input(&self) -> Result<&[u8], FrameError> {
        match self.missing() {
            0 => Ok(self.input),
            missing => Err(FrameError::Unfinished { missing }),
        }
    }

    /// As [`Self::input`], for as long as its memory is lent.
    ///
    /// # Errors
    /// [`FrameError::Unfinished`].
    pub fn into_input(self) -> Result<&'m [u8], FrameError> {
        match self.missing() {
            0 => Ok(self.input),
            missing => Err(FrameError::Unfinished { missing }),
        }
    }

    /// Rows and columns of a cell: a mosaic's colours are whole in 2 x 2 samples only.
    fn cell(&self) -> u32 {
        1 + u32::from(self.frame.format.is_mosaic())
    }

    fn lines(&self) -> u32 {
        u32::from(self.region.height) / self.cell()
    }

    fn columns(&self) -> u32 {
        u32::from(self.region.width) / self.cell()
    }

    /// Adds a row of the region to the sums, and writes a row of the input where that is its last.
    fn add(&mut self, row: &[&[u8]; MAX_PLANES], y: u32, line: u32) {
        let units = u32::from(self.output.height);
        let here = units.min(self.needed);
        self.sum(row, y, u64::from(here), u64::from(units - here));
        if !(line + 1).is_multiple_of(self.cell()) {
            return;
        }
        self.needed -= here;
        if self.needed == 0 {
            self.write_row();
            self.needed = self.lines() - (units - here);
        }
    }

    /// Adds a row, weighted for the row of the input at work and for the one behind it.
    fn sum(&mut self, row: &[&[u8]; MAX_PLANES], y: u32, here: u64, behind: u64) {
        let grey = self.conversion.sums() == 1 && self.output.channels == 1;
        let limited = self.frame.range == YuvRange::Limited;
        let sources = Sources::of_row(self.frame.format, limited, grey, self.region, y);
        let width = u32::from(self.output.width);
        let columns = self.columns();
        let (at_work, next) = halves(self.sums, self.flipped);
        for source in sources.iter() {
            let start = source.sum * width as usize;
            let at_work = bytes::run_mut(at_work, start, width as usize);
            let next = bytes::run_mut(next, start, width as usize);
            let mut spans = Spans::new(columns, width);
            for (to, to_next) in at_work.iter_mut().zip(next) {
                let sum = u64::from(source.sum_of(row, spans.step(), width));
                *to += here * sum;
                if behind > 0 {
                    *to_next += behind * sum;
                }
            }
        }
    }

    /// Rounds the sums into a row of the input and goes on to the next.
    fn write_row(&mut self) {
        let width = usize::from(self.output.width);
        let cells = u64::from(self.columns()) * u64::from(self.lines());
        let (at_work, _) = halves(self.sums, self.flipped);
        for channel in 0..usize::from(self.output.channels) {
            let start = (channel * usize::from(self.output.height) + self.row) * width;
            for (column, byte) in self.input.iter_mut().skip(start).take(width).enumerate() {
                let sum = |k: usize| at_work.get(k * width + column).copied().unwrap_or(0);
                *byte = self.conversion.channel(sum, channel, cells);
            }
        }
        at_work.fill(0);
        self.flipped = !self.flipped;
        self.row += 1;
    }
}

/// The row of sums at work, and the one behind it.
fn halves(sums: &mut [u64], flipped: bool) -> (&mut [u64], &mut [u64]) {
    let (first, second) = sums.split_at_mut(sums.len() / 2);
    match flipped {
        true => (second, first),
        false => (first, second),
    }
}

/// How the sums of a frame become channels.
fn conversion(frame: &FrameSpec, output: Shape) -> Conversion {
    let grey = output.channels == 1;
    match frame.format {
        format if format.is_yuv() && grey => Conversion::luma(frame.range),
        format if format.is_yuv() => Conversion::Yuv(frame.range),
        super::PixelFormat::Grey8 => Conversion::Direct { sums: 1, black: 0 },
        _ => Conversion::Direct {
            sums: usize::from(output.channels),
            black: 0,
        },
    }
}
