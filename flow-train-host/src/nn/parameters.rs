//! Trained numbers: where they lie in the model, and where they lie while training.
//!
//! Kernels read and write blocks of 16 output channels, so while training everything that has as many numbers as the
//! flow lies in that layout: weights, their one gradient, and the optimizer's memory. The order and layout of the
//! model's tensors, one flat vector, exists on the way from and to files only: with flat masters beside what kernels
//! read, a flow of 15 million weights took two more sets of them, and moving numbers between the two a tenth of a
//! dense flow's step.

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
    /// Its numbers in the flat vector.
    pub(crate) range: Range<usize>,
    /// Whether the model has it as it is; otherwise its step converts it.
    pub(crate) in_model: bool,
}

impl Entry {
    /// Its name, and its part of a flat vector.
    fn of(&self, flat: &[f32]) -> (String, Tensor) {
        let tensor = Tensor {
            shape: self.shape.clone(),
            values: flat[self.range.clone()].to_vec(),
        };
        (self.name.clone(), tensor)
    }
}

/// Numbers that lie side by side both in the flat vector and among the loose ones.
#[derive(Clone, Copy, Debug)]
struct Loose {
    flat: usize,
    loose: usize,
    len: usize,
}

/// Where a layer's numbers lie while training.
#[derive(Clone, Debug)]
pub(crate) struct LayerPlaces {
    /// Number of the layer.
    pub(crate) number: usize,
    /// Among the packed numbers.
    pub(crate) weights: Range<usize>,
    /// Among the packed numbers, right behind the weights.
    pub(crate) bias: Range<usize>,
    /// Among the turned weights.
    pub(crate) turned: Range<usize>,
}

/// Hands out places while a flow is built.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: Vec<Entry>,
    parts: Vec<Loose>,
    flat: usize,
    loose: usize,
    packed: usize,
    turned: usize,
    layers: Vec<Range<usize>>,
}

impl Registry {
    /// A place among the loose numbers for a tensor.
    pub(crate) fn loose(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let flat = self.entry(name, shape, true);
        self.loosened(flat)
    }

    /// A place in the flat vector for a tensor that kernels read.
    pub(crate) fn flat(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        self.entry(name, shape, true)
    }

    /// A place for numbers that are trained, but that the model holds in another form.
    pub(crate) fn factor(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let flat = self.entry(name, shape, false);
        self.loosened(flat)
    }

    /// A place for numbers that training leaves as they are: their gradient stays zero.
    pub(crate) fn frozen(&mut self, len: usize) -> Range<usize> {
        let flat = self.taken(len);
        self.loosened(flat)
    }

    fn taken(&mut self, len: usize) -> Range<usize> {
        self.flat += len;
        self.flat - len..self.flat
    }

    fn loosened(&mut self, flat: Range<usize>) -> Range<usize> {
        self.parts.push(Loose {
            flat: flat.start,
            loose: self.loose,
            len: flat.len(),
        });
        self.loose += flat.len();
        self.loose - flat.len()..self.loose
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

    /// Places of a layer with this many vectors of weights, of biases and of turned weights.
    pub(crate) fn layer(&mut self, [weights, bias, turned]: [usize; 3]) -> LayerPlaces {
        let first = self.packed;
        let (behind_weights, behind_bias) = (first + weights, first + weights + bias);
        self.packed = behind_bias;
        self.turned += turned;
        self.layers.push(first..behind_bias);
        LayerPlaces {
            number: self.layers.len() - 1,
            weights: first..behind_weights,
            bias: behind_weights..behind_bias,
            turned: self.turned - turned..self.turned,
        }
    }

    /// All places handed out.
    pub(crate) fn finish(self) -> Layout {
        Layout {
            entries: self.entries,
            parts: self.parts,
            flat: self.flat,
            loose: self.loose,
            packed: self.packed,
            turned: self.turned,
            layers: self.layers,
        }
    }
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The tensors, in the flat vector's order.
    pub(crate) entries: Vec<Entry>,
    parts: Vec<Loose>,
    /// Length of the flat vector.
    pub(crate) flat: usize,
    loose: usize,
    packed: usize,
    turned: usize,
    /// Of every layer, in order and without gaps: its weights and bias among the packed numbers.
    pub(crate) layers: Vec<Range<usize>>,
}

impl Layout {
    /// As many zeros as the flow has numbers.
    pub(crate) fn zeros(&self) -> Numbers {
        Numbers {
            loose: vec![0.0; self.loose],
            packed: vec![Lanes::default(); self.packed],
        }
    }

    /// Room for the packed weights of the inputs' gradients.
    pub(crate) fn turned(&self) -> Vec<Lanes> {
        vec![Lanes::default(); self.turned]
    }

    /// Copies the loose parts of a flat vector.
    pub(crate) fn loosen(&self, flat: &[f32], loose: &mut [f32]) {
        for part in &self.parts {
            loose[part.loose..][..part.len].copy_from_slice(&flat[part.flat..][..part.len]);
        }
    }

    /// Copies the loose parts to a flat vector.
    pub(crate) fn fasten(&self, loose: &[f32], flat: &mut [f32]) {
        for part in &self.parts {
            flat[part.flat..][..part.len].copy_from_slice(&loose[part.loose..][..part.len]);
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
    pub(crate) loose: Vec<f32>,
    /// Weights and biases of layers, blocks of output channels; lanes that stand for no channel hold zeros.
    pub(crate) packed: Vec<Lanes>,
}

impl Numbers {
    /// Back to zero, on the cores of the pool that this is called in.
    pub(crate) fn clear(&mut self) {
        self.loose.fill(0.0);
        let chunks = self.packed.par_chunks_mut(1 << 14);
        chunks.for_each(|chunk| chunk.fill(Lanes::default()));
    }
}

/// What passes read.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// The trained numbers.
    pub(crate) numbers: Numbers,
    /// Layers' weights turned around, blocks of input channels; empty where no gradient is asked for.
    pub(crate) turned: Vec<Lanes>,
}
