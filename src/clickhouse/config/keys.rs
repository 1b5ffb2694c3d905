//! A configuration file as a flat list of keys and values (pure).
//!
//! A path names one place: `remote_servers/posthog/shard[2]/replica[1]/host`, attributes as `@name`. It stays the same
//! when an element is added behind it.

use super::effective::{self, Attributes, ReadError};
use crate::secret::Secret;
use crate::secret::look::is_secret;

/// What is shown in place of a secret's value.
pub const MASK: &str = "‹secret›";

/// Why a file has no keys.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// It is no XML.
    #[error("cannot read the configuration: {0}")]
    Read(#[from] ReadError),
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
    /// It is masked whatever it looks like.
    hidden: bool,
}

impl Entry {
    pub(super) fn new(path: String, value: String, hidden: bool) -> Self {
        Self { path, value: Secret::new(value), hidden }
    }

    /// The value for people: masked where the key or the value looks like a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        let value = self.value.expose();
        if self.hidden || is_secret(&self.path, value) { MASK } else { value }
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
        Self::from_file("config.xml", text)
    }

    /// Reads a file of XML or YAML, as its name says; an empty text has no keys.
    ///
    /// # Errors
    /// Says where the text is none, or that its root is another element.
    pub fn from_file(path: &str, text: &str) -> Result<Self, ConfigError> {
        if text.trim_start_matches('\u{FEFF}').trim().is_empty() {
            return Ok(Self::default());
        }
        Ok(effective::read_file(path, text)?.keys(Attributes::All))
    }

    /// Whether there is a key at this path or below it.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }
}
