//! Changes: what differs on each host, and what removing it costs there (pure).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::disruption::{self, Cost};
use super::effective;
use super::setting::SettingChange;
use super::traffic::HostTraffic;
use super::{Hold, Inputs, applied, ground, ours, queues, references};
use crate::clickhouse::config::Disruption;
use crate::fleet::{Host, HostName, Placement};
use crate::ground::{Findings, GroundChange};
use crate::migration::Scope;
use crate::remote::{RemotePath, UnitAction, UnitName};
use crate::render::Desired;
use crate::resource::{
    Applied, ClickHouseFacts, DirectoryChange, FileChange, FileChangeKind, HostFacts, ObservedUnit, Owed, Ownership,
    Removal, Replaces, UnitChange, diff_directories, diff_files, diff_units, ownership,
};
use crate::role::{PlacementKind, Role};
use crate::schema::Class;

/// One difference, as people and machines read it in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", content = "of", rename_all = "kebab-case")]
pub enum Change {
    /// Something that servers stand on is missing or otherwise.
    Ground(GroundChange),
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
        /// It takes the place of a file that Housewright did not write.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        foreign: bool,
        /// Unified diff, secrets masked; many hosts share one.
        diff: Arc<str>,
    },
    /// A key of ClickHouse's effective configuration has another value, comes or goes.
    Setting(SettingChange),
    /// A secret has another value; none of them is told.
    Secret {
        /// Its reference: `env:MSK_PASSWORD`.
        reference: String,
    },
    /// The host's manifest does not say whose files are that are right otherwise.
    Record {
        /// How many.
        files: usize,
    },
    /// A unit is not enabled or does not run.
    Unit(UnitChange),
    /// systemd has not read a unit's files since they were written.
    StaleUnit {
        /// Which.
        unit: UnitName,
    },
    /// An earlier run wrote files and did not finish.
    Owed(Owed),
    /// An object is missing.
    Object {
        /// `database.name`.
        name: String,
        /// `ReplicatedMergeTree`, `MaterializedView`, ...
        kind: String,
        /// The role whose schema holds it.
        role: String,
    },
    /// An object differs and is altered where it is.
    ObjectAlter {
        /// `database.name`.
        name: String,
        /// What is altered.
        what: String,
        /// What that costs.
        class: Class,
        /// The role whose schema holds it.
        role: String,
    },
    /// An object differs and is made anew; it has no rows of its own.
    ObjectRecreate {
        /// `database.name`.
        name: String,
        /// What differs.
        why: String,
        /// What is made anew with it: a queue's views.
        with: Vec<String>,
        /// The role whose schema holds it.
        role: String,
    },
    /// Housewright made an object that the host's role wants no more.
    ObjectDrop {
        /// `database.name`.
        name: String,
        /// The role whose schema held it.
        role: String,
        /// Its rows and their bytes, where it holds any.
        #[serde(skip_serializing_if = "Option::is_none")]
        holds: Option<(u64, u64)>,
    },
    /// The host's record does not say that an object that is there is Housewright's, or how it is.
    ObjectRecord {
        /// `database.name`.
        name: String,
        /// The role whose schema holds it.
        role: String,
    },
    /// The host's record has an object that is not there any more, and that its role does not want.
    ObjectForget {
        /// `database.name`.
        name: String,
        /// The role whose schema held it.
        role: String,
    },
    /// The coordination has a replica of a table of this host whose server has nothing of it.
    ReplicaForget {
        /// `database.name`, as this host has it.
        name: String,
        /// What the replica is called.
        replica: String,
        /// Whose it was.
        of: HostName,
        /// How many of its parts go with it.
        #[serde(default, skip_serializing_if = "is_zero")]
        parts: u64,
    },
    /// A migration was not run yet, or not to its end.
    Migration {
        /// `data/0004`.
        id: String,
        /// What its file is called behind the number.
        name: String,
        /// How often it is run.
        scope: Scope,
        /// How many statements it has.
        statements: u32,
        /// How many of them are done.
        done: u32,
        /// It takes rows away.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        destroys: bool,
    },
    /// A migration is run by another host, or was; this one is to know of it.
    MigrationRecord {
        /// `data/0004`.
        id: String,
        /// What its file is called behind the number.
        name: String,
        /// The host that runs it, or did.
        by: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Change {
    /// The objects of the schema that it is about.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        let (name, with) = match self {
            Self::ObjectRecreate { name, with, .. } => (Some(name), with.as_slice()),
            Self::Object { name, .. }
            | Self::ObjectAlter { name, .. }
            | Self::ObjectDrop { name, .. }
            | Self::ObjectRecord { name, .. }
            | Self::ObjectForget { name, .. }
            | Self::ReplicaForget { name, .. } => (Some(name), [].as_slice()),
            _ => (None, [].as_slice()),
        };
        name.into_iter().chain(with).map(String::as_str)
    }

    /// Whether it is about an object of the schema, or a migration.
    #[must_use]
    pub fn is_of_schema(&self) -> bool {
        matches!(
            self,
            Self::Object { .. }
                | Self::ObjectAlter { .. }
                | Self::ObjectRecreate { .. }
                | Self::ObjectDrop { .. }
                | Self::ObjectRecord { .. }
                | Self::ObjectForget { .. }
                | Self::ReplicaForget { .. }
                | Self::Migration { .. }
                | Self::MigrationRecord { .. }
        )
    }
}

