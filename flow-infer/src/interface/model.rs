//! A `.flow` file that has passed every check.

use crate::artifact::{Artifact, LoadError};
use crate::plan::PlannedInput;

/// A `.flow` file that has passed every check, in place: nothing of it is copied.
#[derive(Clone, Debug)]
pub struct Model<'b>(pub(super) Artifact<'b>);

/// What a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InputShape {
    /// Bytes, channel by channel, row by row.
    Image {
        /// Channels.
        channels: u16,
        /// Rows.
        height: u16,
        /// Columns.
        width: u16,
    },
    /// Measurements.
    Vector {
        /// How many.
        len: u16,
    },
}

impl InputShape {
    /// Number of elements: bytes of an image, measurements of a vector.
    pub const fn elements(self) -> usize {
        match self {
            Self::Image {
                channels,
                height,
                width,
            } => channels as usize * height as usize * width as usize,
            Self::Vector { len } => len as usize,
        }
    }

    /// Bytes of an input in a file: one an element of an image, four (`f32`, little-endian) a measurement.
    pub const fn byte_len(self) -> usize {
        match self {
            Self::Image { .. } => self.elements(),
            Self::Vector { .. } => self.elements() * size_of::<f32>(),
        }
    }
}

impl<'b> Model<'b> {
    /// Checks every byte and borrows the file.
    ///
    /// # Errors
    /// [`LoadError`]; nothing of a malformed file is ever run.
    pub fn load(bytes: &'b [u8]) -> Result<Self, LoadError> {
        Artifact::load(bytes).map(Self)
    }

    /// What it reads.
    pub fn input(&self) -> InputShape {
        match *self.0.input() {
            PlannedInput::Image { shape, .. } => InputShape::Image {
                channels: shape.channels,
                height: shape.height,
                width: shape.width,
            },
            PlannedInput::Vector { dims: len, .. }
            | PlannedInput::Whitened { measured: len, .. } => InputShape::Vector { len },
        }
    }

    /// The windows that it is for, if it is for such.
    #[cfg(feature = "windows")]
    pub fn windows(&self) -> Option<super::WindowShape<'b>> {
        self.0.windows().map(super::WindowShape)
    }

    /// Version of the model, counted up by whoever ships it.
    pub fn version(&self) -> u32 {
        self.0.model_version()
    }

    /// Whether the file has a threshold.
    pub fn is_calibrated(&self) -> bool {
        self.0.calibration().is_some()
    }

    /// The bound on the false-alarm rate that it was calibrated for, in parts per million.
    pub fn false_alarm_ppm(&self) -> Option<u32> {
        self.0
            .calibration()
            .map(|calibration| calibration.alpha_ppm)
    }

    /// The file's parts, for host tools.
    #[doc(hidden)]
    pub fn artifact(&self) -> &Artifact<'b> {
        &self.0
    }
}
