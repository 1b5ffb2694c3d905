//! What changes between two versions of a configuration file (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::keys::{ConfigKeys, Entry, MASK};

/// One key that changes; secrets' values are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// Where it is.
    pub path: String,
    /// How it changes.
    pub kind: ChangeKind,
}

/// How a key changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Added {
        /// Its value.
        value: String,
        /// The outermost element that is new with it.
        root: String,
    },
    /// It is not there any more.
    Removed {
        /// Its value.
        value: String,
        /// The outermost element that goes with it.
        root: String,
    },
    /// It has another value.
    Changed {
        /// Before.
        old: String,
        /// After.
        new: String,
    },
}

/// `+ path = value`, `- path = value`, `~ path: old -> new`.
impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            ChangeKind::Added { value, .. } => write!(f, "+ {path} = {value}"),
            ChangeKind::Removed { value, .. } => write!(f, "- {path} = {value}"),
            ChangeKind::Changed { old, new } => write!(f, "~ {path}: {old} -> {new}"),
        }
    }
}

/// Compares two versions of one file: what is new or changed in the order of the new one, then what is gone.
#[must_use]
pub fn diff(old: &ConfigKeys, new: &ConfigKeys) -> Vec<KeyChange> {
    let (before, after) = (by_path(old), by_path(new));
    let (places_before, places_after) = (places(old), places(new));
    let mut changes = Vec::new();
    for entry in &new.entries {
        let kind = match before.get(entry.path.as_str()) {
            Some(old) if old.same_value(entry) => continue,
            Some(old) => {
                // Where one side is masked, the other is too: half a secret tells something.
                let masked = old.shown() == MASK || entry.shown() == MASK;
                let show = |entry: &Entry| if masked { MASK.to_owned() } else { entry.shown().to_owned() };
                ChangeKind::Changed { old: show(old), new: show(entry) }
            }
            None => ChangeKind::Added { value: entry.shown().to_owned(), root: outermost(&entry.path, &places_before) },
        };
        changes.push(KeyChange { path: entry.path.clone(), kind });
    }
    for entry in old.entries.iter().filter(|entry| !after.contains_key(entry.path.as_str())) {
        let kind = ChangeKind::Removed { value: entry.shown().to_owned(), root: outermost(&entry.path, &places_after) };
        changes.push(KeyChange { path: entry.path.clone(), kind });
    }
    changes
}

fn by_path(keys: &ConfigKeys) -> BTreeMap<&str, &Entry> {
    keys.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect()
}

/// Every path and every path above one.
fn places(keys: &ConfigKeys) -> BTreeSet<&str> {
    keys.entries.iter().flat_map(|entry| above(&entry.path)).collect()
}

/// The path's own places, from the outermost to itself.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end))
}

/// The outermost place on the way to a path that the other version does not have.
fn outermost(path: &str, other: &BTreeSet<&str>) -> String {
    above(path).find(|place| !other.contains(place)).unwrap_or(path).to_owned()
}
