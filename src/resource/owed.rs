//! What a host owes: a marker that lives from the write until its server has taken what was written (pure).
//!
//! Without it, a run that ends between the write and the restart would leave a host whose files are right and whose
//! server is not, and the next plan would be empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ObservedFile;
use crate::remote::{FileWrite, RemotePath, UnitName};
use crate::secret::Secret;

/// What a unit has to do before it runs with what was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    /// Read its configuration again.
    Reload(UnitName),
    /// Start anew.
    Restart(UnitName),
}

/// In memory only: a reboot starts every unit anew and takes the markers away.
const RELOAD: &str = "/run/housewright-owes-reload-of-";
const RESTART: &str = "/run/housewright-owes-restart-of-";

impl Owed {
    /// All that a unit can owe.
    #[must_use]
    pub fn by(unit: &UnitName) -> [Self; 2] {
        [Self::Reload(unit.clone()), Self::Restart(unit.clone())]
    }

    /// Where the marker is.
    #[must_use]
    pub fn marker(&self) -> Option<RemotePath> {
        let (prefix, unit) = match self {
            Self::Reload(unit) => (RELOAD, unit),
            Self::Restart(unit) => (RESTART, unit),
        };
        RemotePath::new(format!("{prefix}{}", unit.as_str())).ok()
    }

    /// The marker itself, written with the files that the unit has not taken yet.
    #[must_use]
    pub fn file(&self) -> Option<FileWrite> {
        let root = "root".to_owned();
        let content = Secret::new(Bytes::from_static(b"written by housewright; gone when it is done\n"));
        Some(FileWrite { path: self.marker()?, content, owner: root.clone(), group: root, mode: 0o644 })
    }
}

impl fmt::Display for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reload(unit) => write!(f, "reload of {unit}"),
            Self::Restart(unit) => write!(f, "restart of {unit}"),
        }
    }
}

/// What the markers among the files that were read say.
pub(super) fn collect(files: &BTreeMap<RemotePath, ObservedFile>) -> BTreeSet<Owed> {
    let read = |path: &RemotePath| {
        let (kind, unit): (fn(UnitName) -> Owed, _) = match path.as_str().strip_prefix(RELOAD) {
            Some(unit) => (Owed::Reload, unit),
            None => (Owed::Restart, path.as_str().strip_prefix(RESTART)?),
        };
        UnitName::new(unit).ok().map(kind)
    };
    files.keys().filter_map(read).collect()
}