/// All that differs on one host.
pub(super) struct HostChanges<'a> {
    pub host: &'a Host,
    pub role: &'a Role,
    /// What should be on it.
    pub desired: &'a Desired,
    /// What was found on it.
    pub facts: &'a HostFacts,
    /// What its servers stand on, in the order of the work.
    pub ground: Vec<GroundChange>,
    pub directories: Vec<DirectoryChange>,
    pub files: Vec<FileChange>,
    /// What of ours goes, and how the manifest changes.
    pub own: Ownership,
    pub units: Vec<UnitChange>,
    pub cost: Cost,
    /// Units that run now and have to be restarted.
    pub restarts: Vec<UnitName>,
    /// What an earlier run wrote files for and did not finish.
    pub owed: BTreeSet<Owed>,
    /// Restarts that `--only` leaves owed.
    pub later: BTreeSet<Owed>,
    /// What the server must tell once it has taken the files.
    pub applied: Applied,
    /// Units whose files systemd has not read since they were written.
    pub stale_units: Vec<UnitName>,
    /// Whether it is in traffic, and how it gets out and back.
    pub traffic: HostTraffic,
    /// It may serve others: it answers us, or its unit runs and only we get no answer (a password, a closed tunnel).
    pub may_serve: bool,
}

impl HostChanges<'_> {
    pub fn is_empty(&self) -> bool {
        let nothing = !self.writes() && self.ground.is_empty() && self.units.is_empty() && self.stale_units.is_empty();
        nothing && self.cost == Cost::default() && !self.traffic.returns
    }

    /// Whether anything is written or removed.
    pub fn writes(&self) -> bool {
        let (files, own) = (&self.files, &self.own);
        !(self.directories.is_empty() && files.is_empty() && own.removals.is_empty() && own.record.is_none())
    }

    /// Whether the plan starts this host's ClickHouse.
    pub fn starts_clickhouse(&self) -> bool {
        self.role.clickhouse.as_ref().is_some_and(|clickhouse| self.touches(&clickhouse.unit))
    }

    /// Whether the plan takes this host's running ClickHouse away for a moment.
    pub fn restarts_clickhouse(&self) -> bool {
        self.role.clickhouse.as_ref().is_some_and(|clickhouse| self.restarts.contains(&clickhouse.unit))
    }

    /// Whether the tables that consume have to be attached anew: a start does that too.
    pub fn reattaches(&self) -> bool {
        !self.cost.reattach.is_empty() && !self.starts_clickhouse()
    }

    /// Whether a unit is started or restarted here.
    fn touches(&self, unit: &UnitName) -> bool {
        self.restarts.contains(unit)
            || self.units.iter().any(|change| change.unit == *unit && change.action == UnitAction::Start)
    }

    /// Whether the server is told to read its files again: a start anew does that too.
    pub fn reloads(&self) -> bool {
        self.cost.reload && !self.starts_clickhouse()
    }

    /// Whether something that serves others goes away for a moment.
    pub fn interrupts(&self) -> bool {
        self.cost.disruption >= Disruption::Restart
    }

    /// The differences for people.
    pub fn shown(&self) -> Vec<Change> {
        let ground = self.ground.iter().cloned().map(Change::Ground);
        let directories = self.directories.iter().cloned().map(Change::Directory);
        let files = self.files.iter().map(|file| Change::File {
            path: file.path.clone(),
            kind: file.kind,
            metadata: file.metadata.clone(),
            foreign: file.replaces == Replaces::Foreign,
            diff: file.diff.clone(),
        });
        let removals = self.own.removals.iter().map(|file| Change::File {
            path: file.path.clone(),
            kind: FileChangeKind::Remove,
            metadata: None,
            foreign: false,
            diff: file.diff.clone(),
        });
        let untouched = self.own.record.as_ref().map_or(0, |record| record.untouched);
        let record = (untouched > 0).then_some(Change::Record { files: untouched });
        let files = files.chain(removals).chain(record);
        let stale = self.stale_units.iter().map(|unit| Change::StaleUnit { unit: unit.clone() });
        let owed = self.owed.iter().cloned().map(Change::Owed).chain(stale);
        let settings = self.cost.settings.iter().cloned().map(Change::Setting);
        let secrets: BTreeSet<_> = self.files.iter().flat_map(|file| &file.secrets).cloned().collect();
        let secrets = secrets.into_iter().map(|reference| Change::Secret { reference });
        ground
            .chain(directories)
            .chain(settings)
            .chain(secrets)
            .chain(files)
            .chain(self.units.iter().cloned().map(Change::Unit))
            .chain(owed)
            .collect()
    }
}

