//! The keys of a tree, as people name them (pure).

use std::collections::BTreeMap;

use super::tree::{Kind, NodeId, Tree};
use crate::clickhouse::config::{ConfigKeys, Entry};

/// Elements that are lists by nature: each that holds others has its number, also where there is only one.
const LISTS: [&str; 4] = ["shard", "replica", "node", "server"];

/// Which attributes are keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attributes {
    /// All of them.
    All,
    /// Those that mean something once all files are merged: neither `replace` nor `remove`.
    Merged,
}

impl Tree {
    /// Lists the elements without child elements, and the attributes, in the order of the tree.
    #[must_use]
    pub fn keys(&self, attributes: Attributes) -> ConfigKeys {
        let mut entries = Vec::new();
        let mut left = self.places(Tree::ROOT, "", false);
        left.reverse();
        while let Some((element, path, hidden)) = left.pop() {
            for attribute in self.attributes(element) {
                let counts = attributes == Attributes::All || !matches!(attribute.name.as_str(), "replace" | "remove");
                if counts {
                    entries.push(Entry::new(format!("{path}/@{}", attribute.name), attribute.value.clone(), hidden));
                }
            }
            let mut inside = self.places(element, &path, hidden);
            if inside.is_empty() {
                let value = self.text(element);
                entries.push(Entry::new(path, value.trim().to_owned(), hidden || self.has_hidden_text(element)));
            }
            inside.reverse();
            left.append(&mut inside);
        }
        ConfigKeys { entries }
    }

    /// The child elements with their paths, and whether they are hidden as a whole.
    fn places(&self, element: NodeId, path: &str, hidden: bool) -> Vec<(NodeId, String, bool)> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for child in self.elements(element) {
            let name = self.name(child);
            let number = seen.entry(name).or_default();
            *number += 1;
            let slash = if path.is_empty() { "" } else { "/" };
            let listed = LISTS.contains(&name) && self.elements(child).next().is_some();
            let index = if *number > 1 || listed { format!("[{number}]") } else { String::new() };
            found.push((child, format!("{path}{slash}{name}{index}"), hidden || self.hides(child)));
        }
        found
    }

    /// The element's own texts.
    pub(super) fn text(&self, element: NodeId) -> String {
        let own = |child| match self.kind(child) {
            Kind::Text(text) | Kind::Cdata(text) => Some(text.as_str()),
            Kind::Element { .. } | Kind::Comment => None,
        };
        self.children(element).filter_map(own).collect()
    }

    /// Whether its text came out of the environment.
    pub(super) fn has_hidden_text(&self, element: NodeId) -> bool {
        self.children(element).any(|child| self.is_hidden(child))
    }

    /// Whether an element and all below it is not for people: somebody says so, or it came out of the environment.
    pub(super) fn hides(&self, element: NodeId) -> bool {
        self.is_hidden(element) || self.attribute(element, "hide_in_preprocessed").is_some_and(is_true)
    }
}

/// What Poco takes for true.
pub(super) fn is_true(text: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}
