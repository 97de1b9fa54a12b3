//! A batch's log_prob and gradient on all cores, with the same bits for every number of threads.
//!
//! A batch is cut into groups of a fixed size. Workers take groups in order and compute them at the
//! same time; what is summed over groups is added in their order (`nn/gradient.rs`).

use super::error::TrainError;
use super::input::DequantizationNoise;
use super::network::{Network, Pass};
use crate::data::Dataset;
use crate::nn::{Numbers, OrderedReduction, Weights};
use rayon::ThreadPool;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    slots: Vec<Mutex<Slot<'a>>>,
    total: Numbers,
}

struct Slot<'a> {
    pass: Pass<'a>,
    /// Gradient of the unblocked numbers.
    unblocked: Vec<f32>,
    log_prob: Vec<f64>,
    /// Of each sample's negative log_prob in the loss.
    weight: Vec<f32>,
}

/// What a batch is.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) data: &'a Dataset,
    pub(crate) items: &'a [usize],
    pub(crate) pixel_noise: DequantizationNoise<'a>,
    /// Of each item's negative log_prob in the loss.
    pub(crate) weight: f32,
}

impl<'a> Workers<'a> {
    /// One worker for each thread of the pool.
    pub(crate) fn new(network: &'a Network, pool: &'a ThreadPool) -> Self {
        let total = network.layout().zeros();
        let slot = || Slot {
            pass: network.pass(),
            unblocked: total.unblocked.clone(),
            log_prob: vec![0.0; network.group().samples],
            weight: vec![1.0; network.group().samples],
        };
        Self {
            network,
            slots: (0..pool.current_num_threads())
                .map(|_| Mutex::new(slot()))
                .collect(),
            pool,
            total,
        }
    }

    /// The first batch's sum of log_prob_nats, and the gradient of minus the weighted sums of all.
    pub(crate) fn gradient<'b>(
        &mut self,
        weights: &Weights,
        first: Batch<'b>,
        others: impl IntoIterator<Item = Batch<'b>>,
    ) -> (f64, &Numbers) {
        let total = &mut self.total;
        self.pool.install(|| total.clear());
        let sum = self.add(weights, first);
        for other in others {
            self.add(weights, other);
        }
        (sum, &self.total)
    }

    /// Sum of log_prob_nats over a batch; its gradient is added to the total.
    fn add(&mut self, weights: &Weights, batch: Batch<'_>) -> f64 {
        let layers = self.network.layout().layers.iter().cloned();
        let gradient = OrderedReduction::new(&mut self.total, layers);
        let groups = Mutex::new(batch.items.chunks(self.network.group().samples).enumerate());
        let sum = Mutex::new(0.0);
        let (network, slots) = (self.network, &self.slots);
        self.pool.broadcast(|context| {
            let abort = AbortOnPanic(&gradient);
            let mut slot = lock(&slots[context.index()]);
            loop {
                let Some((group, items)) = lock(&groups).next() else {
                    break;
                };
                let Slot {
                    pass,
                    unblocked,
                    log_prob,
                    weight,
                } = &mut *slot;
                let out = &mut log_prob[..items.len()];
                network.log_prob(weights, batch.data, items, batch.pixel_noise, pass, out);
                let weight = &mut weight[..items.len()];
                weight.fill(batch.weight);
                let mut ticket = gradient.ticket(group, unblocked);
                network.add_gradient(weights, weight, pass, &mut ticket);
                ticket.finish(|| *lock(&sum) += out.iter().sum::<f64>());
            }
            std::mem::forget(abort);
        });
        drop(gradient);
        sum.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// log_prob_nats of every item of a batch, in order.
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
                let (data, pixel_noise) = (batch.data, batch.pixel_noise);
                self.network
                    .log_prob(weights, data, items, pixel_noise, &mut slot.pass, out);
            }
        });
        out
    }
}

/// A poisoned lock is taken all the same: the panic itself reaches the caller through the pool.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the workers that would wait for ever for the part of one that panicked.
pub(super) struct AbortOnPanic<'t, 'a>(pub(super) &'t OrderedReduction<'a>);

impl Drop for AbortOnPanic<'_, '_> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
