//! The emulated board as the program sees it.

use crate::files::Files;
use crate::pin::RecordedPin;
use flowgate_app::{Board, Stop, stack};
use flowgate_stream::{Answer, Summary};

/// Inputs from a host file, answers to another, and the recorded pin.
pub(crate) struct Emulated {
    files: Files,
    pin: RecordedPin,
    answers: u32,
}

impl Emulated {
    /// Opens the host's files.
    pub(crate) fn open() -> Result<Self, Stop> {
        Ok(Self {
            files: Files::open()?,
            pin: RecordedPin::new(),
            answers: 0,
        })
    }

    /// Whether the host gives frames, not inputs.
    pub(crate) fn gives_frames(&self) -> bool {
        self.files.are_frames()
    }

    /// Ends the answers with the summary.
    pub(crate) fn finish(&mut self, scratch_bytes: u32) -> Result<(), Stop> {
        let summary = Summary {
            answers: self.answers,
            stack_bytes: stack::used_bytes(),
            scratch_bytes,
            pin_changes: self.pin.changes(),
        };
        self.files.append(&summary.to_bytes())
    }
}

impl Board for Emulated {
    type Pin = RecordedPin;
    type Source = Files;

    fn pin(&mut self) -> &mut RecordedPin {
        &mut self.pin
    }

    fn source(&mut self) -> &mut Files {
        &mut self.files
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), Stop> {
        self.answers = self.answers.wrapping_add(1);
        self.files.append(&answer.to_bytes())
    }
}
