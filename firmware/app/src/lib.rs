//! The program that every board runs.
//!
//! Load the model, run its self-test, score inputs, drive the decision onto a pin. What differs
//! between machines is behind [`Board`], and nothing else: the same statements run on the emulated
//! Cortex-M3 and on the nRF52840, so what is proved on one is proved of the program.

#![no_std]

mod forced_panic;
#[cfg(all(own_model, feature = "frames"))]
mod frames;
pub mod gate;
#[cfg(not(own_model))]
mod images;
pub mod log;
#[cfg(own_model)]
mod own;
mod pin;
pub mod serve;
pub mod stack;
#[cfg(all(own_model, feature = "windows"))]
mod windows;

use embedded_hal::digital::StatefulOutputPin;
use flowgate_sensors::{Source, SourceError};
use flowgate_stream::{Answer, exit};

/// What a machine must offer.
pub trait Board {
    /// The pin that carries the decision.
    type Pin: StatefulOutputPin;
    /// What gives inputs or frames.
    type Source: Source;

    /// The decision pin: high while the last input was accepted, low otherwise.
    fn pin(&mut self) -> &mut Self::Pin;

    /// Where the inputs come from.
    fn source(&mut self) -> &mut Self::Source;

    /// Takes the answer to the input fetched last.
    ///
    /// # Errors
    /// [`Stop::HostFiles`] where the answer is lost.
    fn answer(&mut self, answer: &Answer) -> Result<(), Stop>;
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// Why it ended.
    pub stop: Stop,
    /// Scratch memory that the engine used, in bytes; zero where no model was loaded.
    pub scratch_bytes: u32,
}

impl Ran {
    /// A run that ended before a model was ready.
    #[must_use]
    pub fn without_model(stop: Stop) -> Self {
        Self {
            stop,
            scratch_bytes: 0,
        }
    }
}

/// Why the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
pub enum Stop {
    /// There was no further input.
    End,
    /// The model was refused at load.
    ModelRefused,
    /// The model's golden vectors did not give the recorded bits.
    SelfTestFailed,
    /// A host file was missing, malformed or could not be written.
    HostFiles,
    /// The inputs have another size than the model's.
    InputSize,
    /// The device behind the source failed.
    Device,
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::End => Self::End,
            SourceError::Device | SourceError::FrameLost | SourceError::SamplesLost => Self::Device,
            SourceError::OtherInput => Self::InputSize,
        }
    }
}

impl Stop {
    /// The exit code that tells the host why the program ended.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        match self {
            Self::End => exit::DONE,
            Self::ModelRefused => exit::MODEL_REFUSED,
            Self::SelfTestFailed => exit::SELF_TEST_FAILED,
            Self::HostFiles | Self::Device => exit::HOST_FILES,
            Self::InputSize => exit::INPUT_SIZE,
        }
    }
}
