//! Ctrl-C as a request: long work ends at its next safe place; asked a second time, the process ends at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Exit code of a process that a second Ctrl-C ends, as shells expect it.
const INTERRUPTED: i32 = 130;

/// Becomes true when the user asks for an end. Without signals it never does, and the default action stays.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the second signal finds the flag that the first one set.
        let armed = flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&asked))
            .and_then(|_| flag::register(signal, Arc::clone(&asked)));
        debug_assert!(armed.is_ok(), "signals of every process");
    }
    asked
}
