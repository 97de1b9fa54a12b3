//! Arrows between modules run one way: no circle among neighbours, nothing imports what stands above it.
//!
//! Neighbours are the modules of one parent; what a file imports counts for every module that it lies in. Imports are
//! `use` items and paths written out, followed through re-exports to the module that defines the name. Items of
//! `#[cfg(test)]` may import anything.

mod circles;
mod layers;
mod read;
mod resolve;

use read::Module;
use std::path::Path;

/// A crate whose imports are checked.
struct Checked {
    /// Folder of its sources, from the root of the repository.
    sources: &'static str,
    /// Its modules from top to bottom: each imports only from lines below its own. Empty where any order without a
    /// circle will do.
    layers: &'static [&'static [&'static str]],
}

const CRATES: &[Checked] = &[
    Checked {
        sources: "flow-infer/src",
        layers: &[
            &["interface"],
            &["detector", "kernel_trials"],
            &["scoring"],
            &["drift", "engine"],
            &["artifact", "kernels"],
            &["front_end", "gate"],
            &["score"],
            &["plan"],
            &["spec", "bytes", "wide"],
        ],
    },
    Checked {
        sources: "flow-train-host/src",
        layers: &[],
    },
    Checked {
        sources: "tools/src",
        layers: &[],
    },
    Checked {
        sources: "reference/src",
        layers: &[],
    },
    Checked {
        sources: "tests/src",
        layers: &[],
    },
    Checked {
        sources: "xtask/src",
        layers: &[],
    },
    Checked {
        sources: "firmware/app/src",
        layers: &[],
    },
    Checked {
        sources: "firmware/emulated/src",
        layers: &[],
    },
];

/// What is wrong with a crate's imports, a line each.
fn complaints(root: &Module, layers: &[&[&str]]) -> Vec<String> {
    let arrows = resolve::arrows(root);
    let mut found = circles::circles(&arrows);
    if !layers.is_empty() {
        found.extend(layers::upward(root, &arrows, layers));
    }
    found
}

#[test]
fn imports_run_one_way() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for checked in CRATES {
        let root = read::folder(&repository.join(checked.sources));
        assert!(
            !root.children.is_empty(),
            "no module in {}",
            checked.sources
        );
        let complaints = complaints(&root, checked.layers);
        let list = complaints.join("\n");
        assert!(complaints.is_empty(), "{}:\n{list}", checked.sources);
    }
}

/// A crate of these modules, each with its text.
fn sources(modules: &[(&str, &str)]) -> Module {
    let mut root = Module::default();
    for (name, text) in modules {
        root.children
            .insert((*name).into(), read::text(Path::new(name), text));
    }
    root
}

const LAYERS: &[&[&str]] = &[&["top"], &["bottom", "other"]];

#[test]
fn a_downward_import_is_allowed() {
    let root = sources(&[
        ("top", "use crate::bottom::Thing; use crate::other;"),
        (
            "bottom",
            "pub struct Thing; #[cfg(test)] mod tests { use crate::top; }",
        ),
        ("other", ""),
    ]);
    assert_eq!(complaints(&root, LAYERS), Vec::<String>::new());
}

#[test]
fn an_upward_import_is_found_wherever_it_stands() {
    for import in [
        "use crate::top::Thing;",
        "use super::top;",
        "use super::{top::{self, Thing}};",
        "fn f() { let x = crate::top::thing(); }",
        "fn f(x: crate::top::Thing) {}",
        "fn f() { use crate::top as renamed; }",
        "fn f() { assert_eq!(crate::top::thing(), 1); }",
        "mod inner { use super::super::top::Thing; }",
        "#[cfg(feature = \"std\")] impl crate::top::Trait for X {}",
    ] {
        let root = sources(&[("top", ""), ("bottom", import), ("other", "")]);
        let found = complaints(&root, LAYERS);
        assert!(
            found.len() == 1 && found[0].contains("bottom -> top"),
            "{import}: {found:?}"
        );
    }
}

#[test]
fn neighbours_must_not_import_each_other_within_a_layer() {
    let root = sources(&[
        ("top", ""),
        ("bottom", "use crate::other::X;"),
        ("other", "pub struct X;"),
    ]);
    assert_eq!(complaints(&root, LAYERS).len(), 1);
}

#[test]
fn a_module_without_a_layer_is_named() {
    let root = sources(&[("top", ""), ("bottom", ""), ("other", ""), ("new", "")]);
    assert_eq!(complaints(&root, LAYERS), ["new stands in no layer"]);
}

#[test]
fn circles_are_found_through_re_exports_and_between_inner_modules() {
    let direct = sources(&[("a", "use crate::b::X;"), ("b", "use crate::a::Y;")]);
    assert_eq!(complaints(&direct, &[]).len(), 1);

    let long = sources(&[
        ("a", "use crate::b;"),
        ("b", "use crate::c;"),
        ("c", "fn f() { crate::a::f() }"),
    ]);
    assert_eq!(complaints(&long, &[]).len(), 1);

    let mut exported = sources(&[
        ("a", "use crate::Y;"),
        ("b", "use crate::a::X; pub struct Y;"),
    ]);
    exported.read("pub use b::Y;");
    assert_eq!(complaints(&exported, &[]).len(), 1);

    let inner = sources(&[(
        "a",
        "mod x { use super::y::Y; pub struct X; } mod y { use super::x::X; pub struct Y; }",
    )]);
    assert_eq!(complaints(&inner, &[]).len(), 1);

    let none = sources(&[
        ("a", "use crate::b::X; pub struct Y;"),
        ("b", "pub struct X;"),
    ]);
    assert_eq!(complaints(&none, &[]), Vec::<String>::new());
}
