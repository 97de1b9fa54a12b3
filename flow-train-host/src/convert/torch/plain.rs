//! Safetensors with the names of another library: the form that model hubs ask for.

use super::storage::Storage;
use super::{Checkpoint, Container, Dtype, TensorView};
use crate::convert::ConvertError;
use safetensors::SafeTensors;
use std::collections::BTreeMap;

/// Whether a file begins as safetensors do: the header's length, then an object of JSON.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint<'_>, ConvertError> {
    let malformed =
        |error: safetensors::SafeTensorError| ConvertError::Safetensors(error.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let metadata = header.metadata().as_ref();
    if metadata.is_some_and(|entries| entries.contains_key(crate::model::store::SPEC_KEY)) {
        let why = "a model of flowgate already: --from flowgate reads it";
        return Err(ConvertError::Contradiction(why.to_owned()));
    }
    let file = SafeTensors::deserialize(bytes).map_err(malformed)?;
    let mut tensors = BTreeMap::new();
    let mut unread = Vec::new();
    for (name, view) in file.iter() {
        let Some(dtype) = dtype(view.dtype()) else {
            unread.push(format!(
                "{} is of {:?}, left unread",
                crate::convert::text::one_line(name),
                view.dtype()
            ));
            continue;
        };
        let storage = Storage {
            dtype,
            bytes: view.data(),
        };
        let (shape, strides) = layout(view.shape());
        let view = TensorView::new(storage, 0, &shape, &strides).map_err(|fault| {
            let key = name.to_owned();
            ConvertError::Tensor { key, fault }
        })?;
        tensors.insert(name.to_owned(), view);
    }
    Ok(Checkpoint {
        container: Container::Safetensors,
        state_key: String::new(),
        unread,
        tensors,
    })
}

/// Sizes and strides of a contiguous tensor.
fn layout(shape: &[usize]) -> (Vec<u64>, Vec<u64>) {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1u64;
    for (to, &size) in strides.iter_mut().zip(shape).rev() {
        *to = stride;
        stride = stride.saturating_mul(size as u64);
    }
    (shape.iter().map(|&size| size as u64).collect(), strides)
}

const fn dtype(theirs: safetensors::Dtype) -> Option<Dtype> {
    use safetensors::Dtype as Theirs;
    Some(match theirs {
        Theirs::F64 => Dtype::F64,
        Theirs::F32 => Dtype::F32,
        Theirs::F16 => Dtype::F16,
        Theirs::BF16 => Dtype::Bf16,
        Theirs::I64 => Dtype::I64,
        Theirs::I32 => Dtype::I32,
        Theirs::I16 => Dtype::I16,
        Theirs::I8 => Dtype::I8,
        Theirs::U8 => Dtype::U8,
        Theirs::BOOL => Dtype::Bool,
        _ => return None,
    })
}
