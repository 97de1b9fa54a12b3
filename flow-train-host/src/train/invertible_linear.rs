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
use super::step::{Group, LatentGradients, Latents, Step, Tape};
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

    fn apply(&self, unblocked: &[f32], z: &mut [f32], values: &mut [[f32; 3]]) -> f64 {
        let ready = self.ready(unblocked);
        let n = ready.n;
        let pixels = self.pixels.of(z.len());
        for (pixel, values) in pixels.zip(values.chunks_exact_mut(n)) {
            for (&at, value) in pixel.iter().zip(values.iter_mut()) {
                value[0] = z[at];
            }
            for i in 0..n {
                let row = &ready.square[i * n..][..n];
                values[i][1] = (i..n).map(|j| row[j] * values[j][0]).sum();
            }
            for i in 0..n {
                let row = &ready.square[i * n..][..n];
                let grad_input: f32 = (0..i).map(|j| row[j] * values[j][1]).sum();
                z[pixel[ready.rows[i]]] = grad_input + values[i][1];
            }
        }
        self.pixels.each() as f64 * ready.ln_det
    }
}

impl Step for InvertibleLinear {
    /// Values: x and U x.
    fn tape(&self) -> Tape {
        Tape {
            maps: Vec::new(),
            values: vec![[0.0; 3]; self.pixels.len()],
        }
    }

    fn to_latent(
        &self,
        context: PassContext<'_>,
        latents: Latents<'_>,
        tape: &mut Tape,
        _scratch: &mut Scratch,
    ) {
        let log_det = self.apply(
            &context.weights.numbers.unblocked,
            latents.z,
            &mut tape.values,
        );
        latents.log_det.iter_mut().for_each(|l| *l += log_det);
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        latents: LatentGradients<'_>,
        tape: &Tape,
        ticket: &mut Ticket<'_, '_>,
        _scratch: &mut Scratch,
    ) {
        let Ready {
            n, square, rows, ..
        } = self.ready(&context.weights.numbers.unblocked);
        let sums = &mut ticket.unblocked[self.square.clone()];
        let (mut grad_input, mut inner) = (vec![0.0; n], vec![0.0; n]);
        let pixels = self.pixels.of(latents.z.len());
        for (pixel, values) in pixels.zip(tape.values.chunks_exact(n)) {
            for i in 0..n {
                grad_input[i] = latents.z[pixel[rows[i]]];
            }
            for j in 0..n {
                let column = (j + 1..n).map(|i| square[i * n + j] * grad_input[i]);
                inner[j] = grad_input[j] + column.sum::<f32>();
            }
            for i in 0..n {
                for j in 0..i {
                    sums[i * n + j] += grad_input[i] * values[j][1];
                }
                // d U_ii / d ln |U_ii| = U_ii.
                sums[i * n + i] += inner[i] * values[i][0] * square[i * n + i];
                for j in i + 1..n {
                    sums[i * n + j] += inner[i] * values[j][0];
                }
            }
            for (j, &at) in pixel.iter().enumerate() {
                latents.z[at] = (0..=j).map(|i| square[i * n + j] * inner[i]).sum();
            }
        }
        let weight: f32 = latents.weight.iter().sum();
        for i in 0..n {
            sums[i * n + i] -= weight * self.pixels.each() as f32;
        }
    }

    /// A random rotation.
    fn initialize(&self, _cpu: Cpu, weights: &mut Weights, noise: &mut Noise, z: &mut [f32]) {
        let rotation = random_orthogonal(self.pixels.channels(), noise);
        self.set(&rotation, &mut weights.numbers.unblocked);
        let mut values = self.tape().values;
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
