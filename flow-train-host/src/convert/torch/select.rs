//! Which of the dictionaries in a checkpoint is the state dict.
//!
//! A dictionary that holds tensors under keys of text is a candidate; there may be one alone (the usual case, however
//! it is nested), or several, of which one has a name that is usual for a model. All else is left unread.

use super::listed;
use crate::convert::ConvertError;
use crate::convert::pickle::{Global, Pickle, Value, ValueId};
use crate::convert::text::one_line;
use std::collections::BTreeSet;

/// Names of models and of averages of them, of which only one may be there.
const USUAL: [&str; 20] = [
    "net",
    "state_dict",
    "model",
    "model_state_dict",
    "model_state",
    "model_dict",
    "flow",
    "flow_state_dict",
    "module",
    "network",
    "network_state_dict",
    "weights",
    "params",
    "ema",
    "ema_state_dict",
    "model_ema",
    "ema_model",
    "state_dict_ema",
    "net_ema",
    "swa",
];
/// Deepest nesting that is searched.
const MAX_DEPTH: usize = 5;

type Items = [(ValueId, ValueId)];

/// The dictionary of tensors.
pub(super) struct Selected<'p> {
    /// The keys that lead to it, joined by dots.
    pub(super) path: String,
    pub(super) items: &'p Items,
    /// What lies beside it, as lines of a report.
    pub(super) unread: Vec<String>,
}

/// Whether a value is a tensor.
pub(super) fn is_tensor(pickle: &Pickle<'_>, value: ValueId) -> bool {
    matches!(pickle.get(value), Value::Call(Global::RebuildTensor, _))
}

/// Finds the state dict, or takes the one that is told.
pub(super) fn state_dict<'p>(
    pickle: &'p Pickle<'_>,
    told: Option<&str>,
) -> Result<Selected<'p>, ConvertError> {
    let mut search = Search::new(pickle);
    search.visit(pickle.root_id(), "", 0)?;
    let Search { mut found, .. } = search;
    let place = |(path, _): &(String, &Items)| match path.as_str() {
        "" => "the outermost dictionary".to_owned(),
        path => format!("\"{}\"", one_line(path)),
    };
    let places = || found.iter().map(place).collect::<Vec<_>>().join(", ");
    let chosen = match told {
        Some(told) => found
            .iter()
            .position(|(path, _)| path == told)
            .ok_or_else(|| {
                let told = one_line(told);
                let why = match found.is_empty() {
                    true => format!("nothing under \"{told}\" holds tensors"),
                    false => format!("\"{told}\" holds no tensors; these do: {}", places()),
                };
                ConvertError::Contradiction(why)
            })?,
        None => match usual(&found) {
            Some(chosen) => chosen,
            None if found.is_empty() => return Err(nothing(pickle)),
            None => {
                let why = "several dictionaries hold tensors, --state-dict KEY says which";
                return Err(ConvertError::Ambiguous(format!("{why}: {}", places())));
            }
        },
    };
    let (path, items) = found.swap_remove(chosen);
    let mut unread = Vec::new();
    if !found.is_empty() {
        let others: Vec<String> = found.iter().map(place).collect();
        unread.push(format!(
            "other dictionaries with tensors, left unread: {}",
            others.join(", ")
        ));
    }
    let foreign: Vec<String> = pickle.foreign().map(|name| name.to_string()).collect();
    if !foreign.is_empty() {
        unread.push(format!(
            "made by Python, left unread and not run: {}",
            listed(&foreign)
        ));
    }
    Ok(Selected {
        path,
        items,
        unread,
    })
}

/// The only one, or the only one of a usual name.
fn usual(found: &[(String, &Items)]) -> Option<usize> {
    if let [_] = found {
        return Some(0);
    }
    let is_usual = |path: &str| {
        path.rsplit('.')
            .next()
            .is_some_and(|name| USUAL.contains(&name))
    };
    let mut usual = (0..found.len()).filter(|&k| is_usual(&found[k].0));
    usual.next().filter(|_| usual.next().is_none())
}

/// Why nothing was found.
fn nothing(pickle: &Pickle<'_>) -> ConvertError {
    match pickle.root() {
        Value::Foreign(name) => ConvertError::Foreign(name.to_string()),
        Value::Dict(items) => {
            let keys = items.iter().filter_map(|&(key, _)| pickle.text(key));
            let keys: Vec<String> = keys.map(str::to_owned).collect();
            let keys = listed(&keys);
            ConvertError::NoTensors(keys)
        }
        _ => ConvertError::NotAStateDict("the pickle holds no dictionary"),
    }
}

struct Search<'p, 'a> {
    pickle: &'p Pickle<'a>,
    seen: BTreeSet<ValueId>,
    found: Vec<(String, &'p Items)>,
}

impl<'p, 'a> Search<'p, 'a> {
    const fn new(pickle: &'p Pickle<'a>) -> Self {
        Self {
            pickle,
            seen: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    fn visit(&mut self, id: ValueId, path: &str, depth: usize) -> Result<(), ConvertError> {
        // Shared and circular values are looked at once.
        if depth > MAX_DEPTH || !self.seen.insert(id) {
            return Ok(());
        }
        let below = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        match self.pickle.get(id) {
            Value::Dict(items) => {
                let text = |key| self.pickle.text(key);
                let tensor = |&(key, value): &(ValueId, ValueId)| {
                    text(key).is_some() && is_tensor(self.pickle, value)
                };
                if items.iter().any(tensor) {
                    self.found.push((path.to_owned(), items));
                }
                let mut names = BTreeSet::new();
                for &(key, value) in items {
                    let Some(name) = self.pickle.text(key) else {
                        continue;
                    };
                    if self.is_container(value) {
                        if !names.insert(name) {
                            return Err(ConvertError::Duplicate(name.to_owned()));
                        }
                        self.visit(value, &below(name), depth + 1)?;
                    }
                }
            }
            Value::List(items) | Value::Tuple(items) => {
                for (k, &value) in items.iter().enumerate() {
                    if self.is_container(value) {
                        self.visit(value, &below(&k.to_string()), depth + 1)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn is_container(&self, id: ValueId) -> bool {
        let value = self.pickle.get(id);
        matches!(value, Value::Dict(_) | Value::List(_) | Value::Tuple(_))
    }
}
