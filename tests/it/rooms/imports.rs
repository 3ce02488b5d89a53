//! Which file of a package imports which, read from its sources.
//!
//! An edge goes to the file that defines the item, through every re-export. A `use` makes an edge, and so does a path in
//! code, also inside a macro; the `mod` line of a parent does not. A path that leads to no file of the package leads to
//! another package.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Item, UseTree};

/// The first part of a path that begins with `::` and so leads to another package.
const OUTSIDE: &str = "::";

/// The names of a module, from the root of its package.
type ModulePath = Vec<String>;

/// What a name in a module refers to.
#[derive(Debug, Clone)]
enum Meaning {
    /// A module.
    Module(ModulePath),
    /// An item that is defined in the module's own file.
    Item,
    /// Something that the module imports by this path.
    Import(Vec<String>),
}

#[derive(Debug, Default)]
struct Module {
    file: String,
    names: BTreeMap<String, Meaning>,
    /// Paths of glob imports.
    globs: Vec<Vec<String>>,
    /// Every path in the module's code, in a `use` or not.
    paths: BTreeSet<Vec<String>>,
}

/// The modules of a library or a program.
#[derive(Debug, Default)]
struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

/// Which file imports which.
#[derive(Debug, Default)]
pub(super) struct Imports {
    edges: BTreeSet<(String, String)>,
    outside: BTreeSet<(String, String)>,
}

impl Imports {
    /// Reads the sources of a package, by their paths below `src`. Its library and its program are two crates.
    pub(super) fn read(sources: &BTreeMap<String, String>) -> Imports {
        let mut imports = Imports::default();
        for root in ["lib.rs", "main.rs"] {
            if let Some(text) = sources.get(root) {
                let mut read = Crate::default();
                read.add_file(sources, Vec::new(), root, text);
                read.import(&mut imports);
            }
        }
        imports
    }
}

impl Crate {
    fn add_file(&mut self, sources: &BTreeMap<String, String>, at: ModulePath, file: &str, text: &str) {
        let items = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")).items;
        self.add(sources, at, file, items);
    }

    fn add(&mut self, sources: &BTreeMap<String, String>, at: ModulePath, file: &str, items: Vec<Item>) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            match item {
                Item::Mod(inner) => {
                    let path = [at.clone(), vec![inner.ident.to_string()]].concat();
                    module.names.insert(inner.ident.to_string(), Meaning::Module(path.clone()));
                    let other = format!("{}.rs", path.join("/"));
                    match (inner.content, sources.get(&other)) {
                        (Some((_, items)), _) => self.add(sources, path, file, items),
                        (None, Some(text)) => self.add_file(sources, path, &other, text),
                        (None, None) => panic!("{file} declares {other}, which does not exist"),
                    }
                }
                Item::Use(item) => {
                    let outside = item.leading_colon.map(|_| OUTSIDE.to_owned());
                    let mut leaves = Vec::new();
                    flatten(&item.tree, &mut outside.into_iter().collect(), &mut leaves);
                    for (name, path) in leaves {
                        match name {
                            Some(name) => drop(module.names.insert(name, Meaning::Import(path.clone()))),
                            None => module.globs.push(path.clone()),
                        }
                        module.paths.insert(path);
                    }
                }
                other => {
                    if let Some(name) = name_of(&other) {
                        module.names.insert(name, Meaning::Item);
                    }
                    collect_paths(other.to_token_stream(), &mut module.paths);
                }
            }
        }
        self.modules.insert(at, module);
    }

    fn import(&self, imports: &mut Imports) {
        for (at, module) in &self.modules {
            for path in &module.paths {
                match self.file_of(at, path, 0) {
                    Some(file) if file != module.file => {
                        imports.edges.insert((module.file.clone(), file));
                    }
                    Some(_) => {}
                    None => {
                        let package = path.iter().find(|name| *name != OUTSIDE);
                        imports.outside.extend(package.map(|name| (module.file.clone(), name.clone())));
                    }
                }
            }
        }
    }

    /// The file that defines the item at a path in a module; `None` if another package defines it.
    fn file_of(&self, at: &ModulePath, path: &[String], depth: usize) -> Option<String> {
        // A circle of re-exports defines nothing; rustc refuses it.
        if depth > 16 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let module = match first.as_str() {
            "crate" => Some(Vec::new()),
            "self" => Some(at.clone()),
            "super" => Some(at[..at.len().checked_sub(1)?].to_vec()),
            _ => None,
        };
        if let Some(module) = module {
            return match rest {
                [] => Some(self.modules.get(&module)?.file.clone()),
                _ => self.file_of(&module, rest, depth + 1),
            };
        }
        let found = self.modules.get(at)?;
        match found.names.get(first) {
            Some(Meaning::Item) => Some(found.file.clone()),
            Some(Meaning::Module(inner)) if rest.is_empty() => Some(self.modules.get(inner)?.file.clone()),
            Some(Meaning::Module(inner)) => self.file_of(inner, rest, depth + 1),
            // An import by its own name, as in `use anyhow;`, leads to another package.
            Some(Meaning::Import(import)) if import.as_slice() == path => None,
            Some(Meaning::Import(import)) => self.file_of(at, &[import.as_slice(), rest].concat(), depth + 1),
            None => found
                .globs
                .iter()
                .find_map(|glob| self.file_of(at, &[glob.as_slice(), path].concat(), depth + 1)),
        }
    }
}

