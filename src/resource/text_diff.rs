//! Unified diffs for people (pure).

use crate::remote::RemotePath;

/// Lines of context around a change, as in `diff -u`.
const CONTEXT: usize = 3;

/// Writes the difference of two texts as a unified diff; empty where they are equal.
#[must_use]
pub fn unified(path: &RemotePath, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let from = if old.is_empty() { "/dev/null".to_owned() } else { path.to_string() };
    let to = if new.is_empty() { "/dev/null".to_owned() } else { path.to_string() };
    similar::TextDiff::from_lines(old, new).unified_diff().context_radius(CONTEXT).header(&from, &to).to_string()
}
