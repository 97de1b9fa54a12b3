//! What a gate asks for.

use flow_infer::front_end::FrameSpec;

/// Inputs of a gate, one after the other.
pub trait Source {
    /// Waits for the next input and fills `input` with it: an image's bytes, or little-endian `f32`.
    ///
    /// # Errors
    /// [`SourceError::OtherInput`], where nothing else is implemented.
    fn next(&mut self, _input: &mut [u8]) -> Result<(), SourceError> {
        Err(SourceError::OtherInput)
    }

    /// Waits for the sensor's next sample and fills `values` with it, one value a channel.
    ///
    /// # Errors
    /// As [`Source::next`], and [`SourceError::SamplesLost`].
    fn sample(&mut self, _values: &mut [i16]) -> Result<(), SourceError> {
        Err(SourceError::OtherInput)
    }

    /// Waits for the camera's next frame: what its rows will be.
    ///
    /// # Errors
    /// As [`Source::next`].
    fn next_frame(&mut self) -> Result<FrameSpec, SourceError> {
        Err(SourceError::OtherInput)
    }

    /// Lends the next row of the frame: the row of each plane that belongs to it, in the order of the planes. Planes
    /// that the format does not have are empty.
    ///
    /// # Errors
    /// As [`Source::next`].
    fn row(&mut self) -> Result<[&[u8]; 3], SourceError> {
        Err(SourceError::OtherInput)
    }
}

/// Why there is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// There is no further input.
    End,
    /// A frame came in part or too fast, and none of it counts; there will be others.
    FrameLost,
    /// There is a gap in front of the next sample, with which a new window begins.
    SamplesLost,
    /// The device behind the source failed.
    Device,
    /// The model wants other inputs than the source gives.
    OtherInput,
}

/// Nothing attached.
#[derive(Clone, Copy, Debug)]
pub struct NoSource;

impl Source for NoSource {
    fn next(&mut self, _input: &mut [u8]) -> Result<(), SourceError> {
        Err(SourceError::End)
    }

    fn sample(&mut self, _values: &mut [i16]) -> Result<(), SourceError> {
        Err(SourceError::End)
    }

    fn next_frame(&mut self) -> Result<FrameSpec, SourceError> {
        Err(SourceError::End)
    }
}
