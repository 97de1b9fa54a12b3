//! Adam with decoupled weight decay, clipping by the global norm, and an exponential moving
//! average (EMA) of the weights.
//!
//! The averaged weights are what is validated and saved: at a constant learning rate they are worth
//! several epochs.

use crate::nn::kernels::{Cpu, Isa, Kernel};
use crate::nn::{LANES, Lanes, Numbers};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Vectors handled by one task; fixed, so that sums do not depend on the thread count.
const CHUNK: usize = 1 << 11;

/// Settings of the optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Highest learning rate.
    pub learning_rate: f32,
    /// Steps over which the learning rate rises linearly from zero.
    pub warmup_steps: u64,
    /// Last learning rate over the highest; in between it falls as half a cosine.
    #[serde(alias = "final_share")]
    pub final_lr_ratio: f32,
    /// Decay of the gradient's mean.
    pub beta1: f32,
    /// Decay of the gradient's mean square.
    pub beta2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Share of each weight (not of biases, bounds and norms) removed per step, times the learning
    /// rate.
    pub weight_decay: f32,
    /// Largest norm of the gradient of the loss in nats per dim; longer ones are shortened to it.
    pub clip_norm: f32,
    /// Decay of the exponential moving average of the weights; 0: no average.
    #[serde(alias = "average_decay")]
    pub ema_decay: f32,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            warmup_steps: 200,
            final_lr_ratio: 0.01,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip_norm: 1.0,
            ema_decay: 0.999,
        }
    }
}

impl OptimizerConfig {
    /// Learning rate of a step, counted from 0, of a run of `total` steps.
    pub fn learning_rate_at(&self, step: u64, total: u64) -> f32 {
        if step < self.warmup_steps {
            return self.learning_rate * (step + 1) as f32 / self.warmup_steps as f32;
        }
        let rest = total.saturating_sub(self.warmup_steps).max(1);
        let done = ((step - self.warmup_steps) as f64 / rest as f64).min(1.0);
        let cosine = (0.5 * (1.0 + (std::f64::consts::PI * done).cos())) as f32;
        self.learning_rate * (self.final_lr_ratio + (1.0 - self.final_lr_ratio) * cosine)
    }
}

/// The optimizer's memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Optimizer {
    /// Mean of the gradient.
    pub(crate) mean: Numbers,
    /// Mean of its square.
    pub(crate) square: Numbers,
    /// Averaged parameters.
    pub(crate) ema: Numbers,
    /// Steps taken.
    pub(crate) steps: u64,
}

/// Where a step goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Along<'a> {
    /// The gradient, to be multiplied by `scale`.
    pub(crate) gradient: &'a Numbers,
    /// One over what the loss is the mean of, times the clipping.
    pub(crate) scale: f32,
    /// Learning rate of the step.
    pub(crate) learning_rate: f32,
}

/// The factors of one step.
#[derive(Clone, Copy)]
struct Factors {
    scale: f32,
    beta1: f32,
    beta2: f32,
    /// Learning rate over the bias of the mean.
    rate: f32,
    /// One over the bias of the square.
    square_scale: f32,
    epsilon: f32,
    /// How far the average goes towards the parameters.
    follow: f32,
}

impl Factors {
    #[inline(always)]
    fn apply(&self, [mean, square, ema, p]: [&mut f32; 4], g: f32) {
        let g = g * self.scale;
        *mean += (1.0 - self.beta1) * (g - *mean);
        *square += (1.0 - self.beta2) * (g * g - *square);
        *p -= self.rate * *mean / ((*square * self.square_scale).sqrt() + self.epsilon);
        *ema += self.follow * (*p - *ema);
    }
}

/// A part of all numbers: as loops over lanes, for the compiler to make vectors of. Division and
/// root round alike in every instruction set, and nothing is fused, so all of them give the same
/// bits.
struct Part<'a> {
    factors: Factors,
    gradient: &'a [Lanes],
    /// Mean, square, average, parameters.
    moved: [&'a mut [Lanes]; 4],
}

