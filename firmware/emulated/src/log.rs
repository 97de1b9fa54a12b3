//! The log, on the emulator's standard output.
#![allow(unsafe_code)]

use crate::host::HostFile;
use flowgate_app::log::{Frames, Sink};

/// Standard output, opened by the first message.
struct Output(Option<HostFile>);

impl Sink for Output {
    fn send(&mut self, bytes: &[u8]) {
        if self.0.is_none() {
            self.0 = HostFile::stdout().ok();
        }
        if let Some(stdout) = &self.0 {
            // A log that cannot be written is lost: there is nowhere left to say so.
            let _ = stdout.write_all(bytes);
        }
    }
}

static FRAMES: Frames<Output> = Frames::new(Output(None));

#[defmt::global_logger]
struct Logger;

// SAFETY: defmt calls these in the order acquire, write, release, and the machine has one core.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        // SAFETY: called by defmt, on the only core.
        unsafe { FRAMES.acquire() }
    }

    unsafe fn flush() {}

    unsafe fn release() {
        // SAFETY: called by defmt after `acquire`, on the only core.
        unsafe { FRAMES.release() }
    }

    unsafe fn write(bytes: &[u8]) {
        // SAFETY: called by defmt after `acquire`, on the only core.
        unsafe { FRAMES.write(bytes) }
    }
}
