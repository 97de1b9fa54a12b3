//! Why a checkpoint could not be converted: always one line that names the key or the offset.

use super::dtype::Dtype;
use super::fault::{PickleFault, TensorFault};
use super::text::{escaped, one_line};
use crate::model::ModelError;
use std::fmt;

/// What is wrong with a checkpoint, or with what was said about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConvertError {
    /// The file could not be read.
    Read(String),
    /// Neither a zip, nor a legacy pickle of PyTorch, nor safetensors; and what it is, if that can be seen.
    NotACheckpoint(Option<&'static str>),
    /// A malformed safetensors file.
    Safetensors(String),
    /// The zip container is malformed.
    Zip {
        /// Name of the entry concerned; empty if it is the whole archive.
        entry: String,
        /// What is wrong.
        why: String,
    },
    /// A pickle is malformed, or asks for more than tensors.
    Pickle {
        /// What is wrong.
        fault: PickleFault,
        /// Byte offset in the pickle (zip) or in the file (legacy).
        offset: usize,
    },
    /// The pickle is sound, but what it holds is not a state dict.
    NotAStateDict(&'static str),
    /// The pickle holds a whole object of this class, not its state dict.
    Foreign(String),
    /// The pickle holds dictionaries, none of them of tensors; its outermost keys.
    NoTensors(String),
    /// A tensor of the state dict cannot be read.
    Tensor {
        /// Its key.
        key: String,
        /// What is wrong.
        fault: TensorFault,
    },
    /// A key, an entry of the zip or a storage occurs twice.
    Duplicate(String),
    /// A tensor of integers where weights are expected.
    WrongDtype {
        /// Its key.
        key: String,
        /// Its element type.
        found: Dtype,
    },
    /// A tensor with a NaN or an infinity, after rounding to f32.
    NotFinite(String),
    /// A tensor of another shape than the architecture asks for.
    WrongShape {
        /// Its key.
        key: String,
        /// The shape that the architecture asks for.
        wanted: Vec<usize>,
        /// The shape that is there.
        found: Vec<usize>,
    },
    /// Keys that the architecture asks for and keys that it does not know; not both are empty.
    Keys {
        /// Not in the file.
        missing: Vec<String>,
        /// Only in the file.
        unexpected: Vec<String>,
    },
    /// Tensors do not tell what must be known; says what and how to give it.
    Ambiguous(String),
    /// The tensors contradict the class, image or spec that was given.
    Contradiction(String),
    /// A key or value that was told and that there is not.
    Assumption(String),
    /// A known architecture that this project cannot express.
    Unsupported(String),
    /// The tensors make no model.
    Model(ModelError),
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(why) => write!(f, "the checkpoint cannot be read: {}", one_line(why)),
            Self::NotACheckpoint(None) => f.write_str(
                "not a PyTorch checkpoint: neither a zip file, nor a legacy pickle, nor safetensors",
            ),
            Self::NotACheckpoint(Some(kind)) => write!(f, "not a PyTorch checkpoint, but {kind}"),
            Self::Safetensors(why) => write!(f, "safetensors file: {}", one_line(why)),
            Self::Zip { entry, why } if entry.is_empty() => write!(f, "zip file: {why}"),
            Self::Zip { entry, why } => write!(f, "zip entry {}: {why}", one_line(entry)),
            Self::Pickle { fault, offset } => write!(f, "pickle, byte {offset}: {fault}"),
            Self::NotAStateDict(why) => write!(f, "no state dict: {why}"),
            Self::Foreign(class) => write!(
                f,
                "no state dict, but an object of {class}; nothing was run: save its state_dict()"
            ),
            Self::NoTensors(keys) => write!(f, "no state dict: no tensors under the keys {keys}"),
            Self::Tensor { key, fault } => write!(f, "tensor {}: {fault}", one_line(key)),
            Self::Duplicate(name) => write!(f, "{} occurs twice", one_line(name)),
            Self::WrongDtype { key, found } => {
                let key = one_line(key);
                write!(f, "tensor {key} holds {found}, not floating point weights")
            }
            Self::NotFinite(key) => {
                write!(f, "tensor {} holds a NaN or an infinity", one_line(key))
            }
            Self::WrongShape { key, wanted, found } => {
                let key = one_line(key);
                write!(f, "tensor {key} has shape {found:?}, not {wanted:?}")
            }
            Self::Keys { missing, unexpected } => write_keys(f, missing, unexpected),
            // Made here, of parts that are one line each.
            Self::Ambiguous(what)
            | Self::Contradiction(what)
            | Self::Assumption(what)
            | Self::Unsupported(what) => f.write_str(&escaped(what)),
            Self::Model(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ConvertError {}

fn write_keys(
    f: &mut fmt::Formatter<'_>,
    missing: &[String],
    unexpected: &[String],
) -> fmt::Result {
    let list = |keys: &[String]| {
        let keys: Vec<String> = keys.iter().map(|key| one_line(key)).collect();
        keys.join(", ")
    };
    if !missing.is_empty() {
        write!(f, "missing: {}", list(missing))?;
    }
    if !unexpected.is_empty() {
        let separator = if missing.is_empty() { "" } else { "; " };
        write!(
            f,
            "{separator}not of this architecture: {}",
            list(unexpected)
        )?;
    }
    Ok(())
}
