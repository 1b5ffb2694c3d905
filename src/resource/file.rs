//! Files: what is there, and how it differs from what should be (pure).

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::ownership::is_foreign;
use super::{HostFacts, ObserveError, text_diff};
use crate::remote::{EntryKind, Expect, Expected, RemotePath, UnitName, unpack};
use crate::render::{Desired, DesiredFile, changed_secrets, mask, without_generation};

/// A regular file as it is on the host. Its content may hold a secret.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ObservedFile {
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
    /// Nothing where it is no regular file.
    #[serde(skip)]
    pub content: Option<crate::secret::Secret<Bytes>>,
}

/// A directory as it is on the host.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObservedDirectory {
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Which.
    pub path: RemotePath,
    /// How it differs.
    pub kind: FileChangeKind,
    /// `owner:group mode` as it is and as it should be, where they differ.
    pub metadata: Option<(String, String)>,
    /// Unified diff for people, secrets masked.
    pub diff: Arc<str>,
    /// References to secrets whose values change.
    pub secrets: BTreeSet<String>,
    /// The unit that reads it.
    pub unit: Option<UnitName>,
    /// Whether Housewright wrote what is there.
    pub replaces: Replaces,
    /// What must still be there when it is written.
    pub expect: Expect,
}

/// What a file takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    /// Nothing, or what Housewright wrote.
    Ours,
    /// What a package or somebody else put there.
    Foreign,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileChangeKind {
    /// It is not there.
    Create,
    /// Its content differs.
    Content,
    /// Nothing differs but the generation, which follows from the host's other files.
    Generation,
    /// Only owner, group or mode differ.
    Metadata,
    /// It is there, Housewright wrote it, and nothing renders it any more.
    Remove,
    /// Something that is no regular file is in its place: it is never replaced.
    Blocked,
}

/// Sorts an archive's entries into the facts.
pub(super) fn collect(archive: &[u8], facts: &mut HostFacts) -> Result<(), ObserveError> {
    for entry in unpack(archive)? {
        let (owner, group, mode) = (entry.owner, entry.group, entry.mode);
        match entry.kind {
            EntryKind::Directory => {
                facts.directories.insert(entry.path, ObservedDirectory { owner, group, mode });
            }
            EntryKind::File(content) => {
                let content = Some(crate::secret::Secret::new(content));
                facts.files.insert(entry.path, ObservedFile { owner, group, mode, content });
            }
            EntryKind::Other => {
                facts.files.insert(entry.path, ObservedFile { owner, group, mode, content: None });
            }
        }
    }
    Ok(())
}

/// Finds the files that differ, in order of path.
#[must_use]
pub fn diff(desired: &Desired, facts: &HostFacts) -> Vec<FileChange> {
    desired.files.iter().filter_map(|(path, file)| change(path, file, facts)).collect()
}

/// Whether a file is there as it should be; cheaper than its difference.
pub(super) fn is_as_desired(path: &RemotePath, desired: &DesiredFile, facts: &HostFacts) -> bool {
    facts.files.get(path).is_some_and(|observed| {
        observed.content.as_ref() == Some(desired.content.bytes())
            && (&observed.owner, &observed.group, observed.mode) == (&desired.owner, &desired.group, desired.mode)
    })
}

fn change(path: &RemotePath, desired: &DesiredFile, facts: &HostFacts) -> Option<FileChange> {
    let finish = |kind, metadata, diff: String, state| FileChange {
        path: path.clone(),
        kind,
        metadata,
        diff: diff.into(),
        secrets: BTreeSet::new(),
        unit: desired.unit.clone(),
        replaces: Replaces::Ours,
        expect: Expect { path: path.clone(), state },
    };
    if facts.directories.contains_key(path) {
        return Some(finish(FileChangeKind::Blocked, None, String::new(), Expected::Absent));
    }
    let whole = || text_diff::unified(path, "", &without_generation(desired.content.shown(), &desired.content));
    let Some(observed) = facts.files.get(path) else {
        return Some(finish(FileChangeKind::Create, None, whole(), Expected::Absent));
    };
    let Some(content) = &observed.content else {
        if desired.over_package {
            // A package's link.
            return Some(finish(FileChangeKind::Create, None, whole(), Expected::Whatever));
        }
        return Some(finish(FileChangeKind::Blocked, None, String::new(), Expected::Absent));
    };
    let is = format!("{}:{} {:04o}", observed.owner, observed.group, observed.mode);
    let should = format!("{}:{} {:04o}", desired.owner, desired.group, desired.mode);
    let metadata = (is != should).then_some((is, should));
    let same = content == desired.content.bytes();
    if same && metadata.is_none() {
        return None;
    }
    let expect = Expected::Sha256(Sha256::digest(content.expose()).into());
    if same {
        return Some(finish(FileChangeKind::Metadata, metadata, String::new(), expect));
    }
    // Both sides through the same mask: a secret that is a common word, such as `default`, is no difference elsewhere, which
    // would tell it.
    let [before, after] = [content, desired.content.bytes()].map(|text| mask(text.expose(), &desired.content));
    let diff = text_diff::unified(path, &before, &after);
    let replaces = if is_foreign(path, facts) { Replaces::Foreign } else { Replaces::Ours };
    let follows = diff.is_empty() && desired.content.generation().is_some();
    let kind = if follows { FileChangeKind::Generation } else { FileChangeKind::Content };
    let secrets = changed_secrets(&before, &after, &desired.content);
    Some(FileChange { secrets, replaces, ..finish(kind, metadata, diff, expect) })
}
