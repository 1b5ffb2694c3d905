//! Changes: what differs on each host, and what removing it costs there (pure).

use serde::Serialize;

use super::disruption::{self, Cost};
use super::{Hold, Inputs, applied};
use crate::clickhouse::config::Disruption;
use crate::fleet::{Host, HostName, Placement};
use crate::remote::{Expect, RemotePath, UnitAction, UnitName};
use crate::render::Desired;
use crate::resource::{
    Applied, ClickHouseFacts, DirectoryChange, FileChange, FileChangeKind, HostFacts, ObservedUnit, UnitChange,
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
    /// Units that an earlier run wrote files for and did not restart.
    pub owed: Vec<UnitName>,
    /// What the server must tell once it has taken the files.
    pub applied: Applied,
    /// The ClickHouse here answers us now.
    pub answers: bool,
    /// It may serve others: it answers us, or its unit runs and only we get no answer (a password, a closed tunnel).
    pub may_serve: bool,
}

impl HostChanges<'_> {
    fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.files.is_empty() && self.units.is_empty() && self.cost == Cost::default()
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
        let owed = self.restarts.iter().filter(|unit| self.owed.contains(unit)).map(|unit| {
            let is = "running with older files".to_owned();
            Change::Unit(UnitChange { unit: unit.clone(), action: UnitAction::Restart, is })
        });
        directories.chain(files).chain(self.units.iter().cloned().map(Change::Unit)).chain(owed).collect()
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
        let mut directories = diff_directories(desired, facts);
        directories.retain(|directory| {
            let blocked = facts.files.contains_key(&directory.path);
            if blocked {
                holds.push(in_place(name, format!("make `{}`", directory.path), &directory.path, "directory"));
            }
            !blocked
        });
        let mut files = diff_files(desired, facts);
        files.retain(|file| {
            let blocked = file.kind == FileChangeKind::Blocked;
            if blocked {
                holds.push(in_place(name, format!("write `{}`", file.path), &file.path, "regular file"));
            }
            !blocked
        });
        let units: Vec<_> =
            diff_units(desired, facts).into_iter().filter(|unit| known(unit, name, holds, desired, facts)).collect();
        let applied = applied::expected(desired);
        let cost = disruption::cost(&files, desired, facts, role, &applied);
        let restarts = restarts(&cost, facts, &units);
        let answers = matches!(facts.clickhouse, ClickHouseFacts::Up { .. });
        let may_serve = answers || clickhouse_runs(role, facts);
        let owed = facts.owed.clone();
        let changes =
            HostChanges { host, role, directories, files, units, cost, restarts, owed, applied, answers, may_serve };
        if !changes.is_empty() {
            all.push(changes);
        }
    }
    all
}

/// Holds back what would replace something that is not ours: a link that somebody made has its reason.
fn in_place(host: &HostName, what: String, path: &RemotePath, kind: &str) -> Hold {
    Hold {
        host: host.clone(),
        what,
        reason: format!("something that is no {kind} is in its place"),
        hint: Some(format!("look at it and move it away: `ls -ld {path}`")),
    }
}

/// Whether systemd says that the host's ClickHouse is up; while it still starts, it serves nobody.
fn clickhouse_runs(role: &Role, facts: &HostFacts) -> bool {
    let unit = role.clickhouse.as_ref().and_then(|clickhouse| facts.units.get(&clickhouse.unit));
    unit.is_some_and(|unit| matches!(unit.active.as_str(), "active" | "reloading"))
}

/// Holds back a unit that is masked, or that systemd does not know and that no file of ours brings.
fn known(change: &UnitChange, host: &HostName, holds: &mut Vec<Hold>, desired: &Desired, facts: &HostFacts) -> bool {
    let unit = &change.unit;
    let load = facts.units.get(unit).map_or("not-found", |unit| unit.load.as_str());
    let brought = desired.files.keys().any(|path| path.file_name() == unit.as_str());
    let (reason, hint) = match load {
        "not-found" if !brought => {
            (format!("systemd does not know the unit `{unit}`: its package is not installed"), None)
        }
        "masked" => (
            format!("somebody masked the unit `{unit}`: it cannot be started"),
            Some(format!("ask why, then `systemctl unmask {unit}`")),
        ),
        _ => return true,
    };
    let hold = Hold { host: host.clone(), what: format!("start {unit}"), reason, hint };
    if !holds.contains(&hold) {
        holds.push(hold);
    }
    false
}

/// Units that run and have to start anew for a change to count.
fn restarts(cost: &Cost, facts: &HostFacts, units: &[UnitChange]) -> Vec<UnitName> {
    let running = |unit: &&UnitName| facts.units.get(*unit).is_some_and(ObservedUnit::is_running);
    let starts =
        |unit: &UnitName| units.iter().any(|change| change.unit == *unit && change.action == UnitAction::Start);
    cost.restart_units.iter().filter(running).filter(|unit| !starts(unit)).cloned().collect()
}

/// The order of the tiers: who is needed by others goes first.
pub(super) fn tier(placement: &Placement) -> u8 {
    match placement {
        Placement::Keeper { .. } => 0,
        Placement::Storage { .. } => 1,
        Placement::Stateless => 2,
    }
}
