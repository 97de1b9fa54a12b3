//! What lies between the thread that reads frames and the one that decides: a queue that holds few, and says which
//! frame gives way when decisions are slower than the camera.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Which frame gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The older one, which is counted.
    Newest,
    /// None: the source waits.
    Every,
}

/// What was taken out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    /// The next one, and how many gave way since the one before.
    Next(T, u64),
    /// None came in time.
    Nothing,
    /// None will come any more.
    Closed,
}

/// A queue between two threads.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    policy: Policy,
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
    dropped: u64,
    closed: bool,
}

impl<T> Slot<T> {
    /// Frames that wait where none may give way.
    const WAITING: usize = 4;

    pub(crate) fn new(policy: Policy) -> Self {
        let state = State {
            queue: VecDeque::new(),
            dropped: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            policy,
        }
    }

    /// Puts the next one in; false once nobody takes any more.
    pub(crate) fn put(&self, item: T) -> bool {
        let mut state = self.lock();
        match self.policy {
            Policy::Newest => {
                state.dropped += state.queue.len() as u64;
                state.queue.clear();
            }
            Policy::Every => {
                let full =
                    |state: &mut State<T>| state.queue.len() >= Self::WAITING && !state.closed;
                let waited = self.changed.wait_while(state, full);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
        let open = !state.closed;
        if open {
            state.queue.push_back(item);
        }
        drop(state);
        self.changed.notify_all();
        open
    }

    /// Takes the next one, or waits for it for so long.
    pub(crate) fn take(&self, patience: Duration) -> Taken<T> {
        let empty = |state: &mut State<T>| state.queue.is_empty() && !state.closed;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let taken = match state.queue.pop_front() {
            Some(item) => Taken::Next(item, std::mem::take(&mut state.dropped)),
            None if state.closed => Taken::Closed,
            None => Taken::Nothing,
        };
        drop(state);
        self.changed.notify_all();
        taken
    }

    /// Says that no more come, or that none are taken any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;

    #[test]
    fn the_newest_displaces_the_others_and_they_are_counted() {
        let slot = Slot::new(Policy::Newest);
        assert!((0..5).all(|item| slot.put(item)));
        assert_eq!(slot.take(NO_WAIT), Taken::Next(4, 4));
        assert_eq!(slot.take(NO_WAIT), Taken::Nothing);
        slot.put(5);
        slot.close();
        assert_eq!(slot.take(NO_WAIT), Taken::Next(5, 0));
        assert_eq!(slot.take(NO_WAIT), Taken::Closed);
        assert!(!slot.put(6));
    }

    #[test]
    fn where_none_gives_way_the_source_waits() {
        let slot = Slot::new(Policy::Every);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..100).for_each(|item| assert!(slot.put(item)));
                slot.close();
            });
            for wanted in 0..100 {
                assert_eq!(slot.take(Duration::from_secs(60)), Taken::Next(wanted, 0));
                assert!(slot.lock().queue.len() <= Slot::<i32>::WAITING);
            }
            // The other thread may not have closed it yet.
            assert_eq!(slot.take(Duration::from_secs(60)), Taken::Closed);
        });
    }
}
