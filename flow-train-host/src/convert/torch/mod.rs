//! Checkpoints of PyTorch: the zip format (since 1.6) and the legacy pickle before it.
//!
//! Both hold the same: a pickle whose tensors are views (offset, shape, strides) of storages, and the storages' bytes.
//! Nothing is copied until a tensor's values are asked for, and no tensor can ask for more than the file can hold:
//! all tensors of a state dict together have at most as many elements as the file has bytes.

mod dtype;
mod legacy;
mod storage;
mod view;
mod zipped;

pub use dtype::Dtype;
pub use view::{TensorFault, TensorView};

use super::ConvertError;
use super::pickle::{Global, Pickle, Value, ValueId};
use std::collections::BTreeMap;
use storage::Storages;

/// Keys under which checkpoints keep the state dict.
const STATE_KEYS: [&str; 3] = ["net", "state_dict", "model"];

/// The container of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// PyTorch 1.6 and later.
    Zip,
    /// Before that, or `_use_new_zipfile_serialization=False`.
    Legacy,
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Zip => "PyTorch checkpoint in the zip format",
            Self::Legacy => "PyTorch checkpoint in the legacy pickle format",
        })
    }
}

/// The state dict of a checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint<'a> {
    /// How it was stored.
    pub container: Container,
    /// Where the state dict was: a key of the outermost dictionary, or empty if that is the state dict itself.
    pub state_key: String,
    /// The tensors, by their keys.
    pub tensors: BTreeMap<String, TensorView<'a>>,
}

/// Reads a checkpoint in either container.
///
/// # Errors
/// [`ConvertError`] that names the offset, the zip entry or the key. Nothing in the file is ever run.
pub fn read(bytes: &[u8]) -> Result<Checkpoint<'_>, ConvertError> {
    if bytes.starts_with(super::zip::MAGIC) {
        let (pickle, storages) = zipped::read(bytes)?;
        checkpoint(Container::Zip, &pickle, &storages, bytes.len())
    } else {
        let (pickle, storages) = legacy::read(bytes)?;
        checkpoint(Container::Legacy, &pickle, &storages, bytes.len())
    }
}

fn checkpoint<'a>(
    container: Container,
    pickle: &Pickle<'a>,
    storages: &Storages<'a>,
    most_elements: usize,
) -> Result<Checkpoint<'a>, ConvertError> {
    let (state_key, items) = state_dict(pickle)?;
    let mut budget = most_elements;
    let mut tensors = BTreeMap::new();
    for &(key, value) in items {
        let not_text = ConvertError::NotAStateDict("a key is not text");
        let key = pickle.text(key).ok_or(not_text)?.to_owned();
        let view = tensor(pickle, storages, value)
            .and_then(|view| view.within(&mut budget))
            .map_err(|fault| ConvertError::Tensor {
                key: key.clone(),
                fault,
            })?;
        if tensors.insert(key.clone(), view).is_some() {
            return Err(ConvertError::Duplicate(key));
        }
    }
    let state_key = state_key.to_owned();
    Ok(Checkpoint {
        container,
        state_key,
        tensors,
    })
}

type Items = [(ValueId, ValueId)];

/// The dictionary of tensors: under one of the usual keys, or the root itself.
fn state_dict<'p>(pickle: &'p Pickle<'_>) -> Result<(&'static str, &'p Items), ConvertError> {
    let Value::Dict(root) = pickle.root() else {
        return Err(ConvertError::NotAStateDict(
            "the pickle holds no dictionary",
        ));
    };
    for name in STATE_KEYS {
        let mut found = root
            .iter()
            .filter(|(key, _)| pickle.text(*key) == Some(name));
        let Some(&(_, value)) = found.next() else {
            continue;
        };
        if found.next().is_some() {
            return Err(ConvertError::Duplicate(name.to_owned()));
        }
        if let Value::Dict(items) = pickle.get(value) {
            return Ok((name, items));
        }
    }
    Ok(("", root))
}

fn tensor<'a>(
    pickle: &Pickle<'a>,
    storages: &Storages<'a>,
    value: ValueId,
) -> Result<TensorView<'a>, TensorFault> {
    let Value::Call(Global::RebuildTensor, arguments) = *pickle.get(value) else {
        return Err(TensorFault::NotATensor);
    };
    let Some(&[storage, offset, shape, strides, ..]) = pickle.sequence(arguments) else {
        return Err(TensorFault::NotATensor);
    };
    let sizes = |id| -> Option<Vec<u64>> {
        let items = pickle.sequence(id)?;
        items.iter().map(|&item| pickle.size(item)).collect()
    };
    let (Some(offset), Some(shape), Some(strides)) =
        (pickle.size(offset), sizes(shape), sizes(strides))
    else {
        return Err(TensorFault::NotATensor);
    };
    TensorView::new(storages.get(pickle, storage)?, offset, &shape, &strides)
}
