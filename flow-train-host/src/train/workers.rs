//! A batch's log_prob and gradient on all cores, with the same bits for every number of threads.
//!
//! A batch is cut into a fixed number of slices. Workers take slices in order; each computes its slice into its own
//! buffer, waits until all earlier slices are added, and adds it. So sums always run in the order of the slices, and
//! there are only as many gradients as threads, plus the total. Slices are equal, so workers hardly wait.

use super::error::TrainError;
use super::input::Jitter;
use super::network::{Network, Pass};
use crate::data::Dataset;
use crate::nn::{Gradient, Weights};
use rayon::ThreadPool;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Threads; 0: one a core.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, TrainError> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    builder
        .build()
        .map_err(|e| TrainError::Threads(e.to_string()))
}

/// Threads with their buffers.
pub(crate) struct Workers<'a> {
    network: &'a Network,
    pool: &'a ThreadPool,
    slots: Vec<Mutex<Slot>>,
    total: Mutex<Total>,
    turn: Condvar,
}

struct Slot {
    pass: Pass,
    gradient: Gradient,
    log_prob: Vec<f64>,
    /// Of each sample's negative log_prob in the loss.
    weight: Vec<f32>,
}

struct Total {
    /// Slice whose turn it is to be added.
    next: usize,
    log_prob_nats: f64,
    gradient: Gradient,
}

/// What a batch is.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) data: &'a Dataset,
    pub(crate) items: &'a [usize],
    pub(crate) jitter: Jitter<'a>,
    /// Number of slices that it is cut into.
    pub(crate) slices: usize,
    /// Of each item's negative log_prob in the loss.
    pub(crate) weight: f32,
}

impl<'a> Workers<'a> {
    /// One worker for each thread of the pool.
    pub(crate) fn new(network: &'a Network, pool: &'a ThreadPool) -> Self {
        let slot = || Slot {
            pass: network.pass(),
            gradient: network.layout().gradient(),
            log_prob: vec![0.0; network.group().samples],
            weight: vec![1.0; network.group().samples],
        };
        Self {
            network,
            slots: (0..pool.current_num_threads())
                .map(|_| Mutex::new(slot()))
                .collect(),
            pool,
            total: Mutex::new(Total {
                next: 0,
                log_prob_nats: 0.0,
                gradient: network.layout().gradient(),
            }),
            turn: Condvar::new(),
        }
    }

    /// The first batch's sum of log_prob_nats, and the flat gradient of minus the weighted sums of all.
    pub(crate) fn gradient<'b>(
        &mut self,
        weights: &Weights,
        first: Batch<'b>,
        others: impl IntoIterator<Item = Batch<'b>>,
    ) -> (f64, &[f32]) {
        exclusive(&mut self.total).gradient.clear();
        let sum = self.add(weights, first);
        for other in others {
            self.add(weights, other);
        }
        let total = exclusive(&mut self.total);
        self.network.unpack(&mut total.gradient);
        (sum, &total.gradient.flat)
    }

    /// Sum of log_prob_nats over a batch; its gradient is added to the total.
    fn add(&mut self, weights: &Weights, batch: Batch<'_>) -> f64 {
        let total = exclusive(&mut self.total);
        total.next = 0;
        total.log_prob_nats = 0.0;
        let next_slice = AtomicUsize::new(0);
        let gone = AtomicBool::new(false);
        let this = &*self;
        self.pool.broadcast(|context| {
            let leave = LeaveOnPanic {
                gone: &gone,
                workers: this,
            };
            let mut slot = lock(&this.slots[context.index()]);
            loop {
                let slice = next_slice.fetch_add(1, Ordering::Relaxed);
                if slice >= batch.slices {
                    break;
                }
                let sum = this.slice(weights, batch, slice, &mut slot);
                this.add_in_turn(slice, sum, &slot.gradient, &gone);
            }
            std::mem::forget(leave);
        });
        exclusive(&mut self.total).log_prob_nats
    }

    /// A slice's sum of log_prob_nats; its gradient is left in the slot.
    fn slice(&self, weights: &Weights, batch: Batch<'_>, slice: usize, slot: &mut Slot) -> f64 {
        let count = batch.items.len();
        let bounds = [slice, slice + 1].map(|s| s * count / batch.slices);
        slot.gradient.clear();
        slot.weight.fill(batch.weight);
        let mut sum = 0.0;
        for items in batch.items[bounds[0]..bounds[1]].chunks(self.network.group().samples) {
            let out = &mut slot.log_prob[..items.len()];
            let (data, jitter) = (batch.data, batch.jitter);
            self.network
                .log_prob(weights, data, items, jitter, &mut slot.pass, out);
            sum += out.iter().sum::<f64>();
            let weight = &slot.weight[..items.len()];
            let (pass, gradient) = (&mut slot.pass, &mut slot.gradient);
            self.network.add_gradient(weights, weight, pass, gradient);
        }
        sum
    }

    fn add_in_turn(&self, slice: usize, sum: f64, gradient: &Gradient, gone: &AtomicBool) {
        let mut total = lock(&self.total);
        while total.next != slice && !gone.load(Ordering::Relaxed) {
            total = self
                .turn
                .wait(total)
                .unwrap_or_else(PoisonError::into_inner);
        }
        total.log_prob_nats += sum;
        total.gradient.add(gradient);
        total.next += 1;
        self.turn.notify_all();
    }

    /// log_prob_nats of every item of a batch, in order; slices are of no importance here.
    pub(crate) fn log_prob(&self, weights: &Weights, batch: Batch<'_>) -> Vec<f64> {
        let mut out = vec![0.0; batch.items.len()];
        let samples = self.network.group().samples;
        let work = batch.items.chunks(samples).zip(out.chunks_mut(samples));
        let work = Mutex::new(work);
        self.pool.broadcast(|context| {
            let mut slot = lock(&self.slots[context.index()]);
            loop {
                let Some((items, out)) = lock(&work).next() else {
                    break;
                };
                let (data, jitter) = (batch.data, batch.jitter);
                self.network
                    .log_prob(weights, data, items, jitter, &mut slot.pass, out);
            }
        });
        out
    }
}

/// A poisoned lock is taken all the same: the panic itself reaches the caller through the pool.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn exclusive<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the workers that would wait for ever for the turn of one that panicked.
struct LeaveOnPanic<'a> {
    gone: &'a AtomicBool,
    workers: &'a Workers<'a>,
}

impl Drop for LeaveOnPanic<'_> {
    fn drop(&mut self) {
        // Under the lock: a worker is then either before its test or already waiting.
        let _total = lock(&self.workers.total);
        self.gone.store(true, Ordering::Relaxed);
        self.workers.turn.notify_all();
    }
}
