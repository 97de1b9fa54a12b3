//! Keys as a library gives them, out of keys as they were saved: without what wrappers put before and between.

use super::ConvertError;
use super::text::one_line;
use super::torch::TensorView;
use super::weight_norm;
use std::collections::{BTreeMap, BTreeSet};

/// Put between the parts of a key by `torch.compile`, checkpointing and sharding, and by nothing else.
const WRAPPERS: [&str; 3] = [
    "_orig_mod.",
    "_checkpoint_wrapped_module.",
    "_fsdp_wrapped_module.",
];
/// Put before every key by `DataParallel`.
const PARALLEL: &str = "module.";
/// A counter of `torch.optim.swa_utils.AveragedModel`, beside the averaged model under `module.`.
const AVERAGED: &str = "n_averaged";

/// How a library's keys start.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    library: &'static str,
    starts: &'static [&'static str],
}

type Tensors<'a> = BTreeMap<String, TensorView<'a>>;

impl Root {
    /// Of no library: only what wrappers add is known.
    pub const ANY: Self = Self {
        library: "",
        starts: &[],
    };

    /// Keys of a library start with one of these.
    pub const fn of(library: &'static str, starts: &'static [&'static str]) -> Self {
        Self { library, starts }
    }

    fn begins(&self, key: &str) -> bool {
        self.starts.iter().any(|start| key.starts_with(start))
    }

    /// What is before the first start inside of a key.
    fn before<'k>(&self, key: &'k str) -> Option<&'k str> {
        let dots = key.match_indices('.').map(|(at, _)| at + 1);
        let place = dots.into_iter().find(|&at| self.begins(&key[at..]))?;
        Some(&key[..place])
    }
}

/// Without the wrappers' names, with weight norm's keys in one form.
pub(super) fn unwrapped(tensors: Tensors<'_>) -> Result<Tensors<'_>, ConvertError> {
    let mut named = BTreeMap::new();
    for (key, view) in tensors {
        let mut name = key;
        for wrapper in WRAPPERS {
            name = without(&name, wrapper);
        }
        name = weight_norm::first_form(&name).unwrap_or(name);
        if name.starts_with("parametrizations.") || name.contains(".parametrizations.") {
            let name = one_line(&name);
            return Err(ConvertError::Unsupported(format!(
                "{name}: of all parametrizations only weight norm is read; remove_parametrizations() before saving \
                 leaves the weight itself"
            )));
        }
        if named.contains_key(&name) {
            return Err(ConvertError::Duplicate(name));
        }
        named.insert(name, view);
    }
    Ok(named)
}

/// A key without a part of it, wherever that begins one.
fn without(key: &str, part: &str) -> String {
    let mut rest = key;
    let mut name = String::with_capacity(key.len());
    while !rest.is_empty() {
        match rest.strip_prefix(part) {
            Some(after) => rest = after,
            None => {
                let end = rest.find('.').map_or(rest.len(), |dot| dot + 1);
                name.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    name
}

/// Keys from a library's own root on, the prefix that was before them, and remarks.
pub(super) fn below_root<'a>(
    mut tensors: Tensors<'a>,
    root: Root,
    told: Option<&str>,
) -> Result<(String, Tensors<'a>, Vec<String>), ConvertError> {
    let mut remarks = Vec::new();
    let parallel = |key: &String| key == AVERAGED || key.starts_with(PARALLEL);
    if tensors.contains_key(AVERAGED) && tensors.keys().all(parallel) {
        tensors.remove(AVERAGED);
    }
    let mut prefix = String::new();
    if let Some(told) = told {
        let whole = tensors.len();
        tensors = cut(tensors, told);
        if tensors.is_empty() {
            let told = one_line(told);
            let why = format!("no key starts with the prefix \"{told}\"");
            return Err(ConvertError::Contradiction(why));
        }
        if tensors.len() < whole {
            let others = whole - tensors.len();
            remarks.push(format!("{others} tensors of other prefixes left unread"));
        }
        prefix.push_str(told);
    }
    let shared = shared(&tensors, root).to_owned();
    if !shared.is_empty() {
        tensors = cut(tensors, &shared);
        prefix.push_str(&shared);
        remarks.push(format!("every key starts with {}", one_line(&prefix)));
    }
    if !tensors.keys().any(|key| root.begins(key)) {
        refuse_others(&tensors, root)?;
    }
    Ok((prefix, tensors, remarks))
}

/// What is before the library's own names in all keys: the shortest prefix that all share, with such a name behind it.
/// Of no library, or where there is no such name, what `DataParallel` puts there.
fn shared<'k>(tensors: &'k Tensors<'_>, root: Root) -> &'k str {
    let Some(first) = tensors.keys().next() else {
        return "";
    };
    let dots = first.match_indices('.').map(|(at, _)| at + 1);
    let prefixes: Vec<&str> = std::iter::once(0)
        .chain(dots)
        .map(|end| &first[..end])
        .collect();
    let all = |prefix: &&&str| tensors.keys().all(|key| key.starts_with(**prefix));
    let shared: Vec<&str> = prefixes.iter().take_while(all).copied().collect();
    let begins = |prefix: &&&str| tensors.keys().any(|key| root.begins(&key[prefix.len()..]));
    let parallel = |prefix: &&&str| prefix.split_inclusive('.').all(|part| part == PARALLEL);
    let wrapper = || shared.iter().take_while(parallel).last();
    shared
        .iter()
        .find(begins)
        .or_else(wrapper)
        .copied()
        .unwrap_or("")
}

fn cut<'a>(tensors: Tensors<'a>, prefix: &str) -> Tensors<'a> {
    let below = tensors.into_iter().filter_map(|(key, view)| {
        let name = key.strip_prefix(prefix)?;
        Some((name.to_owned(), view))
    });
    below.collect()
}

/// Keys of the library that are there behind a prefix that not all keys have.
fn refuse_others(tensors: &Tensors<'_>, root: Root) -> Result<(), ConvertError> {
    let prefixes: BTreeSet<&str> = tensors.keys().filter_map(|key| root.before(key)).collect();
    if prefixes.is_empty() {
        return Ok(());
    }
    let library = root.library;
    let prefixes: Vec<String> = prefixes.into_iter().take(4).map(one_line).collect();
    let first = prefixes.first().cloned().unwrap_or_default();
    Err(ConvertError::Ambiguous(format!(
        "keys of {library} are there behind {}, but not all keys start so: --assume prefix={first} takes those alone",
        prefixes.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_cut_out_wherever_a_part_begins() {
        assert_eq!(without("_orig_mod.a.b", "_orig_mod."), "a.b");
        assert_eq!(without("a._orig_mod._orig_mod.b", "_orig_mod."), "a.b");
        assert_eq!(without("a.my_orig_mod.b", "_orig_mod."), "a.my_orig_mod.b");
    }

    #[test]
    fn a_root_is_found_where_a_part_begins() {
        let root = Root::of("x", &["flows.", "q0."]);
        assert_eq!(root.before("model.q0.loc"), Some("model."));
        assert_eq!(root.before("model.overflows.0"), None);
        assert!(root.begins("flows.0.s") && root.before("flows.0.s").is_none());
    }
}
