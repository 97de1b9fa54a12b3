//! Trained numbers: where they lie in the model, and where they lie while training.
//!
//! Kernels read and write blocks of 16 output channels, so while training everything that has as
//! many numbers as the flow lies in that layout: weights, their one gradient, and the optimizer's
//! memory. The order and layout of the model's tensors, one flat vector, exists on the way from and
//! to files only: with flat masters beside what kernels read, a flow of 15 million weights took two
//! more sets of them, and moving numbers between the two a tenth of a dense flow's step.

use super::Lanes;
use crate::model::Tensor;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// A named part of the flat vector: one tensor of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The tensor's name in the model.
    pub(crate) name: String,
    /// The tensor's shape in the model.
    pub(crate) shape: Vec<usize>,
    /// The tensor's numbers in the flat vector.
    pub(crate) range: Range<usize>,
    /// Whether the model has it as it is; otherwise its step converts it.
    pub(crate) in_model: bool,
}

impl Entry {
    /// The tensor's name, and its part of a flat vector.
    fn of(&self, flat: &[f32]) -> (String, Tensor) {
        let tensor = Tensor {
            shape: self.shape.clone(),
            values: flat[self.range.clone()].to_vec(),
        };
        (self.name.clone(), tensor)
    }
}

/// Numbers that lie side by side both in the flat vector and among the unblocked ones.
#[derive(Clone, Copy, Debug)]
struct Segment {
    flat: usize,
    unblocked: usize,
    len: usize,
}

/// Where a layer's numbers lie while training.
#[derive(Clone, Debug)]
pub(crate) struct LayerPlaces {
    /// Number of the layer.
    pub(crate) number: usize,
    /// Among the blocked numbers.
    pub(crate) weights: Range<usize>,
    /// Among the blocked numbers, right behind the weights.
    pub(crate) bias: Range<usize>,
    /// Among the backward weights.
    pub(crate) backward: Range<usize>,
}

/// Hands out places while a flow is built.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: Vec<Entry>,
    parts: Vec<Segment>,
    flat: usize,
    unblocked: usize,
    blocked: usize,
    backward: usize,
    layers: Vec<Range<usize>>,
}

impl Registry {
    /// A place among the unblocked numbers for a tensor.
    pub(crate) fn unblocked(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let flat = self.entry(name, shape, true);
        self.unblocked_part(flat)
    }

    /// A place in the flat vector for a tensor that kernels read.
    pub(crate) fn flat(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        self.entry(name, shape, true)
    }

    /// A place for numbers that are trained, but that the model holds in another form.
    pub(crate) fn factor(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let flat = self.entry(name, shape, false);
        self.unblocked_part(flat)
    }

    /// A place for numbers that training leaves as they are: their gradient stays zero.
    pub(crate) fn frozen(&mut self, len: usize) -> Range<usize> {
        let flat = self.taken(len);
        self.unblocked_part(flat)
    }

    fn taken(&mut self, len: usize) -> Range<usize> {
        self.flat += len;
        self.flat - len..self.flat
    }

    fn unblocked_part(&mut self, flat: Range<usize>) -> Range<usize> {
        self.parts.push(Segment {
            flat: flat.start,
            unblocked: self.unblocked,
            len: flat.len(),
        });
        self.unblocked += flat.len();
        self.unblocked - flat.len()..self.unblocked
    }

    fn entry(&mut self, name: String, shape: &[usize], in_model: bool) -> Range<usize> {
        let range = self.taken(shape.iter().product());
        self.entries.push(Entry {
            name,
            shape: shape.to_vec(),
            range: range.clone(),
            in_model,
        });
        range
    }

    /// Places of a layer with this many vectors of weights, of biases and of backward weights.
    pub(crate) fn layer(&mut self, [weights, bias, backward]: [usize; 3]) -> LayerPlaces {
        let first = self.blocked;
        let (behind_weights, behind_bias) = (first + weights, first + weights + bias);
        self.blocked = behind_bias;
        self.backward += backward;
        self.layers.push(first..behind_bias);
        LayerPlaces {
            number: self.layers.len() - 1,
            weights: first..behind_weights,
            bias: behind_weights..behind_bias,
            backward: self.backward - backward..self.backward,
        }
    }

    /// All places handed out.
    pub(crate) fn finish(self) -> Layout {
        Layout {
            entries: self.entries,
            parts: self.parts,
            flat: self.flat,
            unblocked: self.unblocked,
            blocked: self.blocked,
            backward: self.backward,
            layers: self.layers,
        }
    }
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The tensors, in the flat vector's order.
    pub(crate) entries: Vec<Entry>,
    parts: Vec<Segment>,
    /// Length of the flat vector.
    pub(crate) flat: usize,
    unblocked: usize,
    blocked: usize,
    backward: usize,
    /// Of every layer, in order and without gaps: its weights and bias among the blocked numbers.
    pub(crate) layers: Vec<Range<usize>>,
}

impl Layout {
    /// As many zeros as the flow has numbers.
    pub(crate) fn zeros(&self) -> Numbers {
        Numbers {
            unblocked: vec![0.0; self.unblocked],
            blocked: vec![Lanes::default(); self.blocked],
        }
    }

    /// Room for the blocked weights of the inputs' gradients.
    pub(crate) fn backward(&self) -> Vec<Lanes> {
        vec![Lanes::default(); self.backward]
    }

    /// Copies the unblocked parts of a flat vector.
    pub(crate) fn gather(&self, flat: &[f32], unblocked: &mut [f32]) {
        for part in &self.parts {
            unblocked[part.unblocked..][..part.len].copy_from_slice(&flat[part.flat..][..part.len]);
        }
    }

    /// Copies the unblocked parts to a flat vector.
    pub(crate) fn scatter(&self, unblocked: &[f32], flat: &mut [f32]) {
        for part in &self.parts {
            flat[part.flat..][..part.len].copy_from_slice(&unblocked[part.unblocked..][..part.len]);
        }
    }

    /// The tensors that the model has as they are.
    pub(crate) fn tensors(&self, flat: &[f32]) -> BTreeMap<String, Tensor> {
        let entries = self.entries.iter().filter(|e| e.in_model);
        entries.map(|e| e.of(flat)).collect()
    }

    /// All that is trained, also what the model has in another form.
    pub(crate) fn trained(&self, flat: &[f32]) -> BTreeMap<String, Tensor> {
        self.entries.iter().map(|e| e.of(flat)).collect()
    }
}

/// As many numbers as a flow has trained ones: they themselves, their gradient, its means.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    /// Of what is neither convolution nor dense layer.
    pub(crate) unblocked: Vec<f32>,
    /// Weights and biases of layers, blocks of output channels; lanes that stand for no channel
    /// hold zeros.
    pub(crate) blocked: Vec<Lanes>,
}

impl Numbers {
    /// Back to zero, on the cores of the pool that this is called in.
    pub(crate) fn clear(&mut self) {
        self.unblocked.fill(0.0);
        let chunks = self.blocked.par_chunks_mut(1 << 14);
        chunks.for_each(|chunk| chunk.fill(Lanes::default()));
    }
}

/// What passes read.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// The trained numbers.
    pub(crate) numbers: Numbers,
    /// The layers' backward weights, blocks of input channels; empty where no gradient is asked
    /// for.
    pub(crate) backward: Vec<Lanes>,
}
