//! Loss and gradient of a batch of examples on all cores, with the same bits for every number of threads.

use crate::data::Images;
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Layout, Numbers, OrderedReduction, RATIO_IMAGES, RatioNet, RatioPass, Weights};
use crate::train::workers::{AbortOnPanic, lock};
use rayon::ThreadPool;
use std::sync::Mutex;

/// An image, and whether it is benign.
#[derive(Clone, Copy)]
pub(super) struct Example<'a> {
    pub(super) images: &'a Images,
    pub(super) item: usize,
    pub(super) is_benign: bool,
}

impl Example<'_> {
    /// Logistic loss of a logit in nats, and its derivative.
    fn loss(&self, logit: f32) -> (f64, f32) {
        let logit = f64::from(logit);
        // ln (1 + exp(-logit)) of benign examples, of others with the sign turned.
        let sign = if self.is_benign { 1.0 } else { -1.0 };
        let margin = sign * logit;
        let loss = (-margin.abs()).exp().ln_1p() + (-margin).max(0.0);
        (loss, (-sign / (1.0 + margin.exp())) as f32)
    }
}

/// Threads with their buffers.
pub(super) struct Workers<'a> {
    net: &'a RatioNet,
    layout: &'a Layout,
    pool: &'a ThreadPool,
    slots: Vec<Mutex<Slot>>,
    total: Numbers,
}

struct Slot {
    pass: RatioPass,
    unblocked: Vec<f32>,
}

impl<'a> Workers<'a> {
    /// One worker for each thread of the pool.
    pub(super) fn new(net: &'a RatioNet, layout: &'a Layout, pool: &'a ThreadPool) -> Self {
        let total = layout.zeros();
        let slot = || Slot {
            pass: net.pass(),
            unblocked: total.unblocked.clone(),
        };
        let slots = (0..pool.current_num_threads()).map(|_| Mutex::new(slot()));
        Self {
            net,
            layout,
            pool,
            slots: slots.collect(),
            total,
        }
    }

    /// Sum of the losses of a batch, and its gradient; `latent` gives an example's first latent, scaled.
    pub(super) fn gradient<'e>(
        &mut self,
        weights: &Weights,
        cpu: Cpu,
        examples: &[Example<'e>],
        latent: impl Fn(Example<'e>) -> Vec<f32> + Sync,
    ) -> (f64, &Numbers) {
        self.pool.install(|| self.total.clear());
        let gradient = OrderedReduction::new(&mut self.total, self.layout.layers.iter().cloned());
        let groups = Mutex::new(examples.chunks(RATIO_IMAGES).enumerate());
        let sum = Mutex::new(0.0);
        let (net, slots) = (self.net, &self.slots);
        let context = PassContext { cpu, weights };
        self.pool.broadcast(|worker| {
            let abort = AbortOnPanic(&gradient);
            let mut slot = lock(&slots[worker.index()]);
            loop {
                let Some((number, group)) = lock(&groups).next() else {
                    break;
                };
                let Slot { pass, unblocked } = &mut *slot;
                let logits = forward(net, context, pass, group, &latent);
                let mut of_logits = [0.0; RATIO_IMAGES];
                let mut loss = 0.0;
                for ((example, logit), slope) in group.iter().zip(logits).zip(&mut of_logits) {
                    let (nats, gradient) = example.loss(logit);
                    (*slope, loss) = (gradient, loss + nats);
                }
                let mut ticket = gradient.ticket(number, unblocked);
                net.gradient(context, of_logits, pass, &mut ticket);
                ticket.finish(|| *lock(&sum) += loss);
            }
            std::mem::forget(abort);
        });
        drop(gradient);
        let sum = *lock(&sum);
        (sum, &self.total)
    }

    /// The logit of every example, in order.
    pub(super) fn logits<'e>(
        &self,
        weights: &Weights,
        cpu: Cpu,
        examples: &[Example<'e>],
        latent: impl Fn(Example<'e>) -> Vec<f32> + Sync,
    ) -> Vec<f64> {
        let mut out = vec![0.0; examples.len()];
        let work = examples
            .chunks(RATIO_IMAGES)
            .zip(out.chunks_mut(RATIO_IMAGES));
        let work = Mutex::new(work);
        let context = PassContext { cpu, weights };
        self.pool.broadcast(|worker| {
            let mut slot = lock(&self.slots[worker.index()]);
            loop {
                let Some((group, out)) = lock(&work).next() else {
                    break;
                };
                let logits = forward(self.net, context, &mut slot.pass, group, &latent);
                out.iter_mut().zip(logits).for_each(|(o, l)| *o = l.into());
            }
        });
        out
    }
}

fn forward<'e>(
    net: &RatioNet,
    context: PassContext<'_>,
    pass: &mut RatioPass,
    group: &[Example<'e>],
    latent: &impl Fn(Example<'e>) -> Vec<f32>,
) -> [f32; RATIO_IMAGES] {
    for (image, &example) in group.iter().enumerate() {
        pass.set(image, &latent(example));
    }
    net.forward(context, pass)
}
