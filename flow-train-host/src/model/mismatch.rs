//! What sets some tensors apart from those of an architecture: all of it at once.
//!
//! Whoever brings a model of foreign making has usually got one thing wrong in many tensors. One name an attempt would
//! be a long evening; all of them, on one line, show what they have in common.

use super::Tensor;
use super::tensors::TensorSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Names that a message lists; of the others it says how many they are.
const MOST_NAMES: usize = 6;

/// Tensors that are not those which a spec asks for; not all lists are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorMismatch {
    /// Asked for and not there.
    pub missing: Vec<String>,
    /// There and not asked for.
    pub unexpected: Vec<String>,
    /// Of another shape.
    pub wrong_shape: Vec<WrongShape>,
}

/// A tensor of another shape than the one asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongShape {
    /// Its name.
    pub name: String,
    /// The shape that the spec asks for.
    pub wanted: Vec<usize>,
    /// The shape that is there.
    pub found: Vec<usize>,
}

impl TensorMismatch {
    /// Compares tensors with those that are wanted.
    ///
    /// # Errors
    /// Everything that does not fit.
    pub(super) fn between(
        wanted: &[TensorSpec],
        found: &BTreeMap<String, Tensor>,
    ) -> Result<(), Self> {
        let mut mismatch = Self::default();
        for TensorSpec { name, shape } in wanted {
            let Some(tensor) = found.get(name) else {
                mismatch.missing.push(name.clone());
                continue;
            };
            let len: usize = shape.iter().product();
            if tensor.shape != *shape || tensor.values.len() != len {
                mismatch.wrong_shape.push(WrongShape {
                    name: name.clone(),
                    wanted: shape.clone(),
                    found: tensor.shape.clone(),
                });
            }
        }
        let known: BTreeSet<_> = wanted.iter().map(|w| &w.name).collect();
        let unexpected = found.keys().filter(|name| !known.contains(name));
        mismatch.unexpected = unexpected.cloned().collect();
        match mismatch == Self::default() {
            true => Ok(()),
            false => Err(mismatch),
        }
    }
}

impl fmt::Display for TensorMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shaped = self.wrong_shape.iter().map(|m| {
            let WrongShape {
                name,
                wanted,
                found,
            } = m;
            format!("{name} {found:?} for {wanted:?}")
        });
        let parts = [
            list("missing", self.missing.iter().cloned()),
            list("not of this architecture", self.unexpected.iter().cloned()),
            list("of another shape", shaped),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        write!(f, "tensors {}", parts.join("; "))
    }
}

fn list(what: &str, names: impl ExactSizeIterator<Item = String>) -> Option<String> {
    let count = names.len();
    let mut shown: Vec<String> = names.take(MOST_NAMES).collect();
    if count > MOST_NAMES {
        shown.push(format!("and {} more", count - MOST_NAMES));
    }
    (count > 0).then(|| format!("{what}: {}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str]) -> Vec<TensorSpec> {
        let tensor = |name: &&str| TensorSpec {
            name: (*name).to_owned(),
            shape: vec![2, 1],
        };
        names.iter().map(tensor).collect()
    }

    fn found(names: &[&str], shape: &[usize]) -> BTreeMap<String, Tensor> {
        let tensor = Tensor {
            shape: shape.to_vec(),
            values: vec![0.0; shape.iter().product()],
        };
        let named = names
            .iter()
            .map(|name| ((*name).to_owned(), tensor.clone()));
        named.collect()
    }

    #[test]
    fn everything_is_told_on_one_line() {
        let mut there = found(&["b", "x"], &[2, 1]);
        there.extend(found(&["c"], &[1, 2]));
        let mismatch = TensorMismatch::between(&wanted(&["a", "b", "c"]), &there).unwrap_err();
        assert_eq!(
            mismatch.to_string(),
            "tensors missing: a; not of this architecture: x; of another shape: c [1, 2] for [2, 1]"
        );
        assert_eq!(
            TensorMismatch::between(&wanted(&["b", "x"]), &found(&["b", "x"], &[2, 1])),
            Ok(())
        );
    }

    #[test]
    fn long_lists_are_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mismatch = TensorMismatch::between(&wanted(&names), &BTreeMap::new()).unwrap_err();
        let text = "tensors missing: a, b, c, d, e, f, and 2 more";
        assert_eq!(mismatch.to_string(), text);
    }

    #[test]
    fn as_many_values_as_the_shape_says() {
        let mut there = found(&["a"], &[2, 1]);
        there.get_mut("a").unwrap().values.pop();
        let mismatch = TensorMismatch::between(&wanted(&["a"]), &there).unwrap_err();
        assert_eq!(mismatch.wrong_shape.len(), 1);
    }
}