/// Finds what differs on every host that answered and may be changed.
pub(super) fn collect<'a>(inputs: &Inputs<'a>, holds: &mut Vec<Hold>) -> Vec<HostChanges<'a>> {
    let mut all = Vec::new();
    let mut diffs: BTreeSet<Arc<str>> = BTreeSet::new();
    for name in inputs.hosts {
        let (Some(host), Some(facts)) = (inputs.fleet.hosts.get(name), inputs.observation.facts(name)) else {
            continue;
        };
        let (Some(role), Some(desired)) = (inputs.fleet.role_of(host), inputs.desired.get(name)) else { continue };
        holds.extend(unreadable_marker(name, facts));
        if let Some(hold) = another_replica(host, facts) {
            holds.push(hold);
            continue;
        }
        let mut own = ownership(desired, facts);
        let whole = ours::whole(name, &own, facts);
        if !whole.is_empty() {
            holds.extend(whole);
            continue;
        }
        holds.extend(ours::kept(name, &own));
        let mut directories = diff_directories(desired, facts);
        directories.retain(|directory| {
            let blocked = facts.files.contains_key(&directory.path);
            if blocked {
                holds.push(in_place(name, format!("make `{}`", directory.path), &directory.path, "directory"));
            }
            !blocked
        });
        let mut files = diff_files(desired, facts);
        let is_blocked = hold_blocked(name, &mut files, holds);
        let texts = files.iter_mut().map(|file| &mut file.diff);
        for diff in texts.chain(own.removals.iter_mut().map(|file| &mut file.diff)) {
            match diffs.get(diff) {
                Some(known) => *diff = Arc::clone(known),
                None => drop(diffs.insert(Arc::clone(diff))),
            }
        }
        let mut stays = references::hold_back(name, (&mut files, &mut own), desired, facts, holds);
        if is_blocked {
            stays |= references::withhold_generation(&mut files, &mut own, desired);
        }
        let Findings { changes: mut ground, lacks_a_volume, .. } =
            ground::collect((name, desired, facts), inputs, holds);
        if lacks_a_volume {
            (directories, files, own) = (Vec::new(), Vec::new(), Ownership::default());
        }
        let brought = Brought { desired, ground: &ground };
        let mut units: Vec<_> = diff_units(desired, facts)
            .into_iter()
            .filter(|unit| !lacks_a_volume && known(unit, name, holds, &brought, facts))
            .collect();
        let applied = if stays { Applied::default() } else { applied::expected(host, desired, facts) };
        let mut cost = disruption::cost(&files, &own.removals, desired, facts, role, &applied);
        cost.take_ground(&ground, facts);
        if let Some(why) =
            cost.refused.take().or_else(|| refused_at_start(role, &cost, &units, (desired, &own.removals), facts))
        {
            holds.push(refused(name, &why));
            (ground, directories, files, units) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            own = Ownership::default();
            cost = Cost::of_detached(facts);
        }
        let restarts = restarts(&cost, facts, &units);
        let may_serve = may_serve(role, facts);
        let owed = facts.owed.clone();
        let stale_units = desired.units.keys().filter(|unit| facts.units.get(*unit).is_some_and(|unit| unit.is_stale));
        let stale_units = stale_units.cloned().collect();
        let changes = HostChanges {
            host,
            role,
            desired,
            facts,
            ground,
            directories,
            files,
            own,
            units,
            cost,
            restarts,
            owed,
            later: BTreeSet::new(),
            applied,
            stale_units,
            traffic: HostTraffic::of(host, facts),
            may_serve,
        };
        if !(changes.interrupts() || changes.starts_clickhouse()) || changes.traffic.hooks.is_empty() {
            holds.extend(changes.traffic.stays_out(host, facts));
        }
        match unheard(&changes, facts) {
            Some(hold) => holds.push(hold),
            None if changes.is_empty() => {}
            None => all.push(changes),
        }
    }
    all
}

