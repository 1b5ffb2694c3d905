//! What a host owes: a marker that lives from the write until its server has taken what was written (pure).
//!
//! Without it, a run that ends between the write and the restart would leave a host whose files are right and whose
//! server is not, and the next plan would be empty. What is detached outlives a reboot, and so does its marker.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ObservedFile, Proof};
use crate::remote::{DirectoryWrite, FileWrite, RemotePath, UnitName};
use crate::schema::ObjectName;
use crate::secret::Secret;

/// What a unit has to do before it runs with what was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    /// Read its configuration again.
    Reload(UnitName),
    /// Attach the tables anew that keep what they were attached with.
    Reattach(UnitName),
    /// Start anew.
    Restart(UnitName),
    /// Attach these tables, which were detached for a moment.
    Attach(Detached),
    /// Bring the host back into traffic.
    Traffic,
}

/// Tables that are detached for a moment, with what made them.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Detached(pub BTreeMap<ObjectName, DetachedTable>);

/// A table that is detached for a moment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DetachedTable {
    /// What must show that it consumes again.
    pub proof: Proof,
    /// The statement that would make it, as the server shows it: an archive for people, never run, and shown nowhere
    /// else, for a server can be told to show secrets.
    #[serde(skip)]
    pub create: String,
}

impl Detached {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &ObjectName> {
        self.0.keys()
    }
}

/// The names only.
impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The marker's form.
#[derive(Serialize, Deserialize)]
struct Archive {
    written_by: String,
    tables: Vec<ArchivedTable>,
}

#[derive(Serialize, Deserialize)]
struct ArchivedTable {
    database: String,
    name: String,
    proof: Proof,
    create: String,
}

/// In memory only: a reboot starts every unit anew and takes the markers away.
const RELOAD: &str = "/run/housewright-owes-reload-of-";
const REATTACH: &str = "/run/housewright-owes-reattach-of-";
const RESTART: &str = "/run/housewright-owes-restart-of-";

/// On disk: a table that was detached for good stays so over a reboot.
const DIRECTORY: &str = "/var/lib/housewright";
const DETACHED: &str = "/var/lib/housewright/detached";
/// On disk too: a load balancer knows nothing of a reboot. It holds no command: what a host says is never run elsewhere.
const DRAINED: &str = "/var/lib/housewright/out-of-traffic";

impl Owed {
    /// All that a unit can owe.
    #[must_use]
    pub fn by(unit: &UnitName) -> [Self; 3] {
        [Self::Reload(unit.clone()), Self::Reattach(unit.clone()), Self::Restart(unit.clone())]
    }

    /// Where a host notes what outlives a reboot: which of its tables are detached, and that it is out of traffic.
    pub fn lasting_markers() -> impl Iterator<Item = RemotePath> {
        [DETACHED, DRAINED].into_iter().filter_map(|path| RemotePath::new(path).ok())
    }

    /// Where the marker is.
    #[must_use]
    pub fn marker(&self) -> Option<RemotePath> {
        let (prefix, unit) = match self {
            Self::Reload(unit) => (RELOAD, unit),
            Self::Reattach(unit) => (REATTACH, unit),
            Self::Restart(unit) => (RESTART, unit),
            Self::Attach(_) => return RemotePath::new(DETACHED).ok(),
            Self::Traffic => return RemotePath::new(DRAINED).ok(),
        };
        RemotePath::new(format!("{prefix}{}", unit.as_str())).ok()
    }

    /// The directory that the marker needs, where not every host has it.
    #[must_use]
    pub fn directory(&self) -> Option<DirectoryWrite> {
        let (Self::Attach(_) | Self::Traffic) = self else { return None };
        let root = "root".to_owned();
        Some(DirectoryWrite { path: RemotePath::new(DIRECTORY).ok()?, owner: root.clone(), group: root, mode: 0o700 })
    }

    /// The marker itself, written with the files that the unit has not taken yet.
    #[must_use]
    pub fn file(&self) -> Option<FileWrite> {
        let root = "root".to_owned();
        let (content, mode) = match self {
            Self::Attach(detached) => (Bytes::from(archive(detached)?), 0o600),
            Self::Reload(_) | Self::Reattach(_) | Self::Restart(_) | Self::Traffic => {
                (Bytes::from_static(b"written by housewright; gone when it is done\n"), 0o644)
            }
        };
        let (path, content) = (self.marker()?, Secret::new(content));
        Some(FileWrite { path, content, owner: root.clone(), group: root, mode })
    }
}

