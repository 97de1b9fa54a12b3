//! defmt frames from one core, to whatever takes bytes.
//!
//! The ready-made transports panic when a frame is begun inside another one. This firmware is
//! linked with the proof that no panic path remains, so a frame begun inside another is dropped
//! instead. No critical section is needed for that: on one core an interrupt runs to its end
//! before the code that it interrupted goes on, so whoever finds the depth at zero is alone.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, Ordering};
use defmt::Encoder;

/// Where the encoded bytes of the log go.
pub trait Sink {
    /// Takes all of `bytes`, or loses what it cannot take.
    fn send(&mut self, bytes: &[u8]);
}

/// The log of a single-core program: how many frames are open, and what the outermost one writes to.
pub struct Frames<S> {
    depth: AtomicU8,
    outermost: UnsafeCell<Outermost<S>>,
}

struct Outermost<S> {
    encoder: Encoder,
    sink: S,
}

// SAFETY: `outermost` is only touched by the holder of the outermost frame. On a single core there
// is one: an interrupt that logs finds a depth above zero, or ends its frame before it returns.
unsafe impl<S> Sync for Frames<S> {}

impl<S: Sink> Frames<S> {
    /// No frame is open.
    #[must_use]
    pub const fn new(sink: S) -> Self {
        Self {
            depth: AtomicU8::new(0),
            outermost: UnsafeCell::new(Outermost {
                encoder: Encoder::new(),
                sink,
            }),
        }
    }

    /// Begins a frame; one inside another is counted and dropped.
    ///
    /// # Safety
    /// Only for a `defmt::Logger` of a single-core program, which calls it once per log message.
    pub unsafe fn acquire(&self) {
        let depth = self.depth.load(Ordering::Relaxed);
        self.depth.store(depth.wrapping_add(1), Ordering::Relaxed);
        self.if_outermost(|encoder, sink| encoder.start_frame(|bytes| sink.send(bytes)));
    }

    /// Adds `bytes` to the frame.
    ///
    /// # Safety
    /// As [`Frames::acquire`], which must have been called before.
    pub unsafe fn write(&self, bytes: &[u8]) {
        self.if_outermost(|encoder, sink| encoder.write(bytes, |bytes| sink.send(bytes)));
    }

    /// Ends the frame.
    ///
    /// # Safety
    /// As [`Frames::acquire`], which must have been called before.
    pub unsafe fn release(&self) {
        self.if_outermost(|encoder, sink| encoder.end_frame(|bytes| sink.send(bytes)));
        let depth = self.depth.load(Ordering::Relaxed);
        self.depth.store(depth.wrapping_sub(1), Ordering::Relaxed);
    }

    fn if_outermost(&self, act: impl FnOnce(&mut Encoder, &mut S)) {
        if self.depth.load(Ordering::Relaxed) == 1 {
            // SAFETY: depth one means that only this frame is open; see the `Sync` above.
            let outermost = unsafe { &mut *self.outermost.get() };
            act(&mut outermost.encoder, &mut outermost.sink);
        }
    }
}