/// Holds files back where something else stands in their place; tells whether a unit reads one of them.
fn hold_blocked(name: &HostName, files: &mut Vec<FileChange>, holds: &mut Vec<Hold>) -> bool {
    let mut is_read = false;
    files.retain(|file| {
        let blocked = file.kind == FileChangeKind::Blocked;
        is_read |= blocked && file.unit.is_some();
        if blocked {
            holds.push(in_place(name, format!("write `{}`", file.path), &file.path, "regular file"));
        }
        !blocked
    });
    is_read
}

/// Holds everything back where tables live under another shard or replica than the inventory says: a table keeps its
/// macros unexpanded, so at the next start it would take another replica's place
/// (<https://github.com/ClickHouse/ClickHouse/issues/26251>), and our waves would guard the wrong peers.
pub(super) fn another_replica(host: &Host, facts: &HostFacts) -> Option<Hold> {
    let Placement::Storage { shard, replica } = &host.placement else { return None };
    let ClickHouseFacts::Up { server, .. } = &facts.clickhouse else { return None };
    let wanted = [("shard", shard.to_string()), ("replica", replica.clone())];
    let (name, is, wanted) = wanted
        .into_iter()
        .filter_map(|(name, wanted)| Some((name, server.macros.get(name)?, wanted)))
        .find(|(_, is, wanted)| **is != *wanted)
        .filter(|_| server.replicas > 0)?;
    Some(Hold {
        host: host.name.clone(),
        what: "change anything".to_owned(),
        reason: format!(
            "its {} replicated tables live as {name} {is}, the inventory says {name} {wanted}",
            server.replicas
        ),
        hint: Some(format!("put `{name}: {is}` into the inventory, or move the tables by hand first")),
    })
}

