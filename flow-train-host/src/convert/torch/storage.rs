//! Storages: the flat arrays that tensors are views of, and the tuples by which a pickle names them.

use crate::convert::dtype::Dtype;
use crate::convert::fault::TensorFault;
use crate::convert::pickle::{Global, Pickle, Value, ValueId};
use std::collections::BTreeMap;

/// What a pickle says of a storage: `("storage", class, key, device, elements, view)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StorageName<'a> {
    pub(super) dtype: Dtype,
    pub(super) key: &'a str,
    pub(super) elements: u64,
}

impl<'a> StorageName<'a> {
    /// Reads a persistent reference; `None` if it is no storage, or a view of one (the sixth, legacy only).
    pub(super) fn of(pickle: &Pickle<'a>, reference: ValueId) -> Option<Self> {
        let Value::Persistent(tuple) = *pickle.get(reference) else {
            return None;
        };
        let (&[kind, class, key, _device, elements], view) =
            pickle.sequence(tuple)?.split_first_chunk()?;
        let whole = match view {
            [] => true,
            &[view] => *pickle.get(view) == Value::None,
            _ => false,
        };
        let Value::Global(Global::Storage(dtype)) = *pickle.get(class) else {
            return None;
        };
        (whole && pickle.text(kind) == Some("storage")).then_some(Self {
            dtype,
            key: pickle.text(key)?,
            elements: pickle.size(elements)?,
        })
    }
}

/// The bytes of a storage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage<'a> {
    pub(super) dtype: Dtype,
    pub(super) bytes: &'a [u8],
}

impl Storage<'_> {
    pub(super) const fn elements(&self) -> usize {
        self.bytes.len() / self.dtype.size()
    }
}

/// The bytes of all storages of a checkpoint, by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Storages<'a>(pub(super) BTreeMap<String, &'a [u8]>);

impl<'a> Storages<'a> {
    /// The storage that a persistent reference names, if its bytes are there and as many as it says.
    pub(super) fn get(
        &self,
        pickle: &Pickle<'a>,
        reference: ValueId,
    ) -> Result<Storage<'a>, TensorFault> {
        let name = StorageName::of(pickle, reference).ok_or(TensorFault::NotAStorage)?;
        let missing = || TensorFault::MissingStorage(name.key.to_owned());
        let bytes = *self.0.get(name.key).ok_or_else(missing)?;
        let found = bytes.len() as u64;
        if name.elements.checked_mul(name.dtype.size() as u64) != Some(found) {
            return Err(TensorFault::StorageSize {
                elements: name.elements,
                dtype: name.dtype,
                bytes: found,
            });
        }
        let dtype = name.dtype;
        Ok(Storage { dtype, bytes })
    }
}
