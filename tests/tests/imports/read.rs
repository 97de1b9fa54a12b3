//! A crate's modules with what each imports, as its files say it.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, UseTree};

/// A path as it is written, and its line.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// A module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) children: BTreeMap<String, Module>,
    /// Paths that it mentions.
    pub(crate) written: Vec<Written>,
    /// Names that it imports, and what they stand for.
    pub(crate) names: BTreeMap<String, Vec<String>>,
    /// Modules of which it imports all names.
    pub(crate) globs: Vec<Vec<String>>,
    /// Names that it defines.
    pub(crate) defined: BTreeSet<String>,
    /// Modules of tests, which are left out.
    tests: BTreeSet<String>,
}

/// The crate whose sources lie in a folder.
pub(crate) fn folder(sources: &Path) -> Module {
    let root = ["lib.rs", "main.rs"].map(|name| sources.join(name));
    let root = root.iter().find(|path| path.exists());
    file(root.expect("a lib.rs or main.rs"), sources)
}

/// The module of this text.
pub(crate) fn text(file: &Path, text: &str) -> Module {
    let mut module = Module {
        file: file.into(),
        ..Module::default()
    };
    module.read(text);
    module
}

/// The module of a file, whose children lie in a folder, if there is one.
fn file(path: &Path, folder: &Path) -> Module {
    let mut module = text(path, &fs::read_to_string(path).expect("a source file"));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("UTF-8")
            .to_owned();
        if ["lib", "main", "mod", "bin"].contains(&name.as_str()) || module.tests.contains(&name) {
            continue;
        }
        let inner = path.join("mod.rs");
        let child = match path.extension() {
            Some(extension) if extension == "rs" => file(&path, &folder.join(&name)),
            _ if inner.exists() => file(&inner, &path),
            _ => continue,
        };
        module.children.insert(name, child);
    }
    module
}

impl Module {
    /// Takes in a text.
    pub(crate) fn read(&mut self, text: &str) {
        let parsed = syn::parse_file(text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", self.file.display()));
        self.visit_file(&parsed);
    }

    fn mention(&mut self, path: Vec<String>, line: usize) {
        self.written.push(Written { path, line });
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>, line: usize) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.import(&inner.tree, path, line);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone(), line);
                }
            }
            UseTree::Glob(_) => {
                self.mention(path.clone(), line);
                self.globs.push(path);
            }
            UseTree::Name(name) => self.bind(path, &name.ident.to_string(), None, line),
            UseTree::Rename(name) => {
                let local = name.rename.to_string();
                self.bind(path, &name.ident.to_string(), Some(local), line);
            }
        }
    }

    fn bind(&mut self, mut path: Vec<String>, name: &str, local: Option<String>, line: usize) {
        if name != "self" {
            path.push(name.into());
        }
        let local = local.or_else(|| path.last().cloned()).unwrap_or_default();
        self.mention(path.clone(), line);
        self.names.insert(local, path);
    }

    /// Paths among a macro's tokens: names joined by `::`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut line) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.mention(std::mem::take(&mut path), line);
                    }
                    colons = 0;
                    line = name.span().start().line;
                    path.push(name.to_string());
                }
                _ => self.mention(std::mem::take(&mut path), line),
            }
        }
        self.mention(path, line);
    }
}

fn of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.meta.require_list();
        attribute.path().is_ident("cfg")
            && condition.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if !of_tests(attributes(item)) {
            self.defined.extend(name(item));
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item {
            self.tests.insert(module.ident.to_string());
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let Some((_, items)) = &item.content else {
            return;
        };
        let mut module = Module {
            file: self.file.clone(),
            ..Module::default()
        };
        items.iter().for_each(|item| module.visit_item(item));
        self.children.insert(item.ident.to_string(), module);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let line = item.use_token.span.start().line;
        self.import(&item.tree, Vec::new(), line);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        let line = path
            .segments
            .first()
            .map_or(0, |segment| segment.ident.span().start().line);
        self.mention(names.collect(), line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        self.tokens(invoked.tokens.clone());
    }
}
