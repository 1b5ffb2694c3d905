//! Changes: what differs on each host, and what removing it costs there (pure).

use serde::Serialize;

use super::disruption::{self, Cost};
use super::{Hold, Inputs, steps};
use crate::clickhouse::config::Disruption;
use crate::fleet::{Host, Placement};
use crate::remote::{Expect, RemotePath, UnitAction, UnitName};
use crate::resource::{
    ClickHouseFacts, DirectoryChange, FileChange, FileChangeKind, HostFacts, ObservedUnit, UnitChange,
    diff_directories, diff_files, diff_units,
};
use crate::role::Role;

/// One difference, as people and machines read it in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A directory is missing or has another owner or mode.
    Directory(DirectoryChange),
    /// A file is missing or differs.
    File {
        /// Which.
        path: RemotePath,
        /// How.
        kind: FileChangeKind,
        /// `owner:group mode`, from and to, where they differ.
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<(String, String)>,
        /// Unified diff, secrets masked.
        diff: String,
    },
    /// A unit is not enabled or does not run.
    Unit(UnitChange),
    /// An object is missing.
    Object {
        /// `database.name`.
        name: String,
        /// `ReplicatedMergeTree`, `MaterializedView`, ...
        kind: String,
        /// The role whose schema holds it.
        role: String,
    },
}

/// All that differs on one host.
pub(super) struct HostChanges<'a> {
    pub host: &'a Host,
    pub role: &'a Role,
    pub directories: Vec<DirectoryChange>,
    pub files: Vec<FileChange>,
    pub units: Vec<UnitChange>,
    pub cost: Cost,
    /// Units that run now and have to be restarted.
    pub restarts: Vec<UnitName>,
    /// The ClickHouse here answers now.
    pub serving: bool,
}

impl HostChanges<'_> {
    fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.files.is_empty() && self.units.is_empty() && !self.cost.reload
    }

    /// Whether the plan starts this host's ClickHouse.
    pub fn starts_clickhouse(&self) -> bool {
        self.role.clickhouse.as_ref().is_some_and(|clickhouse| self.touches(&clickhouse.unit))
    }

    /// Whether a unit is started or restarted here.
    fn touches(&self, unit: &UnitName) -> bool {
        self.restarts.contains(unit)
            || self.units.iter().any(|change| change.unit == *unit && change.action == UnitAction::Start)
    }

    /// Whether something that serves others goes away for a moment.
    pub fn interrupts(&self) -> bool {
        self.cost.disruption >= Disruption::Restart
    }

    /// The differences for people.
    pub fn shown(&self) -> Vec<Change> {
        let directories = self.directories.iter().cloned().map(Change::Directory);
        let files = self.files.iter().map(|file| Change::File {
            path: file.path.clone(),
            kind: file.kind,
            metadata: file.metadata.clone(),
            diff: file.diff.clone(),
        });
        directories.chain(files).chain(self.units.iter().cloned().map(Change::Unit)).collect()
    }

    /// What must still be there before the files are written.
    pub fn expect(file: &FileChange) -> Option<Expect> {
        Some(file.expect.clone())
    }
}

/// Finds what differs on every host that answered and may be changed.
pub(super) fn collect<'a>(inputs: &Inputs<'a>, holds: &mut Vec<Hold>) -> Vec<HostChanges<'a>> {
    let mut all = Vec::new();
    for name in inputs.hosts {
        let (Some(host), Some(facts)) = (inputs.fleet.hosts.get(name), inputs.observation.facts(name)) else {
            continue;
        };
        let (Some(role), Some(desired)) = (inputs.fleet.role_of(host), inputs.desired.get(name)) else { continue };
        let mut files = diff_files(desired, facts);
        files.retain(|file| {
            let blocked = file.kind == FileChangeKind::Blocked;
            if blocked {
                holds.push(Hold {
                    host: name.clone(),
                    what: format!("write `{}`", file.path),
                    reason: "something that is no regular file is in its place".to_owned(),
                    hint: Some(format!("look at it and move it away: `ls -ld {}`", file.path)),
                });
            }
            !blocked
        });
        let units: Vec<_> =
            diff_units(desired, facts).into_iter().filter(|unit| known(unit, name, holds, desired, facts)).collect();
        let mut cost = disruption::cost(&files, desired, facts, role);
        if files.is_empty() {
            cost.reload_what_was_refused(&steps::applied(inputs, host, role), facts);
        }
        let restarts = restarts(&files, &cost, facts, &units);
        let serving = matches!(facts.clickhouse, ClickHouseFacts::Up { .. });
        let directories = diff_directories(desired, facts);
        let changes = HostChanges { host, role, directories, files, units, cost, restarts, serving };
        if !changes.is_empty() {
            all.push(changes);
        }
    }
    all
}

/// Holds back a unit that systemd does not know and that no file of ours brings.
fn known(
    change: &UnitChange,
    host: &crate::fleet::HostName,
    holds: &mut Vec<Hold>,
    desired: &crate::render::Desired,
    facts: &HostFacts,
) -> bool {
    let missing = facts.units.get(&change.unit).is_none_or(|unit| unit.load == "not-found");
    let brought = desired.files.keys().any(|path| path.file_name() == change.unit.as_str());
    if missing && !brought {
        let hold = Hold {
            host: host.clone(),
            what: format!("start {}", change.unit),
            reason: format!("systemd does not know the unit `{}`: its package is not installed", change.unit),
            hint: None,
        };
        if !holds.contains(&hold) {
            holds.push(hold);
        }
        return false;
    }
    true
}

/// Units that run and read a file whose change they take at start only.
fn restarts(files: &[FileChange], cost: &Cost, facts: &HostFacts, units: &[UnitChange]) -> Vec<UnitName> {
    if cost.disruption < Disruption::Restart {
        return Vec::new();
    }
    let mut restarts: Vec<_> = files
        .iter()
        .filter_map(|file| file.unit.clone())
        .filter(|unit| cost.restart_units.contains(unit))
        .filter(|unit| facts.units.get(unit).is_some_and(ObservedUnit::is_running))
        .filter(|unit| !units.iter().any(|change| change.unit == *unit && change.action == UnitAction::Start))
        .collect();
    restarts.sort();
    restarts.dedup();
    restarts
}

/// The order of the tiers: who is needed by others goes first.
pub(super) fn tier(placement: &Placement) -> u8 {
    match placement {
        Placement::Keeper { .. } => 0,
        Placement::Storage { .. } => 1,
        Placement::Stateless => 2,
    }
}
