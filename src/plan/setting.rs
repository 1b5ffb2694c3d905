//! Keys of the effective configuration that change, as people and machines read them in a plan (pure).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clickhouse::config::{ChangeKind, ConfigDirectory, KeyChange};

/// The server's own configuration, by its name in a plan.
const CONFIG: &str = "config";

/// Where the generation stands.
pub(super) const GENERATION_KEY: &str = "macros/generation";

/// Longer values are cut for people.
const LONGEST: usize = 100;

/// One key that changes, or several that come or go together; secrets' values are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    /// `config` or `users`.
    pub configuration: String,
    /// `remote_servers/posthog/shard[2]/replica[1]/host`, or the outermost element that comes or goes.
    pub key: String,
    /// The value as it is; nothing where it comes, or several keys go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The value as it will be; nothing where it goes, or several keys come.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// How it changes.
    pub kind: SettingKind,
    /// How many keys it stands for.
    pub keys: usize,
}

/// How a key changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// It has another value.
    Changed,
}

impl SettingChange {
    /// Whether it is the host's generation.
    #[must_use]
    pub fn is_generation(&self) -> bool {
        self.configuration == CONFIG && self.key == GENERATION_KEY
    }

    /// Puts keys together that come or go with one element.
    pub(super) fn of(changes: &[KeyChange], directory: ConfigDirectory) -> Vec<Self> {
        let configuration = match directory {
            ConfigDirectory::Config => CONFIG,
            ConfigDirectory::Users => "users",
        };
        let together = |one: &KeyChange, other: &KeyChange| root(one).is_some() && root(one) == root(other);
        let group = |group: &[KeyChange]| {
            let first = group.first()?;
            let alone = group.len() == 1;
            let value = |value: &String| alone.then(|| value.clone());
            let (kind, from, to) = match &first.kind {
                ChangeKind::Added { value: to, .. } => (SettingKind::Added, None, value(to)),
                ChangeKind::Removed { value: from, .. } => (SettingKind::Removed, value(from), None),
                ChangeKind::Changed { old, new } => (SettingKind::Changed, value(old), value(new)),
            };
            let key = root(first).filter(|_| !alone).map_or(&first.path, |(_, root)| root).clone();
            Some(Self { configuration: configuration.to_owned(), key, from, to, kind, keys: group.len() })
        };
        changes.chunk_by(together).filter_map(group).collect()
    }
}

/// The outermost element that comes or goes with a key.
fn root(change: &KeyChange) -> Option<(SettingKind, &String)> {
    match &change.kind {
        ChangeKind::Added { root, .. } => Some((SettingKind::Added, root)),
        ChangeKind::Removed { root, .. } => Some((SettingKind::Removed, root)),
        ChangeKind::Changed { .. } => None,
    }
}

/// `key: a -> b`, `key = b`, or `key (12 keys)`.
impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, from, to, keys, .. } = self;
        match (from, to) {
            (Some(from), Some(to)) => write!(f, "{key}: {} -> {}", short(from), short(to)),
            (Some(value), None) | (None, Some(value)) if value.is_empty() => write!(f, "{key}"),
            (Some(value), None) | (None, Some(value)) => write!(f, "{key} = {}", short(value)),
            (None, None) => write!(f, "{key} ({keys} keys)"),
        }
    }
}

/// One line, not too long.
fn short(value: &str) -> String {
    let line = value.replace(['\n', '\r', '\t'], " ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None if line.is_empty() => "(empty)".to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::config::{ConfigKeys, diff};

    #[test]
    fn keys_that_come_and_go_together_are_one_line() {
        let keys = |xml: &str| ConfigKeys::from_xml(&format!("<clickhouse>{xml}</clickhouse>")).unwrap();
        let old = keys("<a>1</a><b><c>2</c></b><gone><x>1</x><y>2</y></gone><password>x</password>");
        let new = keys("<a>2</a><b><c>2</c><d>3</d></b><n><x><y>1</y></x><z/></n><password>y</password><e/>");
        let lines: Vec<_> =
            SettingChange::of(&diff(&old, &new), ConfigDirectory::Config).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            ["a: 1 -> 2", "b/d = 3", "n (2 keys)", "password: ‹secret› -> ‹secret›", "e", "gone (2 keys)"]
        );
    }
}
