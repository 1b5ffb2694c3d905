//! Restarts that a host owes: a marker that lives from the write until the unit runs with what was written (pure).
//!
//! Without it, a run that ends between the write and the restart would leave a host whose files are right and whose
//! server is not, and the next plan would be empty.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::ObservedFile;
use crate::remote::{FileWrite, RemotePath, UnitName};
use crate::secret::Secret;

/// In memory only: a reboot starts every unit anew and takes the markers away.
const PREFIX: &str = "/run/housewright-owes-restart-of-";

/// Where the marker of a unit is.
#[must_use]
pub fn owed_marker(unit: &UnitName) -> Option<RemotePath> {
    RemotePath::new(format!("{PREFIX}{}", unit.as_str())).ok()
}

/// The marker itself, to be written with the files that a unit takes at its start only.
#[must_use]
pub fn owed_file(unit: &UnitName) -> Option<FileWrite> {
    let root = "root".to_owned();
    let content = Secret::new(Bytes::from_static(b"written by housewright; gone after the restart\n"));
    Some(FileWrite { path: owed_marker(unit)?, content, owner: root.clone(), group: root, mode: 0o644 })
}

/// The units whose markers were found.
pub(super) fn collect(files: &BTreeMap<RemotePath, ObservedFile>) -> Vec<UnitName> {
    let names = files.keys().filter_map(|path| path.as_str().strip_prefix(PREFIX));
    names.filter_map(|name| UnitName::new(name).ok()).collect()
}
