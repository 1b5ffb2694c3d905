//! Mappings: keys, which are texts or become them, keys that stand twice, and `<<` (pure).

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_saphyr::granit_parser::{Event, ScalarStyle, Span as Place};

use super::{Built, Reader, Stop};
use crate::inventory::data::Data;
use crate::inventory::node::{Entry, Node, NodeValue};
use crate::problem::{Problem, Span};

/// Entries by key; one that comes again keeps its place and takes the new value, as in Python.
type Merged = IndexMap<String, Entry>;

/// What stands before the `:`.
enum Key {
    Value(Node),
    /// `<<`, unquoted.
    Merge,
}

impl<'a> Reader<'a> {
    pub(super) fn map(&mut self, mut span: Span, depth: usize) -> Result<Built, Stop> {
        let (mut entries, mut merged, mut size, mut height) = (Vec::new(), Merged::new(), 1, 1);
        let mut unread = false;
        while let Some(key) = self.next_key(&mut span, depth)? {
            let (event, at) = self.next()?;
            let value = self.node(event, &at, depth + 1)?;
            size += value.size + 1;
            height = height.max(value.height + 1);
            match key {
                Key::Merge => self.merge(value.node, &mut merged),
                Key::Value(key) => {
                    let key_span = key.span.clone();
                    match self.key(&key) {
                        Some(key) => entries.push(Entry { key, key_span, value: value.node }),
                        None => unread = true,
                    }
                }
            }
        }
        // What it is would only be guessed, and found to have the wrong type.
        if unread && entries.is_empty() {
            return Ok(Built { node: Node { span, value: NodeValue::Null }, size, height });
        }
        let entries = self.unique(entries, merged);
        Ok(Built { node: Node { span, value: NodeValue::Map(entries) }, size, height })
    }

    /// `!!set`: a mapping without values, which is a list.
    pub(super) fn set(&mut self, mut span: Span, depth: usize) -> Result<Built, Stop> {
        let (mut seen, mut items, mut size) = (HashSet::new(), Vec::new(), 1);
        while let Some(key) = self.next_key(&mut span, depth)? {
            let (event, at) = self.next()?;
            size += self.node(event, &at, depth + 1)?.size;
            if let Key::Value(key) = key
                && let Some(name) = self.key(&key)
                && seen.insert(name)
            {
                size += 1;
                items.push(key);
            }
        }
        Ok(Built { node: Node { span, value: NodeValue::List(items) }, size, height: 2 })
    }

    /// The next key, or nothing at the end of the mapping.
    fn next_key(&mut self, span: &mut Span, depth: usize) -> Result<Option<Key>, Stop> {
        let (event, at): (Event<'a>, Place) = self.next()?;
        if event == Event::MappingEnd {
            span.range.end = self.span(&at).range.end.max(span.range.end);
            return Ok(None);
        }
        Ok(Some(match &event {
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<" => Key::Merge,
            // As a value PyYAML refuses it.
            Event::Scalar(text, ScalarStyle::Plain, 0, None) if text == "=" => {
                Key::Value(Node { span: self.span(&at), value: NodeValue::Text("=".to_owned()) })
            }
            _ => Key::Value(self.node(event, &at, depth + 1)?.node),
        }))
    }

    /// A number, boolean or null as a key is its JSON text, as when Ansible prints it.
    fn key(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            NodeValue::Text(text) | NodeValue::Unsafe(text) => Some(text.clone()),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Wide(_) => {
                Some(Data::Node(node).json())
            }
            _ => {
                let mut problem = Problem::new("HW0104", "a key must be a plain value").at(&node.span);
                let before = self.source.text.get(..node.span.range.start).unwrap_or_default();
                if before.ends_with('{') && matches!(node.value, NodeValue::Map(_)) {
                    problem.message = "to YAML `{{` is a mapping in a mapping".to_owned();
                    problem.hint = Some("put the whole value into quotes: `\"{{ ... }}\"`".to_owned());
                }
                self.problems.push(problem);
                None
            }
        }
    }

    /// Of a list the earlier mappings win; of two `<<` in one mapping the later.
    fn merge(&mut self, node: Node, merged: &mut Merged) {
        match node.value {
            NodeValue::Map(entries) => {
                merged.extend(entries.into_iter().map(|entry| (entry.key.clone(), entry)));
            }
            NodeValue::List(items) if items.iter().all(|item| item.entries().is_some()) => {
                items.into_iter().rev().for_each(|item| self.merge(item, merged));
            }
            _ => {
                self.problems.push(Problem::new("HW0104", "`<<` takes a mapping or a list of mappings").at(&node.span));
            }
        }
    }

    /// Refuses a key that stands twice; merged entries come first and give way to the mapping's own.
    fn unique(&mut self, entries: Vec<Entry>, mut merged: Merged) -> Vec<Entry> {
        let mut seen = HashSet::new();
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            if seen.insert(entry.key.clone()) {
                kept.push(entry);
            } else if self.problems.len() <= self.enough {
                let message = format!("the key `{}` stands twice in this mapping", entry.key);
                self.problems.push(Problem::new("HW0105", message).at(&entry.key_span).hint("remove one of the two"));
            }
        }
        if merged.is_empty() {
            return kept;
        }
        merged.extend(kept.into_iter().map(|entry| (entry.key.clone(), entry)));
        merged.into_values().collect()
    }
}
