//! A configuration file as a flat list of keys and values (pure).
//!
//! A path names one place: `remote_servers/posthog/shard[2]/replica[1]/host`, attributes as `@name`. It stays the same
//! when an element is added behind it.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::secret::Secret;
use crate::secret::look::is_secret;

/// What is shown in place of a secret's value.
pub const MASK: &str = "‹secret›";

/// Elements that are lists by nature: each has its number, also where there is only one.
const LISTS: [&str; 4] = ["shard", "replica", "node", "server"];

/// Why a file has no keys.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// It is no XML.
    #[error("cannot read the configuration: {message} (line {line}, column {column})")]
    Xml { message: String, line: u32, column: u32 },
    /// The server takes two root elements only.
    #[error("cannot read the configuration: its root element is `{0}`, not `clickhouse`")]
    Root(String),
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: String,
    value: Secret<String>,
}

impl Entry {
    /// The value for people: masked where the key or the value looks like a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        let value = self.value.expose();
        if is_secret(&self.path, value) { MASK } else { value }
    }

    /// Whether both have the same value, secrets included.
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A configuration file's keys, in the order of the file; every path comes once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigKeys {
    /// The keys that have a value: elements without child elements, and attributes.
    pub entries: Vec<Entry>,
}

impl ConfigKeys {
    /// Reads an XML file of `config.d` or `users.d`; an empty text has no keys.
    ///
    /// # Errors
    /// Says where the text is no XML, or that its root is another element.
    pub fn from_xml(text: &str) -> Result<Self, ConfigError> {
        let text = text.trim_start_matches('\u{FEFF}');
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let document = Document::parse(text).map_err(|error| ConfigError::Xml {
            line: error.pos().row,
            column: error.pos().col,
            message: without_value(&error),
        })?;
        let root = document.root_element();
        // `yandex` is the root of versions before 21.
        if !matches!(root.tag_name().name(), "clickhouse" | "yandex") {
            return Err(ConfigError::Root(root.tag_name().name().to_owned()));
        }
        let mut entries = Vec::new();
        // Not recursive, so that no depth of elements can overflow the stack.
        let mut left = children(root, "");
        left.reverse();
        while let Some((node, path)) = left.pop() {
            for attribute in node.attributes() {
                entries.push(entry(format!("{path}/@{}", attribute.name()), attribute.value()));
            }
            let mut inside = children(node, &path);
            if inside.is_empty() {
                let value: String =
                    node.children().filter_map(|child| child.text().filter(|_| child.is_text())).collect();
                entries.push(entry(path, value.trim()));
            }
            inside.reverse();
            left.append(&mut inside);
        }
        Ok(Self { entries })
    }

    /// Whether there is a key at this path or below it.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }
}

fn entry(path: String, value: &str) -> Entry {
    Entry { path, value: Secret::new(value.to_owned()) }
}

/// The child elements with their paths.
fn children<'a, 'input>(node: Node<'a, 'input>, path: &str) -> Vec<(Node<'a, 'input>, String)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let number = seen.entry(name).or_default();
        *number += 1;
        let slash = if path.is_empty() { "" } else { "/" };
        let index = if *number > 1 || LISTS.contains(&name) { format!("[{number}]") } else { String::new() };
        found.push((child, format!("{path}{slash}{name}{index}")));
    }
    found
}

/// The kind of error without the text of the file, which may hold a secret.
fn without_value(error: &roxmltree::Error) -> String {
    match error {
        roxmltree::Error::UnexpectedCloseTag(expected, actual, _) => format!("`{expected}` is closed as `{actual}`"),
        roxmltree::Error::UnclosedRootNode => "an element is never closed".to_owned(),
        roxmltree::Error::DtdDetected => "a document type is not taken".to_owned(),
        roxmltree::Error::DuplicatedAttribute(name, _) => format!("attribute `{name}` comes twice"),
        roxmltree::Error::NoRootNode => "there is no element".to_owned(),
        _ => "this is no well-formed XML".to_owned(),
    }
}
