//! Per pixel y = W x over the channels, trained as W = P L U.
//!
//! P and the signs of U's diagonal stay what they were, the diagonal's logarithms are trained: so W
//! cannot become singular on the way, and log_det = H W sum of the logarithms costs nothing, where
//! a dense W needs its inverse for the gradient. Models hold the dense W.
//!
//! With u = U x, l = L u, y = P l and g = dL/dy: g_l = Pt g, dL/dL = g_l ut, g_u = Lt g_l, dL/dU =
//! g_u xt, dL/dx = Ut g_u.

use super::factors::random_orthogonal;
use super::noise::Noise;
use super::pixels::Pixels;
use super::step::{Group, LatentGradients, Latents, Step, StepPass};
use crate::linear::Lu;
use crate::model::tensors::step_prefix;
use crate::model::{Model, Tensor};
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{Conv, Registry, Scratch, Ticket, Weights};
use flow_infer::spec::PlacedStep;
use std::collections::BTreeMap;
use std::ops::Range;

/// The invertible 1x1 convolution, trained as factors P L U.
pub(crate) struct InvertibleLinear {
    name: String,
    /// L below the diagonal, ln |U| on it, U above it.
    square: Range<usize>,
    /// Row of y that each row of L U becomes; not trained.
    rows: Range<usize>,
    /// Signs of U's diagonal; not trained.
    signs: Range<usize>,
    pixels: Pixels,
}

/// The factors, ready to multiply.
struct Ready {
    n: usize,
    /// L below the diagonal, U from it on.
    square: Vec<f32>,
    rows: Vec<usize>,
    ln_det: f64,
}

impl InvertibleLinear {
    /// Finds places for the parameters.
    pub(crate) fn new(registry: &mut Registry, group: Group, placed: &PlacedStep) -> Self {
        let at = step_prefix(placed.level, placed.index);
        let n = placed.view.channels();
        Self {
            name: format!("{at}weights"),
            square: registry.factor(format!("{at}factors"), &[n, n]),
            rows: registry.frozen(n),
            signs: registry.frozen(n),
            pixels: Pixels::new(group, placed.view),
        }
    }

    fn ready(&self, unblocked: &[f32]) -> Ready {
        let n = self.pixels.channels();
        let mut square = unblocked[self.square.clone()].to_vec();
        let mut ln_det = 0.0;
        for (i, sign) in unblocked[self.signs.clone()].iter().enumerate() {
            let diagonal = &mut square[i * n + i];
            ln_det += f64::from(*diagonal);
            *diagonal = sign * diagonal.exp();
        }
        let rows = unblocked[self.rows.clone()].iter().map(|&r| r as usize);
        Ready {
            n,
            square,
            rows: rows.collect(),
            ln_det,
        }
    }

    fn set(&self, weights: &[f32], unblocked: &mut [f32]) {
        let n = self.pixels.channels();
        let factors = Lu::of(weights.iter().copied().map(f64::from).collect(), n);
        let square = factors.square.iter().map(|&v| v as f32);
        let square: Vec<f32> = square.collect();
        unblocked[self.square.clone()].copy_from_slice(&square);
        for i in 0..n {
            let diagonal = square[i * n + i];
            unblocked[self.square.start + i * n + i] = diagonal.abs().ln();
            unblocked[self.signs.start + i] = diagonal.signum();
            unblocked[self.rows.start + i] = factors.rows[i] as f32;
        }
    }

    fn values(&self) -> Vec<Value> {
        vec![Value::default(); self.pixels.len()]
    }

    /// Replaces the latents by those after the step; gives its log_det.
    fn apply(&self, unblocked: &[f32], z: &mut [f32], values: &mut [Value]) -> f64 {
        let ready = self.ready(unblocked);
        let n = ready.n;
        let pixels = self.pixels.of(z.len());
        for (pixel, values) in pixels.zip(values.chunks_exact_mut(n)) {
            for (&at, value) in pixel.iter().zip(values.iter_mut()) {
                value.x = z[at];
            }
            for i in 0..n {
                let row = &ready.square[i * n..][..n];
                values[i].u = (i..n).map(|j| row[j] * values[j].x).sum();
            }
            for i in 0..n {
                let row = &ready.square[i * n..][..n];
                let below: f32 = (0..i).map(|j| row[j] * values[j].u).sum();
                z[pixel[ready.rows[i]]] = below + values[i].u;
            }
        }
        self.pixels.each() as f64 * ready.ln_det
    }
}

