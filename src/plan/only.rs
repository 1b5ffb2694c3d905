//! `--only`: one part of the changes, and a list of what it leaves out (pure).
//!
//! What is written under a running server stays owed until a restart: no part makes another one forgotten. What an
//! earlier run detached is attached with every part.

use std::collections::BTreeSet;

use super::change::HostChanges;
use super::disruption::{self, Cost};
use super::{Change, Inputs, Part, Plan, Wave};
use crate::clickhouse::config::{ConfigDirectory, Disruption};
use crate::remote::{RemotePath, UnitAction, UnitName};
use crate::resource::{Applied, FileChange, Owed, UnitChange};

/// The directories that hold units' own files: systemd reads them, and no server.
const UNIT_FILES: &str = "/etc/systemd/";

/// Keeps one part of every host's changes; what it leaves out is written into the plan.
pub(super) fn narrow<'a>(
    inputs: &Inputs<'_>,
    part: Part,
    hosts: Vec<HostChanges<'a>>,
    plan: &mut Plan,
) -> Vec<HostChanges<'a>> {
    if matches!(part, Part::Schema | Part::Records) {
        // What holds a file back holds no statement back.
        plan.holds.clear();
    }
    let mut kept = Vec::new();
    for mut host in hosts {
        let mut left = match part {
            Part::Config => config(inputs, &mut host),
            Part::Restart => restart(inputs, &mut host),
            Part::Host => host_itself(inputs, &mut host),
            Part::Schema | Part::Records => everything(&mut host),
        };
        left.extend(host.later.iter().map(|owed| format!("the {owed}, which stays owed")));
        if !left.is_empty() {
            plan.left_out.insert(host.host.name.clone(), left);
        }
        if !host.is_empty() {
            kept.push(host);
        }
    }
    kept
}

/// Keeps what writes records and touches no object; says what is left out.
pub(super) fn records(waves: Vec<Wave>, plan: &mut Plan) -> Vec<Wave> {
    let writes_only = |change: &Change| matches!(change, Change::ObjectRecord { .. } | Change::ObjectForget { .. });
    let (records, rest): (Vec<_>, Vec<_>) =
        waves.into_iter().partition(|wave| wave.hosts.iter().flat_map(|host| &host.changes).all(writes_only));
    leave_schema(&rest, plan);
    records
}

/// Says which objects are left out.
pub(super) fn leave_schema(waves: &[Wave], plan: &mut Plan) {
    for host in waves.iter().flat_map(|wave| &wave.hosts) {
        let left = plan.left_out.entry(host.host.clone()).or_default();
        left.extend(host.changes.iter().filter_map(|change| match change {
            Change::Object { name, .. } => Some(format!("create {name}")),
            Change::ObjectAlter { name, what, .. } => Some(format!("{name}: {what}")),
            Change::ObjectRecreate { name, .. } => Some(format!("make {name} anew")),
            Change::ObjectDrop { name, .. } => Some(format!("drop {name}")),
            Change::ObjectRecord { name, .. } => Some(format!("record {name}")),
            Change::ObjectForget { name, .. } => Some(format!("take {name} out of the record")),
            Change::ReplicaForget { name, replica, .. } => Some(format!("forget replica {replica} of {name}")),
            Change::Migration { id, .. } => Some(format!("run {id}")),
            Change::MigrationRecord { id, .. } => Some(format!("note {id}")),
            _ => None,
        }));
    }
}

/// Whether a server reads a file, and not systemd.
fn is_config(file: &FileChange) -> bool {
    is_read(&file.path, file.unit.as_ref())
}

fn is_read(path: &RemotePath, unit: Option<&UnitName>) -> bool {
    let read = unit.is_some() || ConfigDirectory::of(path.as_str()).is_some();
    read && !path.as_str().starts_with(UNIT_FILES)
}

/// Files that servers read, the directories above them, and the reload.
fn config(inputs: &Inputs<'_>, host: &mut HostChanges<'_>) -> BTreeSet<String> {
    let mut left = drop_files(host, is_read);
    left.extend(drop_ground(host));
    left.extend(drop_units(host, |_| false));
    let files = &host.files;
    let above = |directory: &str| files.iter().any(|file| file.path.as_str().starts_with(&format!("{directory}/")));
    host.directories.retain(|change| {
        let keep = above(change.path.as_str());
        if !keep {
            left.insert(format!("make {}", change.path));
        }
        keep
    });
    host.stale_units.clear();
    recount(inputs, host);
    owe_restarts(host);
    left
}

/// Directories, files that no server reads, and units; none is started whose configuration is not there yet.
fn host_itself(inputs: &Inputs<'_>, host: &mut HostChanges<'_>) -> BTreeSet<String> {
    let outdated: BTreeSet<UnitName> =
        host.files.iter().filter(|file| is_config(file)).filter_map(reader(host)).collect();
    let mut left = drop_files(host, |path, unit| !is_read(path, unit));
    left.extend(drop_units(host, |change| change.action == UnitAction::Enable || !outdated.contains(&change.unit)));
    let reload = host.reloads();
    recount(inputs, host);
    (host.cost.reload, host.cost.reattach) = (false, BTreeSet::new());
    left.extend(reload.then(|| "reload the configuration".to_owned()));
    owe_restarts(host);
    left
}

