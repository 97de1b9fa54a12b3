//! Float models: a spec and its named tensors, in memory and as `.safetensors`.

pub mod store;
pub mod tensors;

use flow_infer::spec::FlowSpec;
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
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    spec: FlowSpec,
    tensors: BTreeMap<String, Tensor>,
}

/// Why a spec and tensors do not make a model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ModelError {
    /// The spec itself is inconsistent.
    Spec(flow_infer::spec::SpecError),
    /// A tensor that the spec asks for is not there.
    Missing(String),
    /// A tensor that the spec does not know.
    Surplus(String),
    /// A tensor of another shape.
    Shape {
        /// Its name.
        name: String,
        /// The shape that the spec asks for.
        wanted: Vec<usize>,
        /// The shape that is there.
        found: Vec<usize>,
    },
    /// A tensor with a NaN or an infinity.
    NotFinite(String),
}

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spec(e) => write!(f, "{e}"),
            Self::Missing(name) => write!(f, "tensor {name} is missing"),
            Self::Surplus(name) => write!(f, "tensor {name} does not belong to this architecture"),
            Self::Shape {
                name,
                wanted,
                found,
            } => write!(
                f,
                "tensor {name} has shape {found:?}, the architecture asks for {wanted:?}"
            ),
            Self::NotFinite(name) => write!(f, "tensor {name} holds a NaN or an infinity"),
        }
    }
}

impl std::error::Error for ModelError {}

impl Model {
    /// Joins a spec and its tensors, checking that they are exactly the ones it asks for.
    pub fn new(spec: FlowSpec, tensors: BTreeMap<String, Tensor>) -> Result<Self, ModelError> {
        spec.validate().map_err(ModelError::Spec)?;
        let list = tensors::tensor_list(&spec);
        for wanted in &list {
            let tensor = tensors
                .get(&wanted.name)
                .ok_or_else(|| ModelError::Missing(wanted.name.clone()))?;
            let len: usize = wanted.shape.iter().product();
            if tensor.shape != wanted.shape || tensor.values.len() != len {
                return Err(ModelError::Shape {
                    name: wanted.name.clone(),
                    wanted: wanted.shape.clone(),
                    found: tensor.shape.clone(),
                });
            }
            if tensor.values.iter().any(|v| !v.is_finite()) {
                return Err(ModelError::NotFinite(wanted.name.clone()));
            }
        }
        if let Some(name) = tensors.keys().find(|k| list.iter().all(|w| w.name != **k)) {
            return Err(ModelError::Surplus(name.clone()));
        }
        Ok(Self { spec, tensors })
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