impl Kernel for Part<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        let [mean, square, ema, parameters] = self.moved;
        let state = mean.iter_mut().zip(square).zip(ema);
        let pairs = parameters.iter_mut().zip(self.gradient);
        for (((mean, square), ema), (p, g)) in state.zip(pairs) {
            for lane in 0..LANES {
                let own = [&mut *mean, square, ema, p].map(|numbers| &mut numbers.0[lane]);
                self.factors.apply(own, g.0[lane]);
            }
        }
    }
}

impl Optimizer {
    /// At the first parameters.
    pub(crate) fn new(parameters: &Numbers) -> Self {
        let zeros = || Numbers {
            unblocked: vec![0.0; parameters.unblocked.len()],
            blocked: vec![Lanes::default(); parameters.blocked.len()],
        };
        Self {
            mean: zeros(),
            square: zeros(),
            ema: parameters.clone(),
            steps: 0,
        }
    }

    /// One step; `decayed` are the blocked parameters that decay.
    pub(crate) fn step(
        &mut self,
        cpu: Cpu,
        config: &OptimizerConfig,
        along: Along<'_>,
        decayed: &[Range<usize>],
        parameters: &mut Numbers,
    ) {
        self.steps += 1;
        for range in decayed.iter().filter(|_| config.weight_decay > 0.0) {
            let keep = 1.0 - along.learning_rate * config.weight_decay;
            let decaying = parameters.blocked[range.clone()].par_iter_mut();
            decaying
                .with_min_len(CHUNK)
                .for_each(|p| p.0.iter_mut().for_each(|p| *p *= keep));
        }
        let factors = self.factors(config, &along);
        let state = self
            .mean
            .unblocked
            .iter_mut()
            .zip(&mut self.square.unblocked);
        let state = state.zip(&mut self.ema.unblocked);
        let pairs = parameters
            .unblocked
            .iter_mut()
            .zip(&along.gradient.unblocked);
        for (((mean, square), ema), (p, g)) in state.zip(pairs) {
            factors.apply([mean, square, ema, p], *g);
        }
        let chunks = self.mean.blocked.par_chunks_mut(CHUNK);
        let chunks = chunks.zip(self.square.blocked.par_chunks_mut(CHUNK));
        let chunks = chunks.zip(self.ema.blocked.par_chunks_mut(CHUNK));
        let chunks = chunks.zip(parameters.blocked.par_chunks_mut(CHUNK));
        let chunks = chunks.zip(along.gradient.blocked.par_chunks(CHUNK));
        chunks.for_each(|((((mean, square), ema), parameters), gradient)| {
            cpu.run(Part {
                factors,
                gradient,
                moved: [mean, square, ema, parameters],
            });
        });
    }

    fn factors(&self, config: &OptimizerConfig, along: &Along<'_>) -> Factors {
        let bias = |beta: f32| 1.0 - f64::from(beta).powf(self.steps as f64);
        // At first the average would remember the random start for long.
        let young = (1.0 + self.steps as f32) / (10.0 + self.steps as f32);
        Factors {
            scale: along.scale,
            beta1: config.beta1,
            beta2: config.beta2,
            rate: (f64::from(along.learning_rate) / bias(config.beta1)) as f32,
            square_scale: (1.0 / bias(config.beta2)) as f32,
            epsilon: config.epsilon,
            follow: 1.0 - config.ema_decay.min(young),
        }
    }
}

/// Euclidean norm.
pub(crate) fn norm(cpu: Cpu, numbers: &Numbers) -> f64 {
    let unblocked: f64 = numbers.unblocked.iter().map(|&v| square(v)).sum();
    let chunk = |numbers| {
        let mut sum = 0.0;
        cpu.run(Squares {
            numbers,
            sum: &mut sum,
        });
        sum
    };
    let blocked: Vec<f64> = numbers.blocked.par_chunks(CHUNK).map(chunk).collect();
    (unblocked + blocked.iter().sum::<f64>()).sqrt()
}

