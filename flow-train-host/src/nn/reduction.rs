//! One gradient for all workers, summed in a fixed order.
//!
//! Workers compute groups of samples at the same time, but each layer's gradient is added up group
//! by group: a worker that reaches a layer waits until the group before its own has passed it. So
//! the sums have the same order, and the same bits, for every number of threads, and there is one
//! gradient in all; with one a worker, those were the largest part of the memory, and adding them
//! up a tenth of the time. Workers hardly wait: once they are a layer apart they stay so. Which of
//! the layer's two gradients comes first is of no importance, so a worker whose turn has not come
//! computes that of the layer's input meanwhile.

use super::{Lanes, Numbers};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A sum that workers add their gradients to in the order of the groups.
pub(crate) struct OrderedReduction<'a> {
    layers: Vec<Queue<'a, Lanes>>,
    unblocked: Queue<'a, f32>,
    /// Set when a worker has gone: nobody may wait for its part.
    aborted: AtomicBool,
}

/// A part of the gradient.
struct Queue<'a, T> {
    state: Mutex<State<'a, T>>,
    moved_on: Condvar,
}

struct State<'a, T> {
    /// Group whose turn it is.
    next: usize,
    /// Workers that wait; without them nobody is to be woken, which would take a system call.
    waiting: usize,
    sum: &'a mut [T],
}

impl<'a, T> Queue<'a, T> {
    fn new(sum: &'a mut [T]) -> Self {
        Self {
            state: Mutex::new(State {
                next: 0,
                waiting: 0,
                sum,
            }),
            moved_on: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<'a, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_next(&self, group: usize) -> bool {
        self.lock().next == group
    }

    fn add(&self, group: usize, aborted: &AtomicBool, add: impl FnOnce(&mut [T])) {
        let mut state = self.lock();
        while state.next != group {
            if aborted.load(Ordering::Relaxed) {
                return;
            }
            state.waiting += 1;
            let woken = self.moved_on.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        add(state.sum);
        state.next += 1;
        if state.waiting > 0 {
            self.moved_on.notify_all();
        }
    }

    fn wake(&self) {
        // Under the lock: a worker is then either before its test or already waiting.
        let _state = self.lock();
        self.moved_on.notify_all();
    }
}

impl<'a> OrderedReduction<'a> {
    /// Adds to `sum`; `layers` are the places of all layers among the blocked numbers, in order and
    /// without gaps.
    pub(crate) fn new(
        sum: &'a mut Numbers,
        layers: impl IntoIterator<Item = Range<usize>>,
    ) -> Self {
        let mut rest = sum.blocked.as_mut_slice();
        let mut queue = |range: Range<usize>| {
            let (layer, behind) = std::mem::take(&mut rest).split_at_mut(range.len());
            rest = behind;
            Queue::new(layer)
        };
        Self {
            layers: layers.into_iter().map(&mut queue).collect(),
            unblocked: Queue::new(&mut sum.unblocked),
            aborted: AtomicBool::new(false),
        }
    }

    /// The ticket of one group; every group must take one, in any order.
    pub(crate) fn ticket<'t>(&'t self, group: usize, unblocked: &'t mut [f32]) -> Ticket<'t, 'a> {
        unblocked.fill(0.0);
        Ticket {
            gradient: self,
            group,
            unblocked,
        }
    }

    /// Ends all waiting: a worker has panicked, and its part will never be added.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
        self.layers.iter().for_each(Queue::wake);
        self.unblocked.wake();
    }
}

/// Lets a worker add the gradients of one group. Every layer's must be added exactly once.
pub(crate) struct Ticket<'t, 'a> {
    gradient: &'t OrderedReduction<'a>,
    group: usize,
    /// This group's gradients of the unblocked numbers.
    pub(crate) unblocked: &'t mut [f32],
}

impl Ticket<'_, '_> {
    /// Whether [`add`](Self::add) would not wait.
    pub(crate) fn is_ready(&self, layer: usize) -> bool {
        self.gradient.layers[layer].is_next(self.group)
    }

    /// Adds to a layer's gradient, when all groups before have done so.
    pub(crate) fn add(&self, layer: usize, add: impl FnOnce(&mut [Lanes])) {
        self.gradient.layers[layer].add(self.group, &self.gradient.aborted, add);
    }

    /// Adds the unblocked numbers' gradients and whatever else must be summed in the order of the
    /// groups.
    pub(crate) fn finish(self, also: impl FnOnce()) {
        let own = self.unblocked;
        self.gradient
            .unblocked
            .add(self.group, &self.gradient.aborted, |sum| {
                sum.iter_mut().zip(own).for_each(|(a, b)| *a += *b);
                also();
            });
    }
}
