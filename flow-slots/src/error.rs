//! Why a model does not run, and why an update fails.

use core::error::Error;
use core::fmt::{Debug, Display, Formatter, Result};
use flow_infer::{InputShape, LoadError, OpenError};

/// Why a model in a slot does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The bytes are no whole `.flow` file that this build runs.
    Model(LoadError),
    /// Nobody signed the file.
    Unsigned,
    /// It is signed with another key than the firmware's.
    ForeignKey,
    /// The signature is not one of these bytes.
    Signature,
    /// It reads other inputs than the device has.
    OtherInput {
        /// What the device has.
        device: InputShape,
        /// What the model reads.
        model: InputShape,
    },
    /// It is not newer than what runs, or than what the firmware asks for.
    OldVersion {
        /// The version that it has to pass.
        passes: u32,
        /// The model's.
        found: u32,
    },
    /// It is not calibrated, needs more memory than there is, or does not reproduce its golden vectors.
    Gate(OpenError),
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Model(error) => write!(f, "the model is refused: {error}"),
            Self::Unsigned => f.write_str("the model is not signed"),
            Self::ForeignKey => f.write_str("the model is signed with a foreign key"),
            Self::Signature => f.write_str("the signature is not that of the model"),
            Self::OtherInput { device, model } => {
                write!(f, "the model reads {model:?}, the device has {device:?}")
            }
            Self::OldVersion { passes, found } => {
                write!(f, "version {found} is not newer than {passes}")
            }
            Self::Gate(error) => Display::fmt(error, f),
        }
    }
}

impl Error for Refused {}

/// Why an update fails; what ran before runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError<E> {
    /// The flash is not two slots of whole pages, or is written in pieces of more than 32 bytes.
    Layout,
    /// More bytes than a slot has.
    TooLong {
        /// Bytes of a slot.
        slot: u32,
    },
    /// The flash failed.
    Flash(E),
    /// The model is none that may run here.
    Refused(Refused),
}

impl<E: Debug> Display for UpdateError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Layout => f.write_str("the flash is not two slots of whole pages"),
            Self::TooLong { slot } => write!(f, "the model is longer than a slot of {slot} bytes"),
            Self::Flash(error) => write!(f, "the flash failed: {error:?}"),
            Self::Refused(refused) => Display::fmt(refused, f),
        }
    }
}

impl<E: Debug> Error for UpdateError<E> {}
