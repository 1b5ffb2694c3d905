//! What is at some paths of a host right now, beside what was there before and what was written (edge).

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::remote::{Entry, EntryKind, Expect, Expected, Output, RemotePath, unpack};
use crate::render::DesiredFile;
use crate::resource::ObservedFile;

/// The entries of some paths; one that is not there is not in here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct There(BTreeMap<RemotePath, Entry>);

impl There {
    /// Reads the answer to a `Command::Read`.
    pub(super) fn read(output: &Output) -> Result<Self, String> {
        super::batch::succeeded(output)?;
        let entries = unpack(&output.stdout).map_err(|error| crate::event::chain(&error))?;
        Ok(Self(entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect()))
    }

    /// Whether something is there.
    pub(super) fn has(&self, path: &RemotePath) -> bool {
        self.0.contains_key(path)
    }

    /// Whether a path is, content and all, what it was before.
    pub(super) fn is_as_before(&self, path: &RemotePath, before: Option<&ObservedFile>) -> bool {
        match (self.0.get(path), before) {
            (None, None) => true,
            (Some(entry), Some(file)) => {
                self.has_content(path, file.content.as_ref().map(|content| content.expose().as_ref()))
                    && (&entry.owner, &entry.group, entry.mode) == (&file.owner, &file.group, file.mode)
            }
            _ => false,
        }
    }

    /// Whether a path is, content and all, what was to be written.
    pub(super) fn is_as_written(&self, path: &RemotePath, file: &DesiredFile) -> bool {
        self.0.get(path).is_some_and(|entry| {
            self.has_content(path, Some(file.content.bytes().expose().as_ref()))
                && (&entry.owner, &entry.group, entry.mode) == (&file.owner, &file.group, file.mode)
        })
    }

    /// Whether a path holds just this, or nothing.
    pub(super) fn has_content(&self, path: &RemotePath, content: Option<&[u8]>) -> bool {
        match (self.0.get(path).map(|entry| &entry.kind), content) {
            (None, None) => true,
            (Some(EntryKind::File(is)), Some(content)) => is.as_ref() == content,
            _ => false,
        }
    }

    /// That a path is still what it is now.
    pub(super) fn expect(&self, path: &RemotePath) -> Expect {
        let state = match self.0.get(path).map(|entry| &entry.kind) {
            Some(EntryKind::File(content)) => Expected::Sha256(Sha256::digest(content).into()),
            _ => Expected::Absent,
        };
        Expect { path: path.clone(), state }
    }
}
