//! Reads a mapping with a fixed set of keys: every unknown, missing or mistyped key is a problem at its place (pure).

use std::fmt::Display;

use super::node::{Entry, Node, NodeValue};
use crate::problem::{Problem, Span, near_name};
use crate::secret::SecretRef;
use crate::vocabulary::{Need, Record};

/// The codes under which one kind of document reports its problems.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// A value of the wrong type.
    pub wrong: &'static str,
    /// A key that nobody reads.
    pub unknown: &'static str,
    /// A key that must be there.
    pub missing: &'static str,
}

/// The entries of one mapping while it is read.
#[derive(Debug)]
pub struct Fields<'a, 'p> {
    what: String,
    span: &'a Span,
    entries: &'a [Entry],
    codes: Codes,
    /// Where there is one, it said already which values have the wrong shape.
    record: Option<&'static Record>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// Opens a mapping and reports its unknown and missing keys, and the values that do not have their shape.
    pub fn of(
        node: &'a Node,
        what: impl Into<String>,
        record: &'static Record,
        codes: Codes,
        problems: &'p mut Vec<Problem>,
    ) -> Option<Self> {
        let known: Vec<&str> = record.names().collect();
        let mut fields = Self::open(node, what, &known, codes, problems)?;
        for key in record.keys {
            match fields.get(key.name) {
                Some(node) => {
                    for misfit in key.shape.misfits(node) {
                        let message = format!("`{}` of {}: {}", key.name, fields.what, misfit.why);
                        let mut problem = Problem::new(codes.wrong, message).at(&misfit.node.span);
                        problem.hint = misfit.hint;
                        fields.report(problem);
                    }
                }
                None if key.need == Need::Required && !fields.misspelt(key.name, &known) => {
                    let message = format!("{} lacks `{}`", fields.what, key.name);
                    let mut problem = Problem::new(codes.missing, message).at(fields.span);
                    problem.hint = key.advice();
                    fields.report(problem);
                }
                None => {}
            }
        }
        fields.record = Some(record);
        Some(fields)
    }

    /// Whether an unknown key is nearly this one: that is reported already, with this name as its advice.
    fn misspelt(&self, name: &str, known: &[&str]) -> bool {
        let mut unknown = self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str()));
        let advice = |entry: &Entry| near_name(&entry.key, known.iter().copied());
        unknown.any(|entry| advice(entry).is_some_and(|advice| near_name(&entry.key, [name]) == Some(advice)))
    }

    /// Opens a mapping and reports its unknown keys; `what` names it, such as "role `data`". Null is an empty mapping.
    pub fn open(
        node: &'a Node,
        what: impl Into<String>,
        known: &[&str],
        codes: Codes,
        problems: &'p mut Vec<Problem>,
    ) -> Option<Self> {
        let what = what.into();
        let entries = match &node.value {
            NodeValue::Map(entries) => entries.as_slice(),
            NodeValue::Null => &[],
            _ => {
                let message = format!("{what} must be a mapping, not {}", node.describe());
                problems.push(Problem::new(codes.wrong, message).at(&node.span));
                return None;
            }
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let mut problem = Problem::new(codes.unknown, format!("{what} has no key `{}`", entry.key));
            problem.hint = near_name(&entry.key, known.iter().copied())
                .or_else(|| Some(format!("its keys are {}", known.join(", "))));
            problems.push(problem.at(&entry.key_span));
        }
        Some(Self { what, span: &node.span, entries, codes, record: None, problems })
    }

    /// The value of a key; null counts as absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    /// Where the mapping is.
    #[must_use]
    pub fn span(&self) -> &'a Span {
        self.span
    }

    /// Adds a problem of a value's.
    pub fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The list that problems are added to.
    pub fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// The value of a key that must be there.
    pub fn required(&mut self, key: &str) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            let message = format!("{} lacks `{key}`", self.what);
            self.problems.push(Problem::new(self.codes.missing, message).at(self.span));
        }
        node
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        self.typed(key, node, "a text", Node::scalar_text)
    }

    /// A boolean.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        self.typed(key, node, "true or false", Node::flag)
    }

    /// A TCP port.
    pub fn port(&mut self, key: &str) -> Option<u16> {
        let node = self.get(key)?;
        self.typed(key, node, "a port from 1 to 65535", Node::port)
    }

    /// The items of a list; none where the key is absent.
    pub fn items(&mut self, key: &str) -> &'a [Node] {
        let Some(node) = self.get(key) else { return &[] };
        self.typed(key, node, "a list", Node::items).unwrap_or_default()
    }

    /// A text that becomes a value of another type.
    pub fn parsed<T, E: Display>(&mut self, key: &str, parse: impl FnOnce(String) -> Result<T, E>) -> Option<T> {
        let node = self.get(key)?;
        let text = self.text(key)?;
        let told =
            self.record.and_then(|record| record.key(key)).is_some_and(|key| !key.shape.misfits(node).is_empty());
        parse(text)
            .map_err(|error| {
                if !told {
                    self.wrong(key, node, &error.to_string());
                }
            })
            .ok()
    }

    /// A secret's reference, as text or as `{ from_secret: ... }`; a literal one is reported without being repeated.
    pub fn secret(&mut self, key: &str) -> Option<SecretRef> {
        let node = self.get(key)?;
        let secret = match &node.value {
            NodeValue::Secret(secret) => Some(secret.clone()),
            NodeValue::Text(text) => SecretRef::parse(text),
            _ => None,
        };
        if secret.is_none() {
            let message = format!(
                "`{key}` of {} takes `env:NAME`, `file:PATH` or `exec:COMMAND`, never the secret itself",
                self.what
            );
            self.problems.push(Problem::new("HW0108", message).at(&node.span).hides_value());
        }
        secret
    }

    /// Reports a value that is not what the key takes.
    pub fn wrong(&mut self, key: &str, node: &Node, why: &str) {
        let message = format!("`{key}` of {}: {why}", self.what);
        self.problems.push(Problem::new(self.codes.wrong, message).at(&node.span));
    }

    fn typed<T>(
        &mut self,
        key: &str,
        node: &'a Node,
        expected: &str,
        read: impl FnOnce(&'a Node) -> Option<T>,
    ) -> Option<T> {
        let value = read(node);
        if value.is_none() && self.record.is_none() {
            self.wrong(key, node, &format!("must be {expected}, not {}", node.describe()));
        }
        value
    }
}
