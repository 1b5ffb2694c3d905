//! Secrets: referred to, never shown (pure).
//!
//! A [`Secret`] has no `Display` and no `Serialize`, and its `Debug` shows nothing, so that no output, plan or log can
//! hold one by accident. A [`SecretRef`] is what the operator wrote and may be shown.

pub mod look;

use std::collections::BTreeMap;
use std::fmt;

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: for the wire and for comparing, never for a person.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// Where a secret comes from: `env:NAME` or `file:PATH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// An environment variable of the process that runs Housewright.
    Env(String),
    /// A file on the machine that runs Housewright; one trailing newline is not part of the secret.
    File(String),
}

impl SecretRef {
    /// Reads `env:NAME` or `file:PATH`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Some(Self::File(path.to_owned())),
            _ => None,
        }
    }

    /// The text that stands for the secret in rendered text until [`SecretStore`] puts the value in.
    ///
    /// Private-use characters, which no sane template holds, delimit it.
    #[must_use]
    pub fn marker(&self) -> String {
        format!("{MARKER_START}{self}{MARKER_END}")
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

/// Starts a secret's marker in rendered text.
pub const MARKER_START: char = '\u{F8F0}';
/// Ends a secret's marker in rendered text.
pub const MARKER_END: char = '\u{F8F1}';

/// The values of the secrets that the fleet refers to, read once at the edge.
#[derive(Debug, Default, Clone)]
pub struct SecretStore(BTreeMap<SecretRef, Secret<String>>);

impl SecretStore {
    /// Keeps a value.
    pub fn insert(&mut self, reference: SecretRef, value: Secret<String>) {
        self.0.insert(reference, value);
    }

    /// The value, where it was read.
    #[must_use]
    pub fn get(&self, reference: &SecretRef) -> Option<&Secret<String>> {
        self.0.get(reference)
    }
}

/// Writes `‹env:NAME›` in the places of the markers in a text.
#[must_use]
pub fn mask_markers(text: &str) -> String {
    text.replace(MARKER_START, "‹").replace(MARKER_END, "›")
}
