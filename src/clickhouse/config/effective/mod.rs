//! The configuration that a server makes of its files, without the server: merged, substitutions filled in (pure).
//!
//! Invariants: equal to what ClickHouse 25.8's own ConfigProcessor makes of the same files, or an error that says why not;
//! bounded in time and memory; no value leaves it in readable form but through [`Tree::whole`].

mod budget;
mod error;
mod files;
mod include;
mod keys;
mod merge;
mod note;
mod path;
#[cfg(test)]
mod tests;
mod tree;
mod write;
mod wrong;
mod xml;
mod yaml;
mod yaml_value;

use std::collections::BTreeMap;

pub use budget::TooMuch;
pub use error::{EffectiveError, ElementError, ReadError};
pub use files::is_part;
pub use include::Unknown;
pub use keys::Attributes;
pub use note::{Doubt, Note};
pub use tree::Tree;

use super::ConfigError;
use crate::secret::Secret;
use budget::Budget;
use include::Filler;
use note::Found;
use wrong::Wrong;

/// The file of substitutions that counts where no `include_from` names one.
const METRIKA: &str = "/etc/metrika.xml";

/// What a configuration is made of.
#[derive(Debug, Clone, Default)]
pub struct Sources<'a> {
    /// The path of the main file.
    pub main: &'a str,
    /// All files that there are, by path: those that are no part of it do not count.
    pub files: BTreeMap<&'a str, &'a Secret<bytes::Bytes>>,
    /// The server's environment, as far as it is known.
    pub environment: BTreeMap<String, Secret<String>>,
    /// What a variable or file that is not in here means.
    pub unknown: Unknown,
}

/// A whole configuration.
#[derive(Debug, Clone)]
pub struct Effective {
    /// All keys.
    pub tree: Tree,
    /// What it was made without.
    pub notes: Vec<Note>,
}

