//! A state dict that is used up: every tensor is taken once by whoever knows its shape; what nobody asks for, and what
//! somebody asks for in vain, is named at the end, all of it at once.

use super::ConvertError;
use super::torch::{Checkpoint, Dtype, TensorFault, TensorView};
use crate::model::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// The tensors of a checkpoint that have not been taken yet, by keys without the wrapper's prefix.
#[derive(Debug)]
pub struct StateDict<'a> {
    prefix: &'static str,
    tensors: BTreeMap<String, TensorView<'a>>,
    missing: BTreeSet<String>,
    converted: BTreeMap<Dtype, usize>,
    dropped: usize,
}

/// What `DataParallel` puts before every key of the network in it.
const WRAPPER: &str = "module.";

impl<'a> StateDict<'a> {
    /// The tensors of a checkpoint; `module.` is cut off if every key starts with it.
    pub fn new(checkpoint: Checkpoint<'a>) -> Self {
        let tensors = checkpoint.tensors;
        let wrapped = !tensors.is_empty() && tensors.keys().all(|key| key.starts_with(WRAPPER));
        let prefix = if wrapped { WRAPPER } else { "" };
        let tensors = tensors
            .into_iter()
            .map(|(key, view)| (key[prefix.len()..].to_owned(), view))
            .collect();
        Self {
            prefix,
            tensors,
            missing: BTreeSet::new(),
            converted: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// Keys that have not been taken and start with a prefix.
    pub fn keys<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = &'s str> {
        let from = self
            .tensors
            .range(prefix.to_owned()..)
            .map(|(key, _)| key.as_str());
        from.take_while(move |key| key.starts_with(prefix))
    }

    /// Whether there are keys with a prefix.
    pub fn has(&self, prefix: &str) -> bool {
        self.keys(prefix).next().is_some()
    }

    /// Shape of a tensor that has not been taken.
    pub fn shape(&self, key: &str) -> Option<&[usize]> {
        self.tensors.get(key).map(TensorView::shape)
    }

    /// Takes a tensor of this shape; `None`, and remembered as missing, if it is not there.
    ///
    /// # Errors
    /// [`ConvertError::WrongShape`], [`ConvertError::WrongDtype`].
    pub fn take(&mut self, key: &str, wanted: &[usize]) -> Result<Option<Tensor>, ConvertError> {
        let Some(view) = self.tensors.remove(key) else {
            self.miss(key);
            return Ok(None);
        };
        let key = || self.full_key(key);
        if view.shape() != wanted {
            let (wanted, found) = (wanted.to_vec(), view.shape().to_vec());
            return Err(ConvertError::WrongShape {
                key: key(),
                wanted,
                found,
            });
        }
        let found = view.dtype();
        let tensor = view.to_tensor();
        let tensor = tensor.ok_or_else(|| ConvertError::WrongDtype { key: key(), found })?;
        if tensor.values.iter().any(|value| !value.is_finite()) {
            return Err(ConvertError::NotFinite(key()));
        }
        if found != Dtype::F32 {
            *self.converted.entry(found).or_default() += 1;
        }
        Ok(Some(tensor))
    }

    /// Takes a list of indices; `None`, and remembered as missing, if it is not there.
    ///
    /// # Errors
    /// [`ConvertError::Tensor`] if it is not a list of non-negative 64-bit integers.
    pub fn take_indices(&mut self, key: &str) -> Result<Option<Vec<usize>>, ConvertError> {
        let Some(view) = self.tensors.remove(key) else {
            self.miss(key);
            return Ok(None);
        };
        let indices = view.to_integers().filter(|_| view.shape().len() == 1);
        let indices = indices.and_then(|values| {
            let indices = values.into_iter().map(|value| usize::try_from(value).ok());
            indices.collect::<Option<Vec<usize>>>()
        });
        let not = || ConvertError::Tensor {
            key: self.full_key(key),
            fault: TensorFault::NotIndices,
        };
        indices.map(Some).ok_or_else(not)
    }

    /// The key as it is in the file.
    pub fn full_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Remembers a key as missing.
    pub fn miss(&mut self, key: &str) {
        self.missing.insert(self.full_key(key));
    }

    /// Forgets a tensor that has no bearing on the model, if it is there.
    pub fn discard(&mut self, key: &str) {
        self.dropped += usize::from(self.tensors.remove(key).is_some());
    }

    /// Nothing may be missing so far.
    ///
    /// # Errors
    /// [`ConvertError::Keys`] with every missing key.
    pub fn complete(&self) -> Result<(), ConvertError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let missing = self.missing.iter().cloned().collect();
        let surplus = Vec::new();
        Err(ConvertError::Keys { missing, surplus })
    }

    /// Nothing may be missing, and nothing left. Gives remarks for the report.
    ///
    /// # Errors
    /// [`ConvertError::Keys`] with every missing and every surplus key.
    pub fn finish(self) -> Result<Vec<String>, ConvertError> {
        if !self.missing.is_empty() || !self.tensors.is_empty() {
            let surplus = self.tensors.keys();
            return Err(ConvertError::Keys {
                missing: self.missing.iter().cloned().collect(),
                surplus: surplus.map(|key| self.full_key(key)).collect(),
            });
        }
        let mut remarks = Vec::new();
        for (dtype, count) in &self.converted {
            remarks.push(format!("{count} tensors rounded from {dtype} to f32"));
        }
        if self.dropped > 0 {
            let count = self.dropped;
            remarks.push(format!(
                "{count} tensors without bearing on the model dropped"
            ));
        }
        Ok(remarks)
    }
}
