//! What a `.flow` file says of the way from a frame to its input.

use super::error::FrameError;
use super::frame::FrameSpec;
use crate::spec::Shape;
use serde::{Deserialize, Serialize};

/// What lies between a sensor and the model's input: a section of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FrontEnd {
    /// Frames of a camera, or pictures.
    Frames(Reduction),
}

/// A part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// First column.
    pub x: u16,
    /// First row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// How a frame becomes the model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reduction {
    /// The model's input: one channel is luma, three are red, green and blue.
    pub output: Shape,
    /// The part of a frame that is looked at; all of it if there is none.
    pub region: Option<Region>,
    /// The only frames that the model is for; of any format and size if there are none.
    pub frame: Option<FrameSpec>,
}

impl Region {
    /// The whole of a frame.
    pub const fn whole(frame: &FrameSpec) -> Self {
        Self {
            x: 0,
            y: 0,
            width: frame.width,
            height: frame.height,
        }
    }

    const fn lies_within(&self, frame: &FrameSpec) -> bool {
        self.x as u32 + self.width as u32 <= frame.columns()
            && self.y as u32 + self.height as u32 <= frame.rows()
    }
}

impl Reduction {
    /// Of frames of any format and size, the whole.
    pub const fn to(output: Shape) -> Self {
        Self {
            output,
            region: None,
            frame: None,
        }
    }

    /// Sums that a [`FrameReader`](super::FrameReader) keeps: two rows of the model's width.
    pub const fn accumulators(&self) -> usize {
        2 * self.output.channels as usize * self.output.width as usize
    }

    /// Checks what can be checked before there is a frame.
    ///
    /// # Errors
    /// As [`region_of`](Self::region_of).
    pub fn check(&self) -> Result<(), FrameError> {
        if self.output.checked_len().is_none()
            || self.output.is_empty()
            || !matches!(self.output.channels, 1 | 3)
        {
            return Err(FrameError::Output);
        }
        match (&self.frame, &self.region) {
            (Some(frame), _) => self.region_of(frame).map(|_| ()),
            (None, Some(region)) => self.shrinks(region),
            (None, None) => Ok(()),
        }
    }

    /// The part of a frame that becomes the input.
    ///
    /// # Errors
    /// [`FrameError`] where the frame is malformed or is not one that the model is for, where the region reaches
    /// beyond it, or is too small.
    pub fn region_of(&self, frame: &FrameSpec) -> Result<Region, FrameError> {
        frame.check()?;
        if self.frame.is_some_and(|only| !same_picture(&only, frame)) {
            return Err(FrameError::OtherFrame);
        }
        let region = self.region.unwrap_or(Region::whole(frame));
        if !region.lies_within(frame) {
            return Err(FrameError::Region);
        }
        self.shrinks(&region)?;
        if frame.format.is_mosaic() {
            let (width, height) = (region.width / 2, region.height / 2);
            let odd = region.width % 2 + region.height % 2 > 0;
            if odd || width < self.output.width || height < self.output.height {
                return Err(FrameError::Mosaic);
            }
        }
        Ok(region)
    }

    fn shrinks(&self, region: &Region) -> Result<(), FrameError> {
        if region.width == 0 || region.height == 0 {
            return Err(FrameError::Region);
        }
        match region.width < self.output.width || region.height < self.output.height {
            true => Err(FrameError::Enlarges),
            false => Ok(()),
        }
    }
}

/// Whether two frames differ in nothing but how far their rows lie apart.
fn same_picture(a: &FrameSpec, b: &FrameSpec) -> bool {
    a.with_stride(0) == b.with_stride(0)
}