fn archive(detached: &Detached) -> Option<String> {
    let table = |(name, table): (&ObjectName, &DetachedTable)| {
        let ObjectName::Relation { database, name } = name else { return None };
        let (database, name) = (database.clone(), name.clone());
        Some(ArchivedTable { database, name, proof: table.proof, create: table.create.clone() })
    };
    let tables = detached.0.iter().map(table).collect::<Option<_>>()?;
    let written_by = "housewright: these tables are detached for a moment; its next run attaches them".to_owned();
    serde_json::to_string_pretty(&Archive { written_by, tables }).ok().map(|text| text + "\n")
}

/// What a marker that cannot be read says is that something is detached, and not what.
fn unarchived(file: &ObservedFile) -> Detached {
    let content = file.content.as_ref().map(|content| content.expose().as_ref()).unwrap_or_default();
    let tables = serde_json::from_slice::<Archive>(content).map(|archive| archive.tables).unwrap_or_default();
    let table = |ArchivedTable { database, name, proof, create }| {
        (ObjectName::relation(Some(&database), &name), DetachedTable { proof, create })
    };
    Detached(tables.into_iter().map(table).collect())
}

impl fmt::Display for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reload(unit) => write!(f, "reload of {unit}"),
            Self::Reattach(unit) => write!(f, "attaching the queues of {unit} anew"),
            Self::Restart(unit) => write!(f, "restart of {unit}"),
            Self::Attach(detached) => {
                let names: Vec<_> = detached.names().map(ToString::to_string).collect();
                write!(f, "attaching {}", names.join(", "))
            }
            Self::Traffic => f.write_str("bringing it back into traffic"),
        }
    }
}

/// What the markers among the files that were read say.
pub(super) fn collect(files: &BTreeMap<RemotePath, ObservedFile>) -> BTreeSet<Owed> {
    let read = |(path, file): (&RemotePath, &ObservedFile)| {
        let path = path.as_str();
        if path == DETACHED {
            return Some(Owed::Attach(unarchived(file)));
        }
        if path == DRAINED {
            return Some(Owed::Traffic);
        }
        let of = |prefix: &str| UnitName::new(path.strip_prefix(prefix)?).ok();
        let (reload, reattach) = (of(RELOAD).map(Owed::Reload), of(REATTACH).map(Owed::Reattach));
        reload.or(reattach).or_else(|| of(RESTART).map(Owed::Restart))
    };
    files.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detached(create: &str) -> Detached {
        let table = DetachedTable { proof: Proof::Joined, create: create.to_owned() };
        Detached(BTreeMap::from([(ObjectName::relation(Some("my \"db"), "kafka"), table)]))
    }

    fn found(path: RemotePath, content: Bytes) -> BTreeSet<Owed> {
        let (owner, group) = (String::new(), String::new());
        let file = ObservedFile { owner, group, mode: 0o600, content: Some(Secret::new(content)) };
        collect(&BTreeMap::from([(path, file)]))
    }

    #[test]
    fn every_marker_is_found_again() {
        let unit = UnitName::new("clickhouse-server").unwrap();
        for owed in Owed::by(&unit).into_iter().chain([Owed::Attach(detached("CREATE TABLE 'ä\n'")), Owed::Traffic]) {
            let marker = owed.file().unwrap();
            assert_eq!(found(marker.path, marker.content.expose().clone()), BTreeSet::from([owed]));
        }
    }

    #[test]
    fn a_marker_that_cannot_be_read_still_says_that_something_is_detached() {
        let marker = Owed::Attach(Detached::default()).marker().unwrap();
        for content in ["", "{", "{\"tables\": 1}"] {
            assert_eq!(found(marker.clone(), content.into()), BTreeSet::from([Owed::Attach(Detached::default())]));
        }
    }

    #[test]
    fn what_is_shown_of_it_are_names() {
        let owed = Owed::Attach(detached("CREATE TABLE k ENGINE = Kafka('topsecret')"));
        let shown = format!("{owed:?} {owed} {}", serde_json::to_string(&owed).unwrap());
        assert!(shown.contains("kafka") && !shown.contains("topsecret"), "{shown}");
        let text = serde_json::to_string(&owed).unwrap();
        let read: Owed = serde_json::from_str(&text).unwrap();
        assert_eq!(read, Owed::Attach(detached("")), "{text}");
    }
}