impl Imports {
    /// Pairs of files: one that imports, and one that it imports from.
    pub(super) fn edges(&self) -> &BTreeSet<(String, String)> {
        &self.edges
    }

    /// Pairs of a file and the first name of a path that leads out of the package.
    pub(super) fn outside(&self) -> &BTreeSet<(String, String)> {
        &self.outside
    }

    /// Files that import each other in a circle, if there are any; the first one is in the list twice.
    pub(super) fn circle(&self) -> Option<Vec<String>> {
        let (mut done, mut way) = (BTreeSet::new(), Vec::new());
        self.edges.iter().find_map(|(from, _)| self.circle_from(from, &mut done, &mut way))
    }

    fn circle_from<'i>(
        &'i self,
        file: &'i str,
        done: &mut BTreeSet<&'i str>,
        way: &mut Vec<&'i str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = way.iter().position(|other| *other == file) {
            return Some(way[start..].iter().chain([&file]).map(|&file| file.to_owned()).collect());
        }
        if !done.insert(file) {
            return None;
        }
        way.push(file);
        let found = self
            .edges
            .iter()
            .filter(|(from, _)| from == file)
            .find_map(|(_, to)| self.circle_from(to, done, way));
        way.pop();
        found
    }
}

/// Collects the leaves of a `use`: the name that each one declares (`None` for a glob), and its path.
fn flatten(tree: &UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Option<String>, Vec<String>)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => leaves.push((before.last().cloned(), before.clone())),
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            leaves.push((Some(name.clone()), [before.as_slice(), &[name]].concat()));
        }
        UseTree::Rename(name) => {
            let path = [before.as_slice(), &[name.ident.to_string()]].concat();
            let path = if name.ident == "self" { before.clone() } else { path };
            leaves.push((Some(name.rename.to_string()), path));
        }
        UseTree::Glob(_) => leaves.push((None, before.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, leaves)),
    }
}

/// Collects the paths of two or more names in some code.
fn collect_paths(code: TokenStream, paths: &mut BTreeSet<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in code {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Ident(name) => {
                if colons != 2 {
                    add_path(&mut path, paths);
                } else if path.is_empty() {
                    path.push(OUTSIDE.to_owned());
                }
                path.push(name.to_string());
            }
            TokenTree::Group(group) => {
                add_path(&mut path, paths);
                collect_paths(group.stream(), paths);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => add_path(&mut path, paths),
        }
        colons = 0;
    }
    add_path(&mut path, paths);
}

fn add_path(path: &mut Vec<String>, paths: &mut BTreeSet<Vec<String>>) {
    let path = std::mem::take(path);
    if path.len() > 1 {
        paths.insert(path);
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        _ => return None,
    };
    Some(name.to_string())
}
