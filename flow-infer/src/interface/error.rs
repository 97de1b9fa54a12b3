//! One error for each situation: opening a gate, giving it an input, testing it again.

use crate::artifact::LoadError;
use core::error::Error;
use core::fmt::{Display, Formatter, Result};

/// Why a gate does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum OpenError {
    /// The bytes are not a `.flow` file that this build runs.
    Load(LoadError),
    /// The model computes in floats: a gate takes integer models (`flowgate export --format q8`).
    NumberFormat,
    /// The file has no threshold: `flowgate calibrate` has not seen it.
    NotCalibrated,
    /// The deciding score does not exist for the model's inputs: vectors have no code length.
    Score,
    /// The workspace is too small.
    Workspace {
        /// Bytes that the model needs.
        needed: u32,
        /// Bytes that there are.
        given: u32,
    },
    /// This machine does not reproduce a golden vector: the file's or the processor's bits are not as they were.
    SelfTest(SelfTestFailed),
    /// `take` was called before.
    AlreadyTaken,
}

impl Display for OpenError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Load(error) => write!(f, "the model is refused: {error}"),
            Self::NumberFormat => f.write_str("a gate takes integer models, this one is in floats"),
            Self::NotCalibrated => f.write_str("the model is not calibrated"),
            Self::Score => f.write_str("the deciding score does not exist for vectors"),
            Self::Workspace { needed, given } => {
                write!(
                    f,
                    "the model needs a workspace of {needed} bytes, this one has {given}"
                )
            }
            Self::SelfTest(failed) => failed.fmt(f),
            Self::AlreadyTaken => f.write_str("the gate was taken before"),
        }
    }
}

impl Error for OpenError {}

impl From<LoadError> for OpenError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

/// A golden vector that this machine does not reproduce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SelfTestFailed {
    /// Which vector, counted from 0.
    pub vector: u32,
}

impl Display for SelfTestFailed {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "golden vector {} does not give the recorded bits",
            self.vector
        )
    }
}

impl Error for SelfTestFailed {}

/// What is wrong with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InputError {
    /// Another number of elements than the model reads.
    Length {
        /// Elements that the model reads.
        expected: u32,
        /// Elements that there are.
        given: u32,
    },
    /// Measurements for a model of images, which reads bytes.
    NotAnImage,
    /// A NaN or an infinity.
    NotFinite,
}

impl Display for InputError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Length { expected, given } => {
                write!(
                    f,
                    "the input has {given} elements, the model reads {expected}"
                )
            }
            Self::NotAnImage => f.write_str("the model reads an image's bytes"),
            Self::NotFinite => f.write_str("the input holds a NaN or an infinity"),
        }
    }
}

impl Error for InputError {}
