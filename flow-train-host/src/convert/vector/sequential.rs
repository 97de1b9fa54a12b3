//! Networks that are lists of linear layers, as `nn.Sequential` numbers them: `0.weight`, `2.weight`, ... with
//! activations, which have no tensors, between.

use super::Dense;
use crate::convert::{ConvertError, StateDict};
use std::collections::BTreeSet;

/// The linear layers of a network, and where each is in the list.
pub(in crate::convert) struct Sequential {
    pub(in crate::convert) layers: Vec<Dense>,
    pub(in crate::convert) numbers: Vec<usize>,
}

/// Numbers of the items under a prefix that ends in a dot.
pub(in crate::convert) fn numbers(state: &StateDict<'_>, prefix: &str) -> BTreeSet<usize> {
    let number = |key: &str| key[prefix.len()..].split('.').next()?.parse().ok();
    state.keys(prefix).filter_map(number).collect()
}

impl Sequential {
    /// Takes the layers under a prefix that ends in a dot; `None`, and keys noted as missing, if some are not there.
    ///
    /// # Errors
    /// [`ConvertError::Unsupported`] for fewer than two layers, or two without an activation between.
    pub(in crate::convert) fn take(
        state: &mut StateDict<'_>,
        prefix: &str,
        inputs: Option<usize>,
    ) -> Result<Option<Self>, ConvertError> {
        let is_linear = |key: &str| !key.ends_with(".scale");
        let number = |key: &str| key[prefix.len()..].split('.').next()?.parse().ok();
        let keys = state.keys(prefix).filter(|key| is_linear(key));
        let numbers: BTreeSet<usize> = keys.filter_map(number).collect();
        let numbers: Vec<usize> = numbers.into_iter().collect();
        if numbers.len() < 2 {
            let prefix = state.full_key(prefix);
            let why = format!("{prefix}* are not two linear layers or more");
            return Err(ConvertError::Unsupported(why));
        }
        if let Some(pair) = numbers.windows(2).find(|pair| pair[1] == pair[0] + 1) {
            let (first, second) = (pair[0], pair[1]);
            let prefix = state.full_key(prefix);
            return Err(ConvertError::Unsupported(format!(
                "{prefix}{first} and {prefix}{second} have no activation between: only linear layers with activations \
                 are read, no normalization"
            )));
        }
        let biased = state.keys(prefix).any(|key| key.ends_with(".bias"));
        let (mut layers, mut inputs) = (Vec::new(), inputs);
        for number in &numbers {
            let key = format!("{prefix}{number}");
            let layer = match biased {
                true => Dense::take(state, &key, inputs)?,
                false => Dense::take_unbiased(state, &key, inputs)?,
            };
            inputs = layer.as_ref().map(|layer| layer.outputs);
            layers.extend(layer);
        }
        let whole = layers.len() == numbers.len();
        Ok(whole.then_some(Self { layers, numbers }))
    }

    /// Whether more than one item without tensors is between two layers, but for the last two.
    pub(in crate::convert) fn has_gaps(&self) -> bool {
        let inner = &self.numbers[..self.numbers.len().saturating_sub(1)];
        inner.windows(2).any(|pair| pair[1] > pair[0] + 2)
    }

    /// Whether more than one item without tensors is before the last layer.
    pub(in crate::convert) fn has_gap_before_last(&self) -> bool {
        let last = self.numbers.windows(2).last();
        last.is_some_and(|pair| pair[1] > pair[0] + 2)
    }
}
