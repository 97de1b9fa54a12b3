//! What emulated boards share: files of the host, a recorded pin, the log and the exit code.
//!
//! Semihosting is the one channel that every emulated machine has, needs no device model and
//! carries an exit code, so nothing here knows which core it runs on.

#![no_std]

mod bench;
mod board;
mod files;
mod host;
mod log;
mod mark;
mod memory;
mod panic;
mod pin;
mod score;
mod steps;
#[cfg(feature = "windows")]
mod windows;

use board::Emulated;
use flowgate_app::{Ran, Stop, gate, stack};
use flowgate_stream::exit;
use semihosting::process;

/// Runs the gate with the model in flash, then exits with a code of [`flowgate_stream::exit`].
pub fn gate() -> ! {
    run(gate::run)
}

/// Runs whatever model the host gives, then exits with a code of [`flowgate_stream::exit`].
pub fn score() -> ! {
    run(score::run)
}

/// Tries the core's kernel, then evaluates the host's model under a counter; exits as [`score`] does.
pub fn bench() -> ! {
    process::exit(bench::run())
}

/// Scores whatever the host gives in steps, under a counter; exits as [`score`] does.
pub fn steps() -> ! {
    process::exit(steps::run())
}

fn run(program: impl FnOnce(&mut Emulated) -> Ran) -> ! {
    stack::paint();
    let Ok(mut board) = Emulated::open() else {
        process::exit(exit::HOST_FILES)
    };
    let ran = program(&mut board);
    let Ok(()) = board.finish(ran.scratch_bytes) else {
        process::exit(exit::HOST_FILES)
    };
    if ran.stop != Stop::End {
        defmt::error!("stopped: {}", ran.stop);
    }
    process::exit(ran.stop.exit_code())
}
