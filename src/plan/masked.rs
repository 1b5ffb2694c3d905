//! Hides the secrets in keys that change, whatever the keys are called (pure).
//!
//! A value is hidden where the rendered text hides it from people, and where it holds a current secret's value.

use std::collections::{BTreeMap, BTreeSet};

use crate::clickhouse::config::{ChangeKind, ConfigKeys, KeyChange, MASK};
use crate::render::Content;

/// The paths whose values people must not see: those that differ between the real texts and the shown ones.
pub(super) fn hidden_paths(real: &ConfigKeys, shown: &ConfigKeys) -> BTreeSet<String> {
    let shown: BTreeMap<_, _> = shown.entries.iter().map(|entry| (&entry.path, entry)).collect();
    let hidden =
        real.entries.iter().filter(|entry| !shown.get(&entry.path).is_some_and(|shown| shown.same_value(entry)));
    hidden.map(|entry| entry.path.clone()).collect()
}

/// Hides all values of keys that go or have another value: nobody knows any more which of them are secrets.
pub(super) fn mask_old(changes: &mut [KeyChange]) {
    for change in changes {
        match &mut change.kind {
            ChangeKind::Added { .. } => {}
            ChangeKind::Removed { value, .. } => MASK.clone_into(value),
            ChangeKind::Changed { old, new } => {
                MASK.clone_into(old);
                MASK.clone_into(new);
            }
        }
    }
}

/// Puts the mask in the place of values that are secrets.
pub(super) fn mask(changes: &mut [KeyChange], hidden: &BTreeSet<String>, contents: &[&Content]) {
    let holds = |value: &String| contents.iter().any(|content| content.holds_secret_in(value));
    for change in changes {
        let values = match &mut change.kind {
            ChangeKind::Added { value, .. } | ChangeKind::Removed { value, .. } => vec![value],
            ChangeKind::Changed { old, new } => vec![old, new],
        };
        if hidden.contains(&change.path) || values.iter().any(|value| holds(value)) {
            values.into_iter().for_each(|value| MASK.clone_into(value));
        }
    }
}
