//! Directories: which are missing or have another owner or mode (pure).

use super::HostFacts;
use crate::remote::RemotePath;
use crate::render::Desired;

/// One directory that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DirectoryChange {
    /// Which.
    pub path: RemotePath,
    /// `owner:group mode` as it is; nothing where it is missing.
    pub is: Option<String>,
    /// `owner:group mode` as it should be.
    pub should: String,
}

/// Finds the directories that differ, parents first.
#[must_use]
pub fn diff(desired: &Desired, facts: &HostFacts) -> Vec<DirectoryChange> {
    desired
        .directories
        .iter()
        .filter_map(|(path, directory)| {
            let is = facts.directories.get(path).map(|is| format!("{}:{} {:04o}", is.owner, is.group, is.mode));
            let should = format!("{}:{} {:04o}", directory.owner, directory.group, directory.mode);
            (is.as_ref() != Some(&should)).then(|| DirectoryChange { path: path.clone(), is, should })
        })
        .collect()
}
