//! Substitutions: `incl`, `from_env`, `from_zk` and `<include>` in a merged configuration (pure).
//!
//! Source: `doIncludesRecursive` in
//! <https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/src/Common/Config/ConfigProcessor.cpp>. What Keeper holds
//! is not known: its elements stay as they are, with their `from_zk`.

use std::collections::BTreeMap;

use super::budget::{Budget, deep};
use super::error::ElementError;
use super::merge::{SUBSTITUTIONS, merge};
use super::note::{Doubt, Found};
use super::path;
use super::tree::{Copied, NodeId, Tree};
use super::wrong::Wrong;
use super::xml;
use crate::secret::Secret;

/// What is known of a variable or file that was not given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unknown {
    /// It is not there: the server's own answer.
    Absent,
    /// It may be there: its element stays as it is.
    #[default]
    Kept,
}

/// Fills a tree's substitutions.
pub(super) struct Filler<'a> {
    pub tree: &'a mut Tree,
    /// The file of `include_from`.
    pub from: Option<&'a Tree>,
    pub environment: &'a BTreeMap<String, Secret<String>>,
    pub unknown: Unknown,
    pub budget: &'a mut Budget,
    pub notes: Vec<Found>,
}

/// What a substitution gives.
enum Given<'a> {
    Node(&'a Tree, NodeId),
    Variable(Tree),
    Nothing(Doubt),
}

/// A substitution costs more than a node: of those in a circle there is no end.
const SUBSTITUTION: usize = 100;

impl<'a> Filler<'a> {
    /// Fills one element and all below it.
    pub(super) fn fill(&mut self, element: NodeId, depth: usize) -> Result<(), Wrong> {
        deep(depth)?;
        // An element may take from a place that takes again: each time costs a step.
        loop {
            self.budget.spend(1)?;
            if !self.fill_once(element)? {
                break;
            }
        }
        let mut next = self.tree.first_child(element);
        while let Some(child) = next {
            // Found before the child is filled, as in the server: what the child puts behind itself counts only where
            // something stood behind it.
            next = self.tree.next(child);
            if self.tree.is_element(child) {
                self.fill(child, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether something was put into the element.
    fn fill_once(&mut self, element: NodeId) -> Result<bool, Wrong> {
        let wrong = |filler: &Self, what| Err(Wrong::element(filler.tree, element, what));
        let has = |name: &str| self.tree.attribute(element, name).map(str::to_owned);
        let is_include = self.tree.name(element) == "include";
        let is_full = self.tree.first_child(element).is_some();
        let replaces = has("replace").is_some();
        let set: Vec<_> = SUBSTITUTIONS.into_iter().filter_map(|name| Some((name, has(name)?))).collect();
        let (kind, name) = match set.as_slice() {
            [] if is_include && is_full => return wrong(self, ElementError::NotEmpty),
            [] if is_include => return wrong(self, ElementError::NoSubstitution),
            [] => return Ok(false),
            [_, _, ..] => return wrong(self, ElementError::Substitutions),
            [_] if is_include && is_full => return wrong(self, ElementError::NotEmpty),
            [(kind, name)] => (*kind, name.as_str()),
        };
        if kind != "incl" && is_full && !replaces {
            return wrong(self, ElementError::Value);
        }
        self.budget.spend(SUBSTITUTION)?;
        let variable;
        let (from, node) = match self.given(element, kind, name)? {
            Some(Given::Node(from, node)) => (from, node),
            Some(Given::Variable(tree)) => {
                variable = tree;
                (&variable, Tree::ROOT)
            }
            Some(Given::Nothing(doubt)) => {
                self.missing(element, doubt);
                return Ok(false);
            }
            None => return Ok(false),
        };
        if is_include {
            self.paste(element, from, node)?;
        } else {
            self.put(element, from, node)?;
        }
        Ok(!is_include)
    }

    /// Nothing where it is not known what stands there.
    fn given(&mut self, element: NodeId, kind: &str, name: &str) -> Result<Option<Given<'a>>, Wrong> {
        if kind == "incl" {
            let nothing = Given::Nothing(Doubt::NoInclude(name.to_owned()));
            let Some(from) = self.from else { return Ok(Some(nothing)) };
            let path = path::parse(name).ok_or_else(|| Wrong::element(self.tree, element, ElementError::Path))?;
            let found = path::find(from, &path, self.budget)?;
            return Ok(Some(found.map_or(nothing, |node| Given::Node(from, node))));
        }
        if kind == "from_zk" {
            return Ok(None);
        }
        let Some(value) = self.environment.get(name) else {
            return Ok(Some(Given::Nothing(Doubt::NoVariable(name.to_owned()))));
        };
        // Not formatted into an error: the text is the variable's value.
        let text = format!("<from_env>{}</from_env>", value.expose());
        let mut tree = xml::read(&text, self.tree.place(element).file)
            .map_err(|_| Wrong::element(self.tree, element, ElementError::Variable))?;
        tree.hide_all();
        Ok(Some(Given::Variable(tree)))
    }

    fn missing(&mut self, element: NodeId, doubt: Doubt) {
        let (place, name) = (self.tree.place(element), self.tree.name(element).to_owned());
        self.notes.push(Found { place, element: name.clone(), doubt });
        if self.unknown == Unknown::Absent && (name == "include" || self.tree.attribute(element, "optional").is_some())
        {
            self.tree.detach(element);
        }
    }

    /// Puts a node's content and attributes into an element, behind what it has or in its place.
    fn put(&mut self, element: NodeId, from: &Tree, node: NodeId) -> Result<(), Wrong> {
        SUBSTITUTIONS.into_iter().for_each(|name| self.tree.remove_attribute(element, name));
        if self.tree.attribute(element, "replace").is_some() {
            while let Some(child) = self.tree.first_child(element) {
                self.tree.detach(child);
            }
            self.tree.remove_attribute(element, "replace");
        }
        for child in from.children(node) {
            self.tree.import(from, child, (element, None), Copied::AsItIs, self.budget)?;
        }
        for attribute in from.attributes(node) {
            self.tree.set_attribute(element, &attribute.name, &attribute.value);
        }
        Ok(())
    }

    /// Puts a node's content in the place of an `<include>`, or merges it into what is around.
    fn paste(&mut self, include: NodeId, from: &Tree, node: NodeId) -> Result<(), Wrong> {
        let merges = self.tree.attribute(include, "merge").is_some();
        let Some(parent) = self.tree.parent(include) else { return Ok(()) };
        for child in from.children(node) {
            if merges {
                // As often as there are children: the server does so, and a `remove` counts each time.
                merge(self.tree, parent, from, node, self.budget)?;
            } else {
                self.tree.import(from, child, (parent, Some(include)), Copied::AsItIs, self.budget)?;
            }
        }
        self.tree.detach(include);
        Ok(())
    }
}
