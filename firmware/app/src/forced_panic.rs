//! A panic on purpose, for the one build that must not link.
//!
//! The proof that no panic path remains is worth nothing unless it fails where one does.
//! `cargo xtask panic-free` builds the firmware once more with this feature and expects the linker
//! to refuse it.

const ASKED: bool = cfg!(feature = "forced-panic");

/// Indexes a table with a number that the compiler does not know, in the build that asks for it.
pub(crate) fn panic_if_asked(index: usize) {
    if ASKED {
        let table = [1u8, 2, 3];
        core::hint::black_box(table[core::hint::black_box(index)]);
    }
}
