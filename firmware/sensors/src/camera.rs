//! A camera's rows out of a stream of bytes.

use crate::{Source, SourceError};
use embedded_io::Read;
use flow_infer::front_end::FrameSpec;

/// A camera that sends its frames without gaps, of each row of pixels the rows of the planes that belong to it.
///
/// One row is in memory: what a DMA writes meanwhile is the stream's to keep.
#[derive(Debug)]
pub struct Camera<'m, R> {
    stream: R,
    memory: &'m mut [u8],
    spec: FrameSpec,
}

impl<'m, R: Read> Camera<'m, R> {
    /// A camera of such frames; `memory` holds a row of them, all planes together.
    ///
    /// # Errors
    /// [`SourceError::OtherInput`]: it does not.
    pub fn new(stream: R, memory: &'m mut [u8], spec: FrameSpec) -> Result<Self, SourceError> {
        match row_bytes(&spec).iter().sum::<usize>() <= memory.len() {
            true => Ok(Self {
                stream,
                memory,
                spec,
            }),
            false => Err(SourceError::OtherInput),
        }
    }

    /// The stream, for what comes between frames.
    pub fn stream(&mut self) -> &mut R {
        &mut self.stream
    }

    /// Frames are of another kind from now on; rows that do not fit the memory are refused when they are asked for.
    pub fn set_frame(&mut self, spec: FrameSpec) {
        self.spec = spec;
    }
}

impl<R: Read> Source for Camera<'_, R> {
    fn next_frame(&mut self) -> Result<FrameSpec, SourceError> {
        Ok(self.spec)
    }

    fn row(&mut self) -> Result<[&[u8]; 3], SourceError> {
        let [a, b, c] = row_bytes(&self.spec);
        let row = self.memory.get_mut(..a + b + c);
        let row = row.ok_or(SourceError::OtherInput)?;
        fill(&mut self.stream, row)?;
        let (first, rest) = row.split_at_checked(a).ok_or(SourceError::OtherInput)?;
        let (second, third) = rest.split_at_checked(b).ok_or(SourceError::OtherInput)?;
        Ok([first, second, third])
    }
}

/// Bytes of a row of pixels in each plane.
fn row_bytes(spec: &FrameSpec) -> [usize; 3] {
    [0, 1, 2].map(|plane| match plane < spec.format.planes() {
        true => spec.row_bytes(plane) as usize,
        false => 0,
    })
}

/// `embedded_io`'s own loop indexes with what the stream returns, which can panic.
fn fill(stream: &mut impl Read, bytes: &mut [u8]) -> Result<(), SourceError> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest).map_err(|_| SourceError::Device)? {
            0 if filled == 0 => return Err(SourceError::End),
            0 => return Err(SourceError::Device),
            read => filled += read,
        }
    }
    Ok(())
}
