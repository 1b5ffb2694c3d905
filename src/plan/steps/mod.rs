//! The steps that remove a host's differences, in order (pure).

mod limits;
mod log;
mod queues;
mod traffic;

use std::collections::BTreeSet;

pub(super) use limits::Limits;
use queues::Queues;

use super::change::HostChanges;
use super::safety::Peers;
use super::{FileStep, Gate, Step, ground};
use crate::fleet::Placement;
use crate::ground::When;
use crate::remote::{Expect, Expected, UnitAction, UnitName};
use crate::resource::{ClickHouseFacts, FileChange, FileChangeKind, Owed, Record};
use crate::role::Role;

/// The directory whose change makes systemd read its units again.
const UNIT_FILES: &str = "/etc/systemd/system/";

/// Orders one host's changes: peers' gate, write, units, reload, gates, and last what was owed is settled.
pub(super) fn configuration(host: &HostChanges<'_>, peers: &Peers) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(peers.gate().map(Step::Gate));
    let limits = Limits::of(host.host);
    let queues = Queues::of(host, &limits);
    let (early, record) = early(host);
    steps.extend(early);
    steps.extend(ground::work(&host.ground, When::BeforeFiles));
    steps.extend(traffic::out(host));
    steps.extend(before_restart(host, &limits));
    steps.extend(queues.before_restart());
    if host.restarts_clickhouse() && matches!(host.facts.clickhouse, ClickHouseFacts::Up { .. }) {
        steps.push(Step::NoteTime);
    }
    let owes = owes(host, &queues);
    if host.writes() || !owes.is_empty() {
        let is_later = |file: &&FileChange| !is_early(file, host);
        let removal =
            |file: &crate::resource::Removal| FileStep { path: file.path.clone(), expect: file.expect.clone() };
        steps.push(Step::Write {
            directories: host.directories.iter().map(|directory| directory.path.clone()).collect(),
            files: host.files.iter().filter(is_later).map(|file| file_step(file, host)).collect(),
            removals: host.own.removals.iter().map(removal).collect(),
            record: record.map(Box::new),
            owes: owes.clone(),
        });
    }
    steps.extend(ground::work(&host.ground, When::BehindFiles));
    let mut touched = host.files.iter().map(|file| &file.path).chain(host.own.removals.iter().map(|file| &file.path));
    let unit_files = touched.any(|path| path.as_str().starts_with(UNIT_FILES));
    if unit_files || !host.stale_units.is_empty() {
        steps.push(Step::DaemonReload);
    }
    steps.extend(host.units.iter().map(|change| Step::Unit { unit: change.unit.clone(), action: change.action }));
    let restart = |unit: &UnitName| Step::Unit { unit: unit.clone(), action: UnitAction::Restart };
    steps.extend(host.restarts.iter().map(restart));
    let mut running: Vec<_> = host.restarts.clone();
    running.extend(host.units.iter().filter(|unit| unit.action == UnitAction::Start).map(|unit| unit.unit.clone()));
    if !running.is_empty() {
        steps.push(Step::Gate(Gate::UnitsRunning { units: running.clone() }));
    }
    if let (Placement::Keeper { .. }, false) = (&host.host.placement, running.is_empty()) {
        steps.extend(match peers {
            Peers::Members { members, joining, .. } => {
                Some(Step::Gate(Gate::Converged { members: members.iter().chain(joining).cloned().collect() }))
            }
            Peers::None | Peers::Replicas { .. } => Some(Step::Gate(Gate::KeeperServing)),
            // Nobody follows it, and it follows nobody, before the others are told of it.
            Peers::Joins => None,
        });
    }
    let mut settled: BTreeSet<_> = owes.into_iter().chain(queues.journal()).chain(host.owed.iter().cloned()).collect();
    settled.retain(|owed| !host.later.contains(owed));
    let (now, later): (BTreeSet<_>, BTreeSet<_>) = settled.into_iter().partition(|owed| match owed {
        Owed::Restart(unit) | Owed::Reload(unit) | Owed::Reattach(unit) => running.contains(unit),
        Owed::Attach(_) | Owed::Traffic => false,
    });
    settle(now, &mut steps);
    let reload = clickhouse(host, &running, &limits, &mut steps);
    steps.extend(queues.behind());
    if host.role.clickhouse.as_ref().is_some_and(|clickhouse| running.contains(&clickhouse.unit)) {
        steps.extend(log::of(host.desired).map(|log| Step::Gate(Gate::Quiet { log })));
        steps.extend(questions(host.role));
    }
    settle(later.into_iter().filter(|owed| due(owed, reload, &queues)).collect(), &mut steps);
    let back = traffic::back(host, &steps);
    steps.extend(back);
    steps
}

