//! A place in a run, for a counter of instructions.
#![allow(unsafe_code)] // the name of the mark

/// What the counter outside looks for: it notes the instructions executed so far at every call.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn count_mark() {
    core::hint::black_box(());
}
