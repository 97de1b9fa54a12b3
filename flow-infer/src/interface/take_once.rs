//! A static that is given away once, with loads and stores only: v6-M and small RISC-V cores have no compare and swap.
#![allow(unsafe_code)] // a static's content is lent for good

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

/// A value that one caller gets, whichever threads and interrupts ask.
///
/// Lamport's splitter: a caller writes its name, leaves if somebody was here, says that somebody is, and has the value
/// if the name still stands. Of two callers that both find nobody, one wrote its name first, and reads the other's; so
/// at most one gets the value, and the first one does unless others ask at the same moment.
///
/// Fences between the stores and the loads carry the argument: what an emulator makes of a sequentially consistent
/// store and load is weaker (QEMU 7.2 on x86 lets the load of an Armv8 `stlr`, `ldar` pass the store), and on a
/// Cortex-M two fences are fewer barriers than four ordered accesses.
#[derive(Debug)]
pub(super) struct TakeOnce<T> {
    name: AtomicUsize,
    somebody: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `take` gives the value away at most once, and nothing else touches it.
unsafe impl<T: Send> Sync for TakeOnce<T> {}

impl<T> TakeOnce<T> {
    pub(super) const fn new(value: T) -> Self {
        Self {
            name: AtomicUsize::new(0),
            somebody: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// The value, the first time.
    #[expect(clippy::mut_from_ref, reason = "the value is given away once")]
    pub(super) fn take(&'static self) -> Option<&'static mut T> {
        // Calls that overlap have different addresses of their locals: a name that no other call uses meanwhile.
        let local = 0u8;
        let name = core::hint::black_box(&raw const local).addr();
        self.name.store(name, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.somebody.load(Ordering::Relaxed) {
            return None;
        }
        self.somebody.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.name.load(Ordering::Relaxed) != name {
            return None;
        }
        // SAFETY: at most one call in the life of the static gets here, as the type's comment shows, and the static
        // lives for ever.
        Some(unsafe { &mut *self.value.get() })
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::TakeOnce;
    use std::boxed::Box;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn a_value_is_given_away_once() {
        static VALUE: TakeOnce<u32> = TakeOnce::new(7);
        assert_eq!(VALUE.take(), Some(&mut 7));
        assert_eq!(VALUE.take(), None);
    }

    #[test]
    fn of_threads_that_ask_together_at_most_one_gets_it() {
        let mut taken = 0;
        for _ in 0..200 {
            let value: &'static TakeOnce<u32> = Box::leak(Box::new(TakeOnce::new(7)));
            let start = Barrier::new(4);
            let ask = || {
                start.wait();
                value.take().is_some()
            };
            let given = thread::scope(|scope| {
                let asked = [(); 4].map(|()| scope.spawn(ask));
                asked
                    .into_iter()
                    .map(|a| a.join().unwrap())
                    .filter(|&got| got)
                    .count()
            });
            assert!(given <= 1, "{given} threads got the value");
            taken += given;
        }
        assert!(taken > 0);
    }
}
