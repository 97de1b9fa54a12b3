//! The log through RTT: a ring in RAM that the debug probe empties while the core runs.
//!
//! The probe searches RAM for the magic bytes, reads the ring's address and the two cursors, and
//! moves the read cursor. The ready-made transports for defmt can panic, which this firmware must
//! not contain, and what is left is one structure and one loop. Every field is an atomic, because
//! the probe changes memory behind the compiler's back.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering, compiler_fence};
use flowgate_app::log::{Frames, Sink};

/// Bytes of the ring: the longest burst of messages between two visits of the probe.
const RING_BYTES: u32 = 1024;

/// What the probe looks for in RAM: `SEGGER RTT`, one channel up, none down.
#[repr(C)]
struct ControlBlock {
    magic: [AtomicU8; 16],
    up_channels: AtomicU32,
    down_channels: AtomicU32,
    up: Channel,
}

/// One ring, as the protocol lays it out.
#[repr(C)]
struct Channel {
    name: AtomicPtr<u8>,
    ring: AtomicPtr<AtomicU8>,
    ring_bytes: AtomicU32,
    write: AtomicU32,
    read: AtomicU32,
    flags: AtomicU32,
}

static RING: [AtomicU8; RING_BYTES as usize] = [const { AtomicU8::new(0) }; RING_BYTES as usize];

// SAFETY: the name belongs to RTT; nothing else in the program is called so.
#[unsafe(no_mangle)]
static _SEGGER_RTT: ControlBlock = ControlBlock {
    magic: magic(),
    up_channels: AtomicU32::new(1),
    down_channels: AtomicU32::new(0),
    up: Channel {
        name: AtomicPtr::new(c"defmt".as_ptr().cast_mut().cast()),
        ring: AtomicPtr::new(RING.as_ptr().cast_mut()),
        ring_bytes: AtomicU32::new(RING_BYTES),
        write: AtomicU32::new(0),
        read: AtomicU32::new(0),
        flags: AtomicU32::new(0),
    },
};

const fn magic() -> [AtomicU8; 16] {
    let text = *b"SEGGER RTT\0\0\0\0\0\0";
    let mut magic = [const { AtomicU8::new(0) }; 16];
    let mut i = 0;
    while i < 16 {
        magic[i] = AtomicU8::new(text[i]);
        i += 1;
    }
    magic
}

struct Rtt;

impl Sink for Rtt {
    /// A full ring drops bytes: the gate must not wait for a probe that nobody attached. The
    /// decoder finds the next frame by itself.
    fn send(&mut self, bytes: &[u8]) {
        let up = &_SEGGER_RTT.up;
        let mut write = up.write.load(Ordering::Relaxed);
        for &byte in bytes {
            let next = (write + 1) % RING_BYTES;
            if next == up.read.load(Ordering::Relaxed) {
                break;
            }
            if let Some(place) = RING.get(write as usize) {
                place.store(byte, Ordering::Relaxed);
            }
            write = next;
        }
        // The probe reads memory in order, so the bytes must be there before the cursor moves.
        compiler_fence(Ordering::Release);
        up.write.store(write, Ordering::Relaxed);
    }
}

static FRAMES: Frames<Rtt> = Frames::new(Rtt);

#[defmt::global_logger]
struct Logger;

// SAFETY: defmt calls these in the order acquire, write, release, and the chip has one core.
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
