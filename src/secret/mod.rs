//! Secrets: referred to, never shown (pure).
//!
//! A [`Secret`] has no `Display` and no `Serialize`, and its `Debug` shows nothing, so that no output, plan or log can
//! hold one by accident. A [`SecretRef`] is what the operator wrote and may be shown.

mod digest;
pub mod keyed;
pub mod keyring;
pub mod look;
mod reference;
pub mod vault;

use std::collections::BTreeMap;
use std::fmt;

pub use digest::{Form, digest_marker, sha256_hex};
pub use reference::{Held, MARKER_END, MARKER_START, SecretRef, Vaulted, mask_markers, without_markers};

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

/// The values of the secrets that the fleet refers to, read once at the edge.
#[derive(Debug, Default, Clone)]
pub struct SecretStore(BTreeMap<SecretRef, Secret<String>>);

impl SecretStore {
    /// Keeps a value.
    pub fn insert(&mut self, reference: SecretRef, value: Secret<String>) {
        self.0.insert(reference, value);
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &Secret<String>> {
        self.0.values()
    }

    /// All references with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&SecretRef, &Secret<String>)> {
        self.0.iter()
    }

    /// The value, where it was read.
    #[must_use]
    pub fn get(&self, reference: &SecretRef) -> Option<&Secret<String>> {
        self.0.get(reference)
    }
}