fn square(v: f32) -> f64 {
    f64::from(v) * f64::from(v)
}

/// A sum of squares.
struct Squares<'a> {
    numbers: &'a [Lanes],
    sum: &'a mut f64,
}

impl Kernel for Squares<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        let mut sums = [0.0f64; LANES];
        for lanes in self.numbers {
            for (sum, v) in sums.iter_mut().zip(lanes.0) {
                *sum += square(v);
            }
        }
        *self.sum = sums.iter().sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_warms_up_then_falls_to_its_share() {
        let config = OptimizerConfig {
            learning_rate: 1.0,
            warmup_steps: 10,
            final_lr_ratio: 0.1,
            ..OptimizerConfig::default()
        };
        let rate = |step| config.learning_rate_at(step, 110);
        assert_eq!((rate(0), rate(9), rate(10)), (0.1, 1.0, 1.0));
        assert!((rate(60) - 0.55).abs() < 1e-6);
        assert!((rate(110) - 0.1).abs() < 1e-6);
        assert!((rate(1000) - 0.1).abs() < 1e-6);
    }

    /// Some numbers among the blocked ones, the last also among the unblocked ones.
    fn numbers(values: [f32; 2]) -> Numbers {
        let mut lanes = Lanes::default();
        lanes.0[..2].copy_from_slice(&values);
        Numbers {
            unblocked: vec![values[1]],
            blocked: vec![lanes],
        }
    }

    fn along(gradient: &Numbers, scale: f32) -> Along<'_> {
        Along {
            gradient,
            scale,
            learning_rate: 0.1,
        }
    }

    /// Two steps of Adam in f64, as its paper writes them.
    #[test]
    fn two_steps_follow_the_equations() {
        let config = OptimizerConfig {
            ema_decay: 0.0,
            ..OptimizerConfig::default()
        };
        let gradients = [[0.5f32, -2.0], [1.5, 0.25]];
        let mut parameters = numbers([1.0, -1.0]);
        let mut optimizer = Optimizer::new(&parameters);
        let (mut p, mut m, mut v) = ([1.0f64, -1.0], [0.0f64; 2], [0.0f64; 2]);
        for (t, g) in (1..).zip(gradients) {
            optimizer.step(
                Cpu::best(),
                &config,
                along(&numbers(g), 0.5),
                &[],
                &mut parameters,
            );
            for i in 0..2 {
                let g = 0.5 * f64::from(g[i]);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.99 * v[i] + 0.01 * g * g;
                let (m, v) = (
                    m[i] / (1.0 - 0.9f64.powi(t)),
                    v[i] / (1.0 - 0.99f64.powi(t)),
                );
                p[i] -= 0.1 * m / (v.sqrt() + 1e-8);
            }
        }
        for i in 0..2 {
            assert!((f64::from(parameters.blocked[0].0[i]) - p[i]).abs() < 1e-6);
        }
        assert_eq!(parameters.unblocked[0], parameters.blocked[0].0[1]);
        assert_eq!(parameters.blocked[0].0[2..], [0.0; 14]);
        assert_eq!(optimizer.ema, parameters);
    }

    #[test]
    fn only_named_parameters_decay() {
        let config = OptimizerConfig {
            weight_decay: 0.5,
            ..OptimizerConfig::default()
        };
        let mut parameters = numbers([2.0, 2.0]);
        parameters.blocked.push(Lanes([2.0; LANES]));
        let mut optimizer = Optimizer::new(&parameters);
        let first = std::slice::from_ref(&(0..1));
        let mut zero = numbers([0.0; 2]);
        zero.blocked.push(Lanes::default());
        optimizer.step(
            Cpu::best(),
            &config,
            along(&zero, 1.0),
            first,
            &mut parameters,
        );
        assert_eq!(parameters.blocked[0].0[..2], [1.9, 1.9]);
        assert_eq!(parameters.blocked[1], Lanes([2.0; LANES]));
        assert_eq!(parameters.unblocked, [2.0]);
    }
}
