//! Circles among the modules of one parent.

use crate::resolve::Arrow;
use std::collections::{BTreeMap, BTreeSet};

/// For each parent: its children, what each imports from the others, and where.
type Neighbours<'a> = BTreeMap<&'a [String], BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>>;

/// The circles, a line each.
pub(crate) fn circles(arrows: &[Arrow]) -> Vec<String> {
    let mut found = Vec::new();
    for (parent, imports) in neighbours(arrows) {
        let parent = parent.join("::");
        let circles = of_parent(&imports).into_iter();
        found.extend(circles.map(|circle| format!("circle in crate::{parent}: {circle}")));
    }
    found
}

/// An arrow between two modules is one between the ancestors of both that are neighbours; none where one lies in the
/// other.
fn neighbours(arrows: &[Arrow]) -> Neighbours<'_> {
    let mut neighbours = Neighbours::new();
    for arrow in arrows {
        let shared = arrow
            .from
            .iter()
            .zip(&arrow.to)
            .take_while(|(a, b)| a == b)
            .count();
        if let (Some(from), Some(to)) = (arrow.from.get(shared), arrow.to.get(shared)) {
            let imports = neighbours.entry(&arrow.from[..shared]).or_default();
            imports
                .entry(from)
                .or_default()
                .entry(to)
                .or_insert(&arrow.place);
        }
    }
    neighbours
}

/// One circle for each group of modules that reach each other.
fn of_parent(imports: &BTreeMap<&str, BTreeMap<&str, &str>>) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for &start in imports.keys() {
        if told.contains(start) {
            continue;
        }
        if let Some(way) = way_back(imports, start) {
            let steps = way.iter().zip(way.iter().cycle().skip(1));
            let steps = steps.map(|(from, to)| format!("{from} -> {to} ({})", imports[from][to]));
            circles.push(steps.collect::<Vec<_>>().join(", "));
            told.extend(way);
        }
    }
    circles
}

/// The shortest way from a module back to it.
fn way_back<'a>(
    imports: &BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>,
    start: &'a str,
) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            for &to in imports.get(last).into_iter().flat_map(BTreeMap::keys) {
                if to == start {
                    return Some(way);
                }
                if seen.insert(to) {
                    longer.push([&way[..], &[to]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}
