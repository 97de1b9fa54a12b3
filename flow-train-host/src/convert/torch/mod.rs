//! Checkpoints of PyTorch: the zip format (since 1.6), the legacy pickle before it, and safetensors.
//!
//! The first two hold the same: a pickle whose tensors are views (offset, shape, strides) of storages, and the storages' bytes.
//! Nothing is copied until a tensor's values are asked for, and no tensor can ask for more than the file can hold:
//! all tensors of a state dict together have at most a few times as many elements as the file has bytes (they may share
//! storages).

mod legacy;
mod plain;
mod select;
mod storage;
mod view;
mod zipped;

pub use super::dtype::Dtype;
pub use super::fault::TensorFault;
pub use view::TensorView;

use super::ConvertError;
use super::pickle::{Global, Pickle, Value, ValueId};
use super::text::one_line;
use std::collections::BTreeMap;
use storage::Storages;

/// The container of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// PyTorch 1.6 and later.
    Zip,
    /// Before that, or `_use_new_zipfile_serialization=False`.
    Legacy,
    /// Safetensors.
    Safetensors,
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Zip => "PyTorch checkpoint in the zip format",
            Self::Legacy => "PyTorch checkpoint in the legacy pickle format",
            Self::Safetensors => "safetensors file",
        })
    }
}

/// The state dict of a checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint<'a> {
    /// How it was stored.
    pub container: Container,
    /// Where the state dict was: keys joined by dots, or empty if it is the outermost dictionary itself.
    pub state_key: String,
    /// What was left unread, for the report.
    pub unread: Vec<String>,
    /// The tensors, by their keys.
    pub tensors: BTreeMap<String, TensorView<'a>>,
}

/// Most elements of all tensors together, for each byte of the file: tied weights and copies of them share storages.
const MOST_SHARING: usize = 8;

/// Reads a checkpoint in any container.
///
/// # Errors
/// [`ConvertError`] that names the offset, the zip entry or the key. Nothing in the file is ever run.
pub fn read(bytes: &[u8]) -> Result<Checkpoint<'_>, ConvertError> {
    read_at(bytes, None)
}

/// As [`read`], of a file with several state dicts: the one at these keys, joined by dots.
///
/// # Errors
/// Those of [`read`].
pub fn read_at<'a>(bytes: &'a [u8], at: Option<&str>) -> Result<Checkpoint<'a>, ConvertError> {
    if bytes.starts_with(super::zip::MAGIC) {
        let (pickle, storages) = zipped::read(bytes)?;
        checkpoint(Container::Zip, &pickle, &storages, (bytes.len(), at))
    } else if plain::is_one(bytes) {
        plain::read(bytes)
    } else {
        let (pickle, storages) = legacy::read(bytes)?;
        checkpoint(Container::Legacy, &pickle, &storages, (bytes.len(), at))
    }
}

fn checkpoint<'a>(
    container: Container,
    pickle: &Pickle<'a>,
    storages: &Storages<'a>,
    (bytes, at): (usize, Option<&str>),
) -> Result<Checkpoint<'a>, ConvertError> {
    let select::Selected {
        path,
        items,
        mut unread,
    } = select::state_dict(pickle, at)?;
    let mut budget = bytes.saturating_mul(MOST_SHARING);
    let mut tensors = BTreeMap::new();
    let mut others = Vec::new();
    for &(key, value) in items {
        let not_text = ConvertError::NotAStateDict("a key is not text");
        let key = pickle.text(key).ok_or(not_text)?.to_owned();
        if !select::is_tensor(pickle, value) {
            others.push(key);
            continue;
        }
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
    if !others.is_empty() {
        unread.push(format!("no tensors, left unread: {}", listed(&others)));
    }
    Ok(Checkpoint {
        container,
        state_key: path,
        unread,
        tensors,
    })
}

/// The first few of a list, on one line.
fn listed(names: &[String]) -> String {
    const MOST: usize = 6;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| one_line(name)).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    shown.join(", ")
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