/// What the gradient needs of one coordinate.
#[derive(Clone, Copy, Default)]
struct Value {
    x: f32,
    /// U x.
    u: f32,
}

struct InvertibleLinearPass<'s> {
    step: &'s InvertibleLinear,
    values: Vec<Value>,
}

impl StepPass for InvertibleLinearPass<'_> {
    fn to_latent(&mut self, context: PassContext<'_>, latents: Latents<'_>, _: &mut Scratch) {
        let unblocked = &context.weights.numbers.unblocked;
        let log_det = self.step.apply(unblocked, latents.z, &mut self.values);
        latents.log_det.iter_mut().for_each(|l| *l += log_det);
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        ticket: &mut Ticket<'_, '_>,
        _scratch: &mut Scratch,
    ) {
        let step = self.step;
        let Ready {
            n, square, rows, ..
        } = step.ready(&context.weights.numbers.unblocked);
        let sums = &mut ticket.unblocked[step.square.clone()];
        let (mut grad_input, mut inner) = (vec![0.0; n], vec![0.0; n]);
        let pixels = step.pixels.of(latents.z.len());
        for (pixel, values) in pixels.zip(self.values.chunks_exact(n)) {
            for i in 0..n {
                grad_input[i] = latents.z[pixel[rows[i]]];
            }
            for j in 0..n {
                let column = (j + 1..n).map(|i| square[i * n + j] * grad_input[i]);
                inner[j] = grad_input[j] + column.sum::<f32>();
            }
            for i in 0..n {
                for j in 0..i {
                    sums[i * n + j] += grad_input[i] * values[j].u;
                }
                // d U_ii / d ln |U_ii| = U_ii.
                sums[i * n + i] += inner[i] * values[i].x * square[i * n + i];
                for j in i + 1..n {
                    sums[i * n + j] += inner[i] * values[j].x;
                }
            }
            for (j, &at) in pixel.iter().enumerate() {
                latents.z[at] = (0..=j).map(|i| square[i * n + j] * inner[i]).sum();
            }
        }
        let weight: f32 = latents.weight.iter().sum();
        for i in 0..n {
            sums[i * n + i] -= weight * step.pixels.each() as f32;
        }
    }
}

impl Step for InvertibleLinear {
    fn pass(&self) -> Box<dyn StepPass + '_> {
        Box::new(InvertibleLinearPass {
            step: self,
            values: self.values(),
        })
    }

    /// A random rotation.
    fn initialize(&self, _cpu: Cpu, weights: &mut Weights, noise: &mut Noise, z: &mut [f32]) {
        let rotation = random_orthogonal(self.pixels.channels(), noise);
        self.set(&rotation, &mut weights.numbers.unblocked);
        let mut values = self.values();
        for z in z.chunks_exact_mut(self.pixels.coordinates()) {
            self.apply(&weights.numbers.unblocked, z, &mut values);
        }
    }

    fn convs(&self) -> Vec<&Conv> {
        Vec::new()
    }

    fn read_model(&self, model: &Model, unblocked: &mut [f32]) {
        self.set(model.values(&self.name), unblocked);
    }

    fn write_model(&self, unblocked: &[f32], tensors: &mut BTreeMap<String, Tensor>) {
        let ready = self.ready(unblocked);
        let n = ready.n;
        let factors = Lu {
            square: ready.square.iter().copied().map(f64::from).collect(),
            rows: ready.rows,
        };
        let tensor = Tensor {
            shape: vec![n, n],
            values: factors.product().iter().map(|&w| w as f32).collect(),
        };
        tensors.insert(self.name.clone(), tensor);
    }
}