/// Whether a file is written before the work that may need it.
fn is_early(file: &FileChange, host: &HostChanges<'_>) -> bool {
    let wanted = host.desired.files.get(&file.path).is_some_and(|file| file.early);
    wanted && host.ground.iter().any(|change| change.when == When::BeforeFiles)
}

/// A file and what must be in its place: where a package of this run brings one of its own, that may be there.
fn file_step(file: &FileChange, host: &HostChanges<'_>) -> FileStep {
    let over = host.desired.files.get(&file.path).is_some_and(|file| file.over_package);
    let brought = over && host.ground.iter().any(|change| change.when == When::BeforeFiles && change.is.is_none());
    let expect = match file.kind {
        FileChangeKind::Create if brought => Expect { path: file.path.clone(), state: Expected::Whatever },
        _ => file.expect.clone(),
    };
    FileStep { path: file.path.clone(), expect }
}

/// The write of what work needs, and what is left to record behind it.
fn early(host: &HostChanges<'_>) -> (Option<Step>, Option<Record>) {
    let files: Vec<_> =
        host.files.iter().filter(|file| is_early(file, host)).map(|file| file_step(file, host)).collect();
    let whole = host.own.record.clone();
    if files.is_empty() {
        return (None, whole);
    }
    let (first, rest) = whole.as_ref().and_then(Record::halves).map_or((None, whole), |(a, b)| (Some(a), Some(b)));
    let (directories, removals) = (Vec::new(), Vec::new());
    let record = first.map(Box::new);
    (Some(Step::Write { directories, files, removals, record, owes: BTreeSet::new() }), rest)
}

/// The role's own questions to a server that has come back.
fn questions(role: &Role) -> impl Iterator<Item = Step> {
    role.gates.iter().map(|(name, gate)| {
        Step::Gate(Gate::Asked { name: name.clone(), query: gate.query.clone(), limit: gate.limit, hint: None })
    })
}

/// Whether something that is owed is done once the last gates are open.
fn due(owed: &Owed, reload: Reload, queues: &Queues) -> bool {
    match owed {
        Owed::Attach(_) => queues.come_back(),
        // With the commands that do it.
        Owed::Traffic => false,
        Owed::Reload(_) | Owed::Reattach(_) | Owed::Restart(_) => reload == Reload::Asked,
    }
}

/// What the host owes from the write on.
fn owes(host: &HostChanges<'_>, queues: &Queues) -> BTreeSet<Owed> {
    let mut owes: BTreeSet<_> = host.restarts.iter().cloned().map(Owed::Restart).collect();
    // A marker that is there already is not written again.
    owes.extend(host.later.difference(&host.owed).cloned());
    if let (true, Some(clickhouse)) = (host.reloads(), &host.role.clickhouse) {
        owes.insert(Owed::Reload(clickhouse.unit.clone()));
        if host.reattaches() {
            owes.insert(Owed::Reattach(clickhouse.unit.clone()));
            owes.extend(queues.journal());
        }
    }
    owes
}

fn settle(owed: BTreeSet<Owed>, steps: &mut Vec<Step>) {
    if !owed.is_empty() {
        steps.push(Step::Settle { owed });
    }
}

/// Whether a server was told to read its files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reload {
    Asked,
    NotAsked,
}

/// What a data host finishes before it goes: merges would be cancelled, and queries cut. The restart that starts merges again
/// is noted first: whoever comes after a run that died in between does it, also where the change is wanted no more.
fn before_restart(host: &HostChanges<'_>, limits: &Limits) -> Vec<Step> {
    let answers = matches!(host.facts.clickhouse, ClickHouseFacts::Up { .. });
    match host.host.placement {
        Placement::Storage { .. } if answers && host.restarts_clickhouse() => {
            let owes = note(host.restarts.iter().cloned().map(Owed::Restart).collect());
            vec![owes, Step::StopMerges, Step::AwaitQueries { limit: limits.queries }]
        }
        _ => Vec::new(),
    }
}

/// Writes down what is owed, and nothing else.
fn note(owes: BTreeSet<Owed>) -> Step {
    Step::Write { directories: Vec::new(), files: Vec::new(), removals: Vec::new(), record: None, owes }
}

fn clickhouse(host: &HostChanges<'_>, running: &[UnitName], limits: &Limits, steps: &mut Vec<Step>) -> Reload {
    let Some(clickhouse) = &host.role.clickhouse else { return Reload::NotAsked };
    if host.reloads() {
        steps.push(Step::ReloadConfig);
    }
    let starts = running.contains(&clickhouse.unit);
    if starts || host.reloads() {
        steps.push(Step::Gate(if starts { limits.settled(host.facts) } else { Gate::Serving }));
        steps.push(Step::Gate(Gate::Applied(host.applied.clone())));
    }
    if host.reloads() { Reload::Asked } else { Reload::NotAsked }
}