/// The unit that reads a file.
fn reader<'h>(host: &'h HostChanges<'_>) -> impl Fn(&FileChange) -> Option<UnitName> + use<'h> {
    let clickhouse = host.role.clickhouse.as_ref().map(|clickhouse| &clickhouse.unit);
    move |file| file.unit.as_ref().or(clickhouse).cloned()
}

/// Restarts that what is on the host needs.
fn restart(inputs: &Inputs<'_>, host: &mut HostChanges<'_>) -> BTreeSet<String> {
    let mut left = nothing_beneath(host);
    let reload = host.reloads();
    recount(inputs, host);
    (host.cost.reload, host.cost.reattach) = (false, BTreeSet::new());
    if host.restarts.is_empty() {
        host.cost = Cost::of_detached(host.facts);
        host.stale_units.clear();
    }
    left.extend((reload && !host.starts_clickhouse()).then(|| "reload the configuration".to_owned()));
    left
}

/// Leaves files, directories, units and what they stand on.
fn nothing_beneath(host: &mut HostChanges<'_>) -> BTreeSet<String> {
    let mut left = drop_files(host, |_, _| false);
    left.extend(drop_ground(host));
    left.extend(host.own.record.take().map(|_| "record which files are its own".to_owned()));
    left.extend(drop_units(host, |_| false));
    left.extend(host.directories.drain(..).map(|directory| format!("make {}", directory.path)));
    left
}

fn drop_ground(host: &mut HostChanges<'_>) -> BTreeSet<String> {
    host.ground.drain(..).map(|change| format!("{} {}", change.kind, change.name)).collect()
}

fn everything(host: &mut HostChanges<'_>) -> BTreeSet<String> {
    let mut left = nothing_beneath(host);
    let owed = host.owed.iter().filter(|owed| !matches!(owed, Owed::Attach(_) | Owed::Traffic));
    left.extend(owed.map(ToString::to_string));
    host.cost = Cost::of_detached(host.facts);
    host.stale_units.clear();
    left
}

fn drop_files(host: &mut HostChanges<'_>, keep: impl Fn(&RemotePath, Option<&UnitName>) -> bool) -> BTreeSet<String> {
    let is_left = |path: &RemotePath, unit: Option<&UnitName>| is_read(path, unit) && !keep(path, unit);
    let mut removals = host.own.removals.iter();
    if host.files.iter().any(|file| is_left(&file.path, file.unit.as_ref()))
        || removals.any(|file| is_left(&file.path, file.unit.as_ref()))
    {
        // The server is held to its files where they are the desired ones.
        host.applied = Applied::default();
    }
    let mut left = BTreeSet::new();
    let mut untouched = BTreeSet::new();
    host.files.retain(|file| {
        let keep = keep(&file.path, file.unit.as_ref());
        if !keep {
            left.insert(format!("write {}", file.path));
            untouched.insert(file.path.clone());
        }
        keep
    });
    for file in host.own.removals.iter().filter(|file| !keep(&file.path, file.unit.as_ref())) {
        left.insert(format!("remove {}", file.path));
        untouched.insert(file.path.clone());
    }
    host.own.leave(&untouched);
    left
}

fn drop_units(host: &mut HostChanges<'_>, keep: impl Fn(&UnitChange) -> bool) -> BTreeSet<String> {
    let mut left = BTreeSet::new();
    host.units.retain(|change| {
        let keep = keep(change);
        if !keep {
            left.insert(format!("{} {}", change.action, change.unit));
        }
        keep
    });
    left
}

/// Counts again what the changes cost that are left.
fn recount(inputs: &Inputs<'_>, host: &mut HostChanges<'_>) {
    let name = &host.host.name;
    let (Some(desired), Some(facts)) = (inputs.desired.get(name), inputs.observation.facts(name)) else { return };
    host.cost = disruption::cost(&host.files, &host.own.removals, desired, facts, host.role, &host.applied);
    host.cost.take_ground(&host.ground, facts);
    host.restarts = super::change::restarts(&host.cost, facts, &host.units);
}

/// Leaves the restarts owed; a running ClickHouse reads what it can of its new files now.
fn owe_restarts(host: &mut HostChanges<'_>) {
    let clickhouse = host.role.clickhouse.as_ref().map(|clickhouse| &clickhouse.unit);
    let gone = host.own.removals.iter().any(|file| is_read(&file.path, file.unit.as_ref()));
    let reads = (gone || host.files.iter().any(is_config)) && host.restarts.iter().any(|unit| Some(unit) == clickhouse);
    if reads {
        for reason in &mut host.cost.reasons {
            reason.insert_str(0, "the restart stays owed, and what a reload takes is taken now: ");
        }
    }
    host.later.extend(host.restarts.drain(..).map(Owed::Restart));
    host.cost.restart_units.clear();
    host.cost.reload |= reads;
    host.cost.disruption = match (host.cost.reload, host.cost.reattach.is_empty()) {
        (true, false) => Disruption::Reattach,
        (true, true) => Disruption::Reload,
        (false, _) => Disruption::None,
    };
    if !host.cost.reload {
        host.cost = Cost::of_detached(host.facts);
    }
}
