//! The order of a crate's modules.

use crate::read::Module;
use crate::resolve::Arrow;

/// Imports that do not run from a layer to one below it, and modules that stand in none, a line each.
pub(crate) fn upward(root: &Module, arrows: &[Arrow], layers: &[&[&str]]) -> Vec<String> {
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let names = root.children.keys();
    let homeless = names.filter(|name| layer(name).is_none());
    let mut found: Vec<String> = homeless
        .map(|name| format!("{name} stands in no layer"))
        .collect();
    for arrow in arrows {
        let (Some(from), Some(to)) = (arrow.from.first(), arrow.to.first()) else {
            continue;
        };
        let up = match (layer(from), layer(to)) {
            (Some(above), Some(below)) => above >= below,
            _ => false,
        };
        if from != to && up {
            found.push(format!(
                "{from} -> {to} is no arrow downwards ({})",
                arrow.place
            ));
        }
    }
    found.sort();
    found.dedup();
    found
}