impl Sources<'_> {
    /// Merges the files and fills in the substitutions.
    ///
    /// # Errors
    /// Where the server refuses the files, or they are more than is read here; the error names the file.
    pub fn effective(&self) -> Result<Effective, EffectiveError> {
        let mut names = vec![self.main.to_owned()];
        let mut found = Vec::new();
        let mut budget = Budget::default();
        let mut tree =
            self.read(self.main, 0, &mut found)?.ok_or_else(|| EffectiveError::NoMain(self.main.to_owned()))?;
        for path in self.files.keys().filter(|path| is_part(self.main, path)) {
            names.push((*path).to_owned());
            let Some(with) = self.read(path, names.len() - 1, &mut found)? else { continue };
            if self.belongs(&tree, &with, path, &mut found, names.len() - 1)? {
                merge::merge(&mut tree, Tree::ROOT, &with, Tree::ROOT, &mut budget)
                    .map_err(|wrong| wrong.in_files(&names))?;
            }
        }
        let from = self.include_from(&mut tree, &mut names, &mut found, &mut budget)?;
        let notes = self.fill(&mut tree, from.as_ref(), &mut budget).map_err(|wrong| wrong.in_files(&names))?;
        budget::deep(tree.depth()).map_err(|much| Wrong::from(much).in_files(&names))?;
        found.extend(notes);
        let note = |Found { place, element, doubt }| Note {
            file: names.get(place.file).cloned().unwrap_or_default(),
            line: place.line,
            element,
            doubt,
        };
        Ok(Effective { tree, notes: found.into_iter().map(note).collect() })
    }

    fn read(&self, path: &str, number: usize, found: &mut Vec<Found>) -> Result<Option<Tree>, EffectiveError> {
        let Some(bytes) = self.files.get(path) else { return Ok(None) };
        let tree = files::read(path, bytes.expose(), number)
            .map_err(|source| EffectiveError::Read { file: path.to_owned(), source })?;
        let text = std::str::from_utf8(bytes.expose()).unwrap_or_default();
        let rooted = tree.elements(Tree::ROOT).find(|element| is_root(tree.name(*element)));
        if let Some(element) = rooted.filter(|_| files::is_yaml(path, text)) {
            let name = tree.name(element).to_owned();
            found.push(Found { place: tree.place(element), element: name.clone(), doubt: Doubt::RootInYaml(name) });
        }
        Ok(Some(tree))
    }

    /// Whether a file is a part of the configuration by its root; `yandex` is the root of versions before 21.10.
    fn belongs(
        &self,
        tree: &Tree,
        with: &Tree,
        path: &str,
        found: &mut Vec<Found>,
        number: usize,
    ) -> Result<bool, EffectiveError> {
        let (wanted, root) = (tree.name(Tree::ROOT), with.name(Tree::ROOT));
        if wanted == root || (is_root(wanted) && is_root(root)) {
            return Ok(true);
        }
        if is_root(wanted) {
            return Err(EffectiveError::Root {
                file: path.to_owned(),
                root: root.to_owned(),
                main: self.main.to_owned(),
                wanted: wanted.to_owned(),
            });
        }
        let place = tree::Place { file: number, line: with.place(Tree::ROOT).line };
        found.push(Found { place, element: root.to_owned(), doubt: Doubt::OtherRoot(root.to_owned()) });
        Ok(false)
    }

    /// The file of substitutions; the element that names it may itself come out of the environment.
    fn include_from(
        &self,
        tree: &mut Tree,
        names: &mut Vec<String>,
        found: &mut Vec<Found>,
        budget: &mut Budget,
    ) -> Result<Option<Tree>, EffectiveError> {
        let named = tree.elements(Tree::ROOT).find(|element| tree.name(*element) == "include_from");
        let path = match named {
            Some(element) => {
                let mut filler = self.filler(tree, None, budget);
                filler.fill(element, 2).map_err(|wrong| wrong.in_files(names))?;
                found.append(&mut filler.notes);
                tree.inner_text(element)
            }
            None if self.files.contains_key(METRIKA) => METRIKA.to_owned(),
            None => return Ok(None),
        };
        if path.is_empty() {
            return Ok(None);
        }
        names.push(path.clone());
        match (self.read(&path, names.len() - 1, found)?, self.unknown, named) {
            (Some(from), _, _) => Ok(Some(from)),
            (None, Unknown::Kept, Some(element)) => {
                let doubt = Doubt::NoIncludeFrom(path);
                found.push(Found { place: tree.place(element), element: "include_from".to_owned(), doubt });
                Ok(None)
            }
            (None, _, _) => Err(EffectiveError::NoIncludeFrom(path)),
        }
    }

    fn fill(&self, tree: &mut Tree, from: Option<&Tree>, budget: &mut Budget) -> Result<Vec<Found>, Wrong> {
        let mut filler = self.filler(tree, from, budget);
        filler.fill(Tree::ROOT, 1)?;
        Ok(filler.notes)
    }

    fn filler<'b>(&'b self, tree: &'b mut Tree, from: Option<&'b Tree>, budget: &'b mut Budget) -> Filler<'b> {
        let Self { environment, unknown, .. } = self;
        Filler { tree, from, environment, unknown: *unknown, budget, notes: Vec::new() }
    }
}

/// Reads one XML file by itself.
pub(super) fn read_xml(text: &str) -> Result<Tree, ConfigError> {
    let tree = xml::read(text, 0)?;
    let root = tree.name(Tree::ROOT);
    if is_root(root) { Ok(tree) } else { Err(ConfigError::Root(root.to_owned())) }
}

/// Reads one file as what its name says.
pub(super) fn read_file(path: &str, text: &str) -> Result<Tree, ConfigError> {
    if files::is_yaml(path, text) { Ok(yaml::read(text, 0)?) } else { read_xml(text) }
}

fn is_root(name: &str) -> bool {
    matches!(name, "clickhouse" | "yandex")
}
