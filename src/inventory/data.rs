//! Data made of values that the operator wrote, printed as Python prints it (pure).
//!
//! `ansible-inventory` prints with Python's `json.dumps(indent=4, sort_keys=True)`: keys in order, four spaces, floats with
//! `e+16`. The YAML form quotes every text that YAML 1.1 would read as something else.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::node::{Node, NodeValue};
use super::{number, scalar};
use crate::secret::SecretRef;

/// A value to print: the operator's, or put together from them.
#[derive(Debug, Clone)]
pub enum Data<'a> {
    /// What the operator wrote.
    Node(&'a Node),
    /// A text.
    Text(String),
    /// A sequence.
    List(Vec<Data<'a>>),
    /// A mapping; it is printed in order of key.
    Map(BTreeMap<String, Data<'a>>),
}

impl Data<'_> {
    /// The JSON text, as Python's `json.dumps` writes it.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        json_data(&mut out, self, Untemplated::Bare, 0);
        out
    }

    /// The JSON text as a source of an inventory: what `!unsafe` keeps from being a template is marked so.
    #[must_use]
    pub fn source(&self) -> String {
        let mut out = String::new();
        json_data(&mut out, self, Untemplated::Marked, 0);
        out
    }

    /// The YAML text, ending with a newline.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut out = String::new();
        yaml(&mut out, &Shape::of(self, Untemplated::Bare), 0);
        if out.starts_with('\n') { out.split_off(1) + "\n" } else { out.trim_start().to_owned() + "\n" }
    }
}

impl<'a> From<BTreeMap<&str, Data<'a>>> for Data<'a> {
    fn from(entries: BTreeMap<&str, Data<'a>>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// One level of a value.
enum Shape<'a> {
    Plain(String),
    Text(String),
    List(Vec<Shape<'a>>),
    Map(BTreeMap<&'a str, Shape<'a>>),
    /// A vaulted text: Ansible's mapping in JSON, its tag in YAML.
    Vaulted(&'a str),
}

/// How a text is written that is no template.
#[derive(Clone, Copy)]
enum Untemplated {
    Bare,
    Marked,
}

impl<'a> Shape<'a> {
    fn of(data: &'a Data<'a>, form: Untemplated) -> Self {
        match data {
            Data::Node(node) => Self::of_node(node, form),
            Data::Text(text) => Self::Text(text.clone()),
            Data::List(items) => Self::List(items.iter().map(|item| Self::of(item, form)).collect()),
            Data::Map(entries) => {
                Self::Map(entries.iter().map(|(key, value)| (key.as_str(), Self::of(value, form))).collect())
            }
        }
    }

    fn of_node(node: &'a Node, form: Untemplated) -> Self {
        match &node.value {
            NodeValue::Null => Self::Plain("null".to_owned()),
            NodeValue::Bool(flag) => Self::Plain(flag.to_string()),
            NodeValue::Number(number) => Self::Plain(number::python(number)),
            NodeValue::Wide(number) => Self::Plain(number.clone()),
            NodeValue::Text(text) => Self::Text(text.clone()),
            NodeValue::Unsafe(text) => match form {
                Untemplated::Bare => Self::Text(text.clone()),
                Untemplated::Marked => Self::Map(BTreeMap::from([("__ansible_unsafe", Self::Text(text.clone()))])),
            },
            NodeValue::Secret(SecretRef::Vault(vaulted)) => vaulted
                .text()
                .map_or_else(|| Self::Text(format!("‹{}›", SecretRef::Vault(vaulted.clone()))), Self::Vaulted),
            NodeValue::Secret(secret) => Self::Map(BTreeMap::from([("from_secret", Self::Text(secret.to_string()))])),
            NodeValue::List(items) => Self::List(items.iter().map(|item| Self::of_node(item, form)).collect()),
            NodeValue::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.as_str(), Self::of_node(&entry.value, form)));
                Self::Map(entries.collect())
            }
        }
    }
}

/// One value after the other, so that a list of a thousand hosts is never in memory as shapes too.
fn json_data(out: &mut String, data: &Data<'_>, form: Untemplated, depth: usize) {
    match data {
        Data::Node(node) => json(out, &Shape::of_node(node, form), depth),
        Data::Text(text) => quoted(out, text),
        Data::List(items) => json_list(out, items, depth, |out, item| json_data(out, item, form, depth + 1)),
        Data::Map(entries) => json_map(out, entries, depth, |out, value| json_data(out, value, form, depth + 1)),
    }
}

