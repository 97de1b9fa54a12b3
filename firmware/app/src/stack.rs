//! How deep the stack ever was.
//!
//! The free part of the stack is painted at the start and scanned at the end. The runtimes of
//! Cortex-M and RISC-V place the stack alike (`__sheap` is its lowest byte, as no heap exists), so
//! one pair of functions serves every board; cortex-m-rt's own `paint-stack` would serve half.
#![allow(unsafe_code)]

use core::ptr;

/// A word that no program would store everywhere by chance.
const PAINT: u32 = 0xF10E_6A7E;
/// Left unpainted below the frame of `paint`: room for the painting itself. It counts as used.
const MARGIN_BYTES: usize = 256;

unsafe extern "C" {
    /// Lowest word of the stack.
    static mut __sheap: u32;
    /// One past the highest word of the stack.
    static _stack_start: u32;
}

/// Paints the stack that is not in use yet. To be called first thing in `main`.
///
/// Never inlined: only then does its local mark the end of what the caller uses.
#[inline(never)]
pub fn paint() {
    let here = 0u32;
    let end = (&raw const here).addr().saturating_sub(MARGIN_BYTES);
    let mut word = &raw mut __sheap;
    while word.addr() < end {
        // SAFETY: the word lies between the end of all statics and the current stack frame, where
        // no Rust object lives, in memory that exists on this board (the linker script says so).
        unsafe {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
    }
}

/// Bytes of stack used since [`paint`], at the deepest.
#[must_use]
pub fn used_bytes() -> u32 {
    let end = (&raw const _stack_start).addr();
    let mut word: *const u32 = ptr::addr_of!(__sheap);
    // SAFETY: every word read lies inside the stack's memory; reading is volatile because the
    // compiler knows of no object there.
    while word.addr() < end && unsafe { word.read_volatile() } == PAINT {
        // SAFETY: stays within the stack's memory, at most one past its end.
        word = unsafe { word.add(1) };
    }
    u32::try_from(end - word.addr()).unwrap_or(u32::MAX)
}
