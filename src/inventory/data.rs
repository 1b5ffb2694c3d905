//! Data made of values that the operator wrote, printed as Python prints it (pure).
//!
//! `ansible-inventory` prints with Python's `json.dumps(indent=4, sort_keys=True)`: keys in order, four spaces, floats with
//! `e+16`. The YAML form quotes every text that YAML 1.1 would read as something else.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Number;

use super::node::{Node, NodeValue};
use super::scalar;
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
        json(&mut out, &Shape::of(self), 0);
        out
    }

    /// The YAML text, ending with a newline.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut out = String::new();
        yaml(&mut out, &Shape::of(self), 0);
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
    /// An encrypted text, in the form in which Ansible reads it back.
    Vault(&'a str),
    List(Vec<Shape<'a>>),
    Map(BTreeMap<&'a str, Shape<'a>>),
}

impl<'a> Shape<'a> {
    fn of(data: &'a Data<'a>) -> Self {
        match data {
            Data::Node(node) => Self::of_node(node),
            Data::Text(text) => Self::Text(text.clone()),
            Data::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Data::Map(entries) => {
                Self::Map(entries.iter().map(|(key, value)| (key.as_str(), Self::of(value))).collect())
            }
        }
    }

    fn of_node(node: &'a Node) -> Self {
        match &node.value {
            NodeValue::Null => Self::Plain("null".to_owned()),
            NodeValue::Bool(flag) => Self::Plain(flag.to_string()),
            NodeValue::Number(number) => Self::Plain(python(number)),
            NodeValue::Wide(text) => Self::Plain(text.clone()),
            NodeValue::Text(text) => Self::Text(text.clone()),
            NodeValue::Secret(SecretRef::Vault(vaulted)) if vaulted.text().is_some() => {
                Self::Vault(vaulted.text().unwrap_or_default())
            }
            NodeValue::Secret(secret) => Self::Map(BTreeMap::from([("from_secret", Self::Text(secret.to_string()))])),
            NodeValue::List(items) => Self::List(items.iter().map(Self::of_node).collect()),
            NodeValue::Map(entries) => {
                Self::Map(entries.iter().map(|entry| (entry.key.as_str(), Self::of_node(&entry.value))).collect())
            }
        }
    }
}

fn json(out: &mut String, shape: &Shape<'_>, depth: usize) {
    match shape {
        Shape::Plain(text) => out.push_str(text),
        Shape::Text(text) => quoted(out, text),
        Shape::Vault(text) => {
            let text = Shape::Text((*text).to_owned());
            json(out, &Shape::Map(BTreeMap::from([("__ansible_vault", text)])), depth);
        }
        Shape::List(items) if items.is_empty() => out.push_str("[]"),
        Shape::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Shape::List(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                line(out, position, depth + 1);
                json(out, item, depth + 1);
            }
            let _ = write!(out, "\n{:1$}]", "", depth * 4);
        }
        Shape::Map(entries) => {
            out.push('{');
            for (position, (key, value)) in entries.iter().enumerate() {
                line(out, position, depth + 1);
                quoted(out, key);
                out.push_str(": ");
                json(out, value, depth + 1);
            }
            let _ = write!(out, "\n{:1$}}}", "", depth * 4);
        }
    }
}

fn line(out: &mut String, position: usize, depth: usize) {
    let _ = write!(out, "{}\n{:2$}", if position > 0 { "," } else { "" }, "", depth * 4);
}

fn quoted(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
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
        Shape::Vault(text) => {
            out.push_str(" !vault |");
            for line in text.lines() {
                let _ = write!(out, "\n{:1$}{line}", "", depth * 2);
            }
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

/// A number as Python writes it: the shortest digits, and an exponent below 1e-4 and from 1e16.
fn python(number: &Number) -> String {
    let Some(value) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    let text = super::number::repr(value, "Infinity");
    if text.contains(['.', 'e']) { text } else { text + ".0" }
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
    fn floats_are_written_as_python_writes_them() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5, "-2.5"),
            (123_456_789.123, "123456789.123"),
        ];
        for (value, expected) in cases {
            assert_eq!(python(&Number::from_f64(value).unwrap()), expected);
        }
        assert_eq!(python(&Number::from(u64::MAX)), "18446744073709551615");
    }

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
