//! A state dict that is used up: every tensor is taken once by whoever knows its shape; what nobody asks for, and what
//! somebody asks for in vain, is named at the end, all of it at once.

use super::names::{self, Root};
use super::torch::{Checkpoint, Dtype, TensorFault, TensorView};
use super::{ConvertError, weight_norm};
use crate::model::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// The tensors of a checkpoint that have not been taken yet, by keys without the wrappers' names.
#[derive(Debug)]
pub struct StateDict<'a> {
    prefix: String,
    tensors: BTreeMap<String, TensorView<'a>>,
    missing: BTreeSet<String>,
    converted: BTreeMap<Dtype, usize>,
    dropped: usize,
    remarks: Vec<String>,
}

impl<'a> StateDict<'a> {
    /// The tensors of a checkpoint; what `DataParallel` and `torch.compile` put before keys is cut off.
    ///
    /// # Errors
    /// Those of [`rooted`](Self::rooted).
    pub fn new(checkpoint: Checkpoint<'a>) -> Result<Self, ConvertError> {
        Self::rooted(checkpoint, Root::ANY, None)
    }

    /// The tensors of a checkpoint whose keys start as a library's do, behind any prefix that all of them share; or
    /// those alone that have a given prefix.
    ///
    /// # Errors
    /// [`ConvertError::Ambiguous`] if such keys are there behind a prefix that others do not have.
    pub fn rooted(
        checkpoint: Checkpoint<'a>,
        root: Root,
        prefix: Option<&str>,
    ) -> Result<Self, ConvertError> {
        let named = names::unwrapped(checkpoint.tensors)?;
        let (prefix, tensors, remarks) = names::below_root(named, root, prefix)?;
        Ok(Self {
            prefix,
            tensors,
            missing: BTreeSet::new(),
            converted: BTreeMap::new(),
            dropped: 0,
            remarks,
        })
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

    /// Shape of a tensor that has not been taken; also of one that weight norm has split in two.
    pub fn shape(&self, key: &str) -> Option<&[usize]> {
        let split = || self.tensors.get(&weight_norm::direction(key));
        let view = self.tensors.get(key).or_else(split);
        view.map(TensorView::shape)
    }

    /// Takes a tensor of this shape; `None`, and remembered as missing, if it is not there.
    ///
    /// # Errors
    /// [`ConvertError::WrongShape`], [`ConvertError::WrongDtype`].
    pub fn take(&mut self, key: &str, wanted: &[usize]) -> Result<Option<Tensor>, ConvertError> {
        if !self.tensors.contains_key(key) && self.has_exactly(&weight_norm::direction(key)) {
            return self.take_normed(key, wanted);
        }
        let Some(view) = self.tensors.remove(key) else {
            self.miss(key);
            return Ok(None);
        };
        self.read(key, &view, wanted).map(Some)
    }

    fn has_exactly(&self, key: &str) -> bool {
        self.tensors.contains_key(key)
    }

    /// A tensor that weight norm has split in gain and direction.
    fn take_normed(&mut self, key: &str, wanted: &[usize]) -> Result<Option<Tensor>, ConvertError> {
        let direction = self.take(&weight_norm::direction(key), wanted)?;
        let gain_key = weight_norm::gain(key);
        let shape = self.shape(&gain_key).map(<[usize]>::to_vec);
        let gain = self.take(&gain_key, &shape.unwrap_or_default())?;
        let Some((direction, gain)) = direction.zip(gain) else {
            return Ok(None);
        };
        let joined = weight_norm::join(&gain, &direction);
        let tensor = joined.ok_or_else(|| ConvertError::Tensor {
            key: self.full_key(&gain_key),
            fault: TensorFault::NotAGain,
        })?;
        if tensor.values.iter().any(|value| !value.is_finite()) {
            return Err(ConvertError::NotFinite(self.full_key(key)));
        }
        Ok(Some(tensor))
    }

    fn read(
        &mut self,
        key: &str,
        view: &TensorView<'_>,
        wanted: &[usize],
    ) -> Result<Tensor, ConvertError> {
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
        Ok(tensor)
    }

    /// Takes the values of a tensor of this shape, as [`take`](Self::take) does.
    ///
    /// # Errors
    /// Those of [`take`](Self::take).
    pub fn values(&mut self, key: &str, shape: &[usize]) -> Result<Option<Vec<f64>>, ConvertError> {
        let taken = self.take(key, shape)?;
        let values = taken.map(|tensor| tensor.values.into_iter().map(f64::from));
        Ok(values.map(Iterator::collect))
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

    /// Takes truth values; `None`, and remembered as missing, if they are not there.
    ///
    /// # Errors
    /// [`ConvertError::Tensor`] if it is not a list of booleans of this length.
    pub fn take_mask(&mut self, key: &str, len: usize) -> Result<Option<Vec<bool>>, ConvertError> {
        let Some(view) = self.tensors.remove(key) else {
            self.miss(key);
            return Ok(None);
        };
        let mask = view.to_booleans().filter(|_| view.shape() == [len]);
        let not = || ConvertError::Tensor {
            key: self.full_key(key),
            fault: TensorFault::NotAMask,
        };
        mask.map(Some).ok_or_else(not)
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
        let unexpected = Vec::new();
        Err(ConvertError::Keys {
            missing,
            unexpected,
        })
    }

    /// Nothing may be missing, and nothing left. Gives remarks for the report.
    ///
    /// # Errors
    /// [`ConvertError::Keys`] with every missing and every unexpected key.
    pub fn finish(self) -> Result<Vec<String>, ConvertError> {
        if !self.missing.is_empty() || !self.tensors.is_empty() {
            let unexpected = self.tensors.keys();
            return Err(ConvertError::Keys {
                missing: self.missing.iter().cloned().collect(),
                unexpected: unexpected.map(|key| self.full_key(key)).collect(),
            });
        }
        let mut remarks = self.remarks;
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
