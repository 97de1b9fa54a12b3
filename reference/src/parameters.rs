//! A model's f32 tensors, by dotted name, as f64.

use flow_train_host::model::{Model, tensors::step_prefix};

/// The tensors whose names begin with a prefix.
#[derive(Clone, Debug)]
pub struct Parameters<'m> {
    model: &'m Model,
    prefix: String,
}

/// Weights and bias of one layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Sizes of the weights' axes.
    pub shape: Vec<usize>,
    /// The weights, row-major.
    pub weights: Vec<f64>,
    /// The bias.
    pub bias: Vec<f64>,
}

impl Layer {
    /// The four axes of a convolution's weights.
    ///
    /// # Panics
    /// If there are not four.
    pub fn axes(&self) -> [usize; 4] {
        <[usize; 4]>::try_from(self.shape.as_slice()).expect("weights of four axes")
    }
}

impl<'m> Parameters<'m> {
    /// All tensors of a model.
    pub fn of(model: &'m Model) -> Self {
        let prefix = String::new();
        Self { model, prefix }
    }

    /// Those of one step.
    pub fn of_step(model: &'m Model, level: usize, index: usize) -> Self {
        let prefix = step_prefix(level, index);
        Self { model, prefix }
    }

    /// Those under a further name.
    pub fn under(&self, name: &str) -> Self {
        Self {
            model: self.model,
            prefix: format!("{}{name}.", self.prefix),
        }
    }

    /// One tensor's values.
    ///
    /// # Panics
    /// If the model has no tensor of this name: the reference and the list of tensors disagree.
    pub fn values(&self, name: &str) -> Vec<f64> {
        self.tensor(name).1
    }

    /// `name.weights` and `name.bias`.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn layer(&self, name: &str) -> Layer {
        let (shape, weights) = self.tensor(&format!("{name}.weights"));
        let bias = self.values(&format!("{name}.bias"));
        Layer {
            shape,
            weights,
            bias,
        }
    }

    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let name = format!("{}{name}", self.prefix);
        let Some(tensor) = self.model.tensors().get(&name) else {
            panic!("the model has no tensor {name}");
        };
        let values = tensor.values.iter().map(|&v| f64::from(v)).collect();
        (tensor.shape.clone(), values)
    }
}
