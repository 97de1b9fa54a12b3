//! Trained numbers: one flat vector in the order and layout of the model's tensors, and what kernels read.
//!
//! The optimizer, checkpoints and clipping see only the flat vector; it is the master. Kernels want blocks of 16
//! output channels, and for the input's gradient blocks of 16 input channels, so both are packed from the flat vector
//! once a step: for 100,000 weights a fifth of a millisecond, where the step takes 70. Gradients are added up in the
//! kernels' layout and unpacked once a step.

use super::Lanes;
use crate::model::Tensor;
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

/// Hands out places while a flow is built.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: Vec<Entry>,
    loose: Vec<Range<usize>>,
    flat: usize,
    packed: usize,
    turned: usize,
}

impl Registry {
    /// A place in the flat vector for a tensor whose gradient is added up there.
    pub(crate) fn flat(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let range = self.entry(name, shape, true);
        self.loose.push(range.clone());
        range
    }

    /// A place in the flat vector for a tensor whose gradient is added up in the kernels' layout.
    pub(crate) fn unpacked(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        self.entry(name, shape, true)
    }

    /// A place for numbers that are trained, but that the model holds in another form.
    pub(crate) fn factor(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let range = self.entry(name, shape, false);
        self.loose.push(range.clone());
        range
    }

    /// A place for numbers that training leaves as they are: their gradient stays zero.
    pub(crate) fn frozen(&mut self, len: usize) -> Range<usize> {
        self.flat += len;
        self.flat - len..self.flat
    }

    fn entry(&mut self, name: String, shape: &[usize], in_model: bool) -> Range<usize> {
        let range = self.frozen(shape.iter().product());
        self.entries.push(Entry {
            name,
            shape: shape.to_vec(),
            range: range.clone(),
            in_model,
        });
        range
    }

    /// A place among the packed weights, which gradients share.
    pub(crate) fn packed(&mut self, len: usize) -> Range<usize> {
        self.packed += len;
        self.packed - len..self.packed
    }

    /// A place among the packed weights of the input's gradient.
    pub(crate) fn turned(&mut self, len: usize) -> Range<usize> {
        self.turned += len;
        self.turned - len..self.turned
    }

    /// All places handed out.
    pub(crate) fn finish(self) -> Layout {
        Layout {
            entries: self.entries,
            loose: self.loose,
            flat: self.flat,
            packed: self.packed,
            turned: self.turned,
        }
    }
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The tensors, in the flat vector's order.
    pub(crate) entries: Vec<Entry>,
    /// Parts of the flat vector where gradients are added up.
    loose: Vec<Range<usize>>,
    /// Length of the flat vector.
    pub(crate) flat: usize,
    packed: usize,
    turned: usize,
}

impl Layout {
    /// Room for weights.
    pub(crate) fn weights(&self) -> Weights {
        Weights {
            flat: vec![0.0; self.flat],
            packed: vec![Lanes::default(); self.packed],
            turned: vec![Lanes::default(); self.turned],
        }
    }

    /// A gradient of zero.
    pub(crate) fn gradient(&self) -> Gradient {
        Gradient {
            flat: vec![0.0; self.flat],
            packed: vec![Lanes::default(); self.packed],
            loose: self.loose.clone(),
        }
    }

    /// The tensors that the model has as they are.
    pub(crate) fn tensors(&self, flat: &[f32]) -> BTreeMap<String, Tensor> {
        let tensor = |e: &Entry| Tensor {
            shape: e.shape.clone(),
            values: flat[e.range.clone()].to_vec(),
        };
        let entries = self.entries.iter().filter(|e| e.in_model);
        entries.map(|e| (e.name.clone(), tensor(e))).collect()
    }
}

/// Weights: the flat vector and what kernels read.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// The master.
    pub(crate) flat: Vec<f32>,
    /// Convolutions' weights and biases, blocks of output channels.
    pub(crate) packed: Vec<Lanes>,
    /// Convolutions' weights turned around, blocks of input channels.
    pub(crate) turned: Vec<Lanes>,
}

/// Gradients: of convolutions in the kernels' layout, of everything else in the flat vector's.
///
/// Only the loose parts of `flat` are ever touched before unpacking. The others, most of it, are pages of zeros that
/// the system never has to provide: a gradient a worker costs one set of weights, not two.
#[derive(Clone, Debug)]
pub(crate) struct Gradient {
    /// Of what is not a convolution; after unpacking, of everything.
    pub(crate) flat: Vec<f32>,
    /// Of convolutions.
    pub(crate) packed: Vec<Lanes>,
    loose: Vec<Range<usize>>,
}

impl Gradient {
    /// Back to zero.
    pub(crate) fn clear(&mut self) {
        for range in &self.loose {
            self.flat[range.clone()].fill(0.0);
        }
        self.packed.fill(Lanes::default());
    }

    /// Adds another.
    pub(crate) fn add(&mut self, other: &Self) {
        for range in &self.loose {
            let flat = self.flat[range.clone()].iter_mut();
            for (a, b) in flat.zip(&other.flat[range.clone()]) {
                *a += b;
            }
        }
        for (a, b) in self.packed.iter_mut().zip(&other.packed) {
            for (a, b) in a.0.iter_mut().zip(b.0) {
                *a += b;
            }
        }
    }
}