fn json(out: &mut String, shape: &Shape<'_>, depth: usize) {
    match shape {
        Shape::Plain(text) => out.push_str(text),
        Shape::Text(text) => quoted(out, text),
        Shape::List(items) => json_list(out, items, depth, |out, item| json(out, item, depth + 1)),
        Shape::Map(entries) => json_map(out, entries, depth, |out, value| json(out, value, depth + 1)),
        Shape::Vaulted(text) => {
            json(out, &Shape::Map(BTreeMap::from([("__ansible_vault", Shape::Text((*text).to_owned()))])), depth);
        }
    }
}

fn json_list<T>(out: &mut String, items: &[T], depth: usize, write: impl Fn(&mut String, &T)) {
    if items.is_empty() {
        return out.push_str("[]");
    }
    for (position, item) in items.iter().enumerate() {
        out.push(if position > 0 { ',' } else { '[' });
        line(out, depth + 1);
        write(out, item);
    }
    line(out, depth);
    out.push(']');
}

fn json_map<K: AsRef<str>, T>(
    out: &mut String,
    entries: &BTreeMap<K, T>,
    depth: usize,
    write: impl Fn(&mut String, &T),
) {
    if entries.is_empty() {
        return out.push_str("{}");
    }
    for (position, (key, value)) in entries.iter().enumerate() {
        out.push(if position > 0 { ',' } else { '{' });
        line(out, depth + 1);
        quoted(out, key.as_ref());
        out.push_str(": ");
        write(out, value);
    }
    line(out, depth);
    out.push('}');
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("    "));
}

/// Characters that steer a terminal are escaped, also those that JSON allows as they are.
fn quoted(out: &mut String, text: &str) {
    // Most texts need no escapes.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in serde_json::Value::from(text).to_string().chars() {
        if c.is_control() {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// Writes a value behind its key or dash: a scalar on the same line, a collection on the next ones.
fn yaml(out: &mut String, shape: &Shape<'_>, depth: usize) {
    match shape {
        Shape::Plain(text) => {
            let _ = write!(out, " {}", in_yaml(text));
        }
        Shape::Text(text) => {
            out.push(' ');
            scalar_text(out, text);
        }
        Shape::List(items) if items.is_empty() => out.push_str(" []"),
        Shape::Map(entries) if entries.is_empty() => out.push_str(" {}"),
        Shape::List(items) => {
            for item in items {
                let _ = write!(out, "\n{:1$}-", "", depth * 2);
                yaml(out, item, depth + 1);
            }
        }
        Shape::Map(entries) => {
            for (key, value) in entries {
                let _ = write!(out, "\n{:1$}", "", depth * 2);
                scalar_text(out, key);
                out.push(':');
                yaml(out, value, depth + 1);
            }
        }
        Shape::Vaulted(text) => {
            out.push_str(" !vault |");
            for line in text.lines() {
                let _ = write!(out, "\n{:1$}{line}", "", depth.max(1) * 2);
            }
        }
    }
}

/// Plain where no reader of YAML takes it for anything but this text, else quoted.
fn scalar_text(out: &mut String, text: &str) {
    let first = |c: char| c.is_ascii_alphabetic() || "_./".contains(c);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_./-@+".contains(c);
    let same = matches!(scalar::plain(text), NodeValue::Text(plain) if plain == text);
    if text.starts_with(first) && text.chars().all(allowed) && same && !matches!(text, "y" | "Y" | "n" | "N" | ".") {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

/// A number as YAML 1.1 reads it: its floats have a point, and names of their own for what is not finite.
fn in_yaml(number: &str) -> String {
    match number {
        "Infinity" => ".inf".to_owned(),
        "-Infinity" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        _ if number.contains('e') && !number.contains('.') && number.ends_with(|c: char| c.is_ascii_digit()) => {
            number.replacen('e', ".0e", 1)
        }
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_quotes_what_would_be_read_as_something_else() {
        let shown = |text: &str| {
            let mut out = String::new();
            scalar_text(&mut out, text);
            out
        };
        for text in ["yes", "0644", "1:30", "2026-01-02", "", "a: b", "- a", "n", "null", "1e5", "#", "{", "ä"] {
            assert_eq!(shown(text), format!("{text:?}"));
        }
        for text in ["data-1", "/var/lib", "a@b", "true-ish", "a1"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn collections_are_nested() {
        let text = |text: &str| Data::Text(text.to_owned());
        let data = Data::Map(BTreeMap::from([
            ("a".to_owned(), Data::List(vec![text("x"), Data::Map(BTreeMap::from([("k".to_owned(), text("1"))]))])),
            ("b".to_owned(), Data::Map(BTreeMap::new())),
        ]));
        assert_eq!(data.yaml(), "a:\n  - x\n  -\n    k: \"1\"\nb: {}\n");
        assert_eq!(
            data.json(),
            "{\n    \"a\": [\n        \"x\",\n        {\n            \"k\": \"1\"\n        }\n    ],\n    \"b\": {}\n}"
        );
    }
}
