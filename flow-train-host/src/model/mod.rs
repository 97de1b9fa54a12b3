//! Float models: a spec and its named tensors, in memory and as `.safetensors`.

mod mismatch;
pub mod ratio;
pub mod store;
pub mod tensors;

pub use mismatch::{TensorMismatch, WrongShape};

use crate::front_end::FrontEnd;
use flow_infer::spec::FlowSpec;
use ratio::Ratio;
use std::collections::BTreeMap;

/// An f32 array with its shape, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Size along each axis.
    pub shape: Vec<usize>,
    /// The values; as many as the product of the shape.
    pub values: Vec<f32>,
}

/// A float model: the architecture and exactly the tensors of [`tensors::tensor_list`].
#[derive(Clone, Debug)]
pub struct Model {
    spec: FlowSpec,
    tensors: BTreeMap<String, Tensor>,
    history: Vec<String>,
    front_end: Option<FrontEnd>,
    ratio: Option<Ratio>,
}

/// Whether both compute the same of the same frames, wherever they come from.
impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
            && self.tensors == other.tensors
            && self.front_end == other.front_end
            && self.ratio == other.ratio
    }
}

/// Why a spec and tensors do not make a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The spec itself is inconsistent.
    #[error("{0}")]
    Spec(flow_infer::spec::SpecError),
    /// Tensors that are not the ones the spec asks for.
    #[error("{0}")]
    Tensors(TensorMismatch),
    /// A tensor with a NaN or an infinity.
    #[error("tensor {0} holds a NaN or an infinity")]
    NotFinite(String),
}

impl Model {
    /// Joins a spec and its tensors, checking that they are exactly the ones it asks for.
    pub fn new(spec: FlowSpec, tensors: BTreeMap<String, Tensor>) -> Result<Self, ModelError> {
        spec.validate().map_err(ModelError::Spec)?;
        TensorMismatch::between(&tensors::tensor_list(&spec), &tensors)
            .map_err(ModelError::Tensors)?;
        let finite = |t: &Tensor| t.values.iter().all(|v| v.is_finite());
        if let Some((name, _)) = tensors.iter().find(|(_, tensor)| !finite(tensor)) {
            return Err(ModelError::NotFinite(name.clone()));
        }
        Ok(Self {
            spec,
            tensors,
            history: Vec::new(),
            front_end: None,
            ratio: None,
        })
    }

    /// The model, with lines on where it comes from and what was assumed of it.
    #[must_use]
    pub fn with_history(mut self, history: Vec<String>) -> Self {
        self.history = history;
        self
    }

    /// Where it comes from and what was assumed of it, one line each.
    pub fn history(&self) -> &[String] {
        &self.history
    }

    /// The model with what turned frames into the inputs that it has seen.
    #[must_use]
    pub fn with_front_end(self, front_end: Option<FrontEnd>) -> Self {
        Self { front_end, ..self }
    }

    /// What turned frames into the inputs that it has seen, if it was not trained on inputs as they are.
    pub fn front_end(&self) -> Option<&FrontEnd> {
        self.front_end.as_ref()
    }

    /// The model with a second opinion.
    #[must_use]
    pub fn with_ratio(self, ratio: Option<Ratio>) -> Self {
        Self { ratio, ..self }
    }

    /// The ratio net, if it has one.
    pub fn ratio(&self) -> Option<&Ratio> {
        self.ratio.as_ref()
    }

    /// The architecture.
    pub fn spec(&self) -> &FlowSpec {
        &self.spec
    }

    /// All tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// The values of a tensor of the spec's list; empty for any other name.
    pub fn values(&self, name: &str) -> &[f32] {
        self.tensors.get(name).map_or(&[], |t| &t.values)
    }
}
