//! From paths as they are written to the modules that define what they name.

use crate::read::Module;

/// That one module imports from another, both as their names from the crate's root.
#[derive(Debug)]
pub(crate) struct Arrow {
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
    /// File and line of the import.
    pub(crate) place: String,
}

/// More re-exports than these behind one name are a circle of their own.
const MOST_RE_EXPORTS: usize = 20;

/// All imports between modules of a crate.
pub(crate) fn arrows(root: &Module) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    collect(root, root, &[], &mut arrows);
    arrows
}

fn collect(root: &Module, module: &Module, from: &[String], arrows: &mut Vec<Arrow>) {
    for written in &module.written {
        let to = absolute(root, from, &written.path).map(|path| owner(root, &path, 0));
        if let Some(to) = to.filter(|to| to != from) {
            arrows.push(Arrow {
                from: from.into(),
                to,
                place: format!("{}:{}", module.file.display(), written.line),
            });
        }
    }
    for (name, child) in &module.children {
        let path = [from, std::slice::from_ref(name)].concat();
        collect(root, child, &path, arrows);
    }
}

/// The module at a path from the root.
fn at<'m>(root: &'m Module, path: &[String]) -> Option<&'m Module> {
    path.iter()
        .try_fold(root, |module, name| module.children.get(name))
}

/// A path that is written in a module, from the root; `None` where it leads into another crate.
fn absolute(root: &Module, module: &[String], written: &[String]) -> Option<Vec<String>> {
    let (first, rest) = written.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.into()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let (_, parent) = module.split_last()?;
            let next = rest.first().is_some_and(|name| name == "super");
            if next {
                absolute(root, parent, rest)
            } else {
                Some([parent, rest].concat())
            }
        }
        name => {
            let here = at(root, module)?;
            if here.children.contains_key(name) {
                return Some([module, written].concat());
            }
            let stands_for = here
                .names
                .get(name)
                .filter(|path| path.first() != Some(first))?;
            let path = absolute(root, module, stands_for)?;
            Some([&path, rest].concat())
        }
    }
}

/// The module that defines what a path from the root names.
fn owner(root: &Module, path: &[String], re_exports: usize) -> Vec<String> {
    let mut module = root;
    for (depth, name) in path.iter().enumerate() {
        let (here, rest) = path.split_at(depth);
        if let Some(child) = module.children.get(name) {
            module = child;
            continue;
        }
        if re_exports == MOST_RE_EXPORTS {
            return here.into();
        }
        let exported = module
            .names
            .get(name)
            .and_then(|path| absolute(root, here, path));
        if let Some(exported) = exported {
            return owner(root, &[&exported, &rest[1..]].concat(), re_exports + 1);
        }
        let mut globs = module
            .globs
            .iter()
            .filter_map(|path| absolute(root, here, path));
        let defines = |path: &Vec<String>| at(root, path).is_some_and(|m| m.defined.contains(name));
        return match globs.find(defines) {
            Some(path) if !module.defined.contains(name) => path,
            _ => here.into(),
        };
    }
    path.into()
}