/// Tells of a marker that says that something is detached, and not what: nothing of it is attached.
fn unreadable_marker(host: &HostName, facts: &HostFacts) -> Option<Hold> {
    let marker = queues::unreadable_marker(facts)?.marker()?;
    let detached: Vec<_> = queues::detached_by_others(facts).map(ToString::to_string).collect();
    Some(Hold {
        host: host.clone(),
        what: format!("attach {}", detached.join(", ")),
        reason: format!("`{marker}` says that an earlier run detached tables, and cannot be read"),
        hint: Some("attach by hand what is not meant to be detached, then remove it".to_owned()),
    })
}

/// Why ClickHouse would not come back from a start or restart that is not this plan's files' doing.
fn refused_at_start(
    role: &Role,
    cost: &Cost,
    units: &[UnitChange],
    (desired, removals): (&Desired, &[Removal]),
    facts: &HostFacts,
) -> Option<String> {
    let unit = &role.clickhouse.as_ref()?.unit;
    let starts = units.iter().any(|change| change.unit == *unit && change.action == UnitAction::Start);
    (starts || cost.restart_units.contains(unit)).then(|| effective::refused(desired, removals, facts))?
}

/// Holds everything back where the server would not start with its files as they will be.
fn refused(host: &HostName, why: &str) -> Hold {
    Hold {
        host: host.clone(),
        what: "change anything".to_owned(),
        reason: format!("its ClickHouse would refuse its configuration: {why}"),
        hint: Some(
            "mend the file; with one that is not ours, `housewright adopt FILE` lets the next plan remove it"
                .to_owned(),
        ),
    }
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

/// Holds a reload back where nobody could be told to read the files.
fn unheard(changes: &HostChanges<'_>, facts: &HostFacts) -> Option<Hold> {
    let ClickHouseFacts::Down { reason } = &facts.clickhouse else { return None };
    (changes.may_serve && changes.reloads() && !changes.interrupts()).then(|| Hold {
        host: changes.host.name.clone(),
        what: "write and reload".to_owned(),
        reason: format!("its ClickHouse runs and does not answer us: {reason}"),
        hint: Some("are `clickhouse.user` and `password` of its role right?".to_owned()),
    })
}

/// Whether a host's server may serve others: it answers us, or systemd says that it is up and only we get no answer (a
/// password, a closed tunnel). While it still starts, it serves nobody.
pub(super) fn may_serve(role: &Role, facts: &HostFacts) -> bool {
    let answers = matches!(facts.clickhouse, ClickHouseFacts::Up { .. }) || facts.keeper.serves().is_ok();
    let clickhouse = role.clickhouse.as_ref().map(|clickhouse| &clickhouse.unit);
    let units = facts.units.iter().filter(|(name, _)| match role.placement {
        PlacementKind::Keeper => true,
        PlacementKind::Storage | PlacementKind::Stateless => Some(*name) == clickhouse,
    });
    answers || units.into_iter().any(|(_, unit)| matches!(unit.active.as_str(), "active" | "reloading"))
}

/// What may bring a unit that systemd does not know yet.
struct Brought<'a> {
    desired: &'a Desired,
    ground: &'a [GroundChange],
}

impl Brought<'_> {
    fn has(&self, unit: &UnitName) -> bool {
        self.desired.files.keys().any(|path| path.file_name() == unit.as_str())
            || self.ground.iter().any(|change| change.brings.as_ref() == Some(unit))
    }
}

/// Holds back a unit that is masked, or that systemd does not know and that nothing of ours brings.
fn known(
    change: &UnitChange,
    host: &HostName,
    holds: &mut Vec<Hold>,
    brought: &Brought<'_>,
    facts: &HostFacts,
) -> bool {
    let unit = &change.unit;
    let load = facts.units.get(unit).map_or("not-found", |unit| unit.load.as_str());
    let (reason, hint) = match load {
        "not-found" if !brought.has(unit) => {
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
pub(super) fn restarts(cost: &Cost, facts: &HostFacts, units: &[UnitChange]) -> Vec<UnitName> {
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
