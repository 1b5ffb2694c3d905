//! The schema's waves: one global order over all roles, to make and to alter, the migrations, and the reverse to drop (pure).
//!
//! What Housewright did not make is neither altered nor dropped, and nothing that holds rows goes without permission by name.

mod alter;
mod create;
mod drop;
mod host;
mod migrate;
mod recreate;
mod rejoin;
mod theirs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Change, FailurePolicy, Fallback, Gate, Hold, HostPlan, Inputs, Precondition, Step, Verb, Wave};
use crate::clickhouse::Statement;
use crate::clickhouse::config::Disruption;
use crate::fleet::{HostName, Placement, RoleName};
use crate::plan::steps::Limits;
use crate::resource::ClickHouseFacts;
use crate::schema::{self, Difference, Object, ObjectKind, ObjectName, Stage, recording};
use host::HostSchema;

/// Hosts whose ClickHouse the plan starts first, and those of them whose volumes it makes anew.
pub(super) type Hosts<'a> = (&'a BTreeSet<HostName>, &'a BTreeSet<HostName>);

/// Makes the waves: what is to be noted; in each stage of creating what is altered and what is made; what is made anew;
/// what is run once; what is dropped.
///
/// `starting`: hosts whose ClickHouse the plan starts first; `emptied`: those of them whose volumes it makes anew.
pub(super) fn waves(inputs: &Inputs<'_>, (starting, emptied): Hosts<'_>, holds: &mut Vec<Hold>) -> Vec<Wave> {
    let mut hosts: BTreeMap<&HostName, HostSchema<'_>> = BTreeMap::new();
    for name in inputs.hosts {
        hosts.extend(HostSchema::of(inputs, name, starting, holds).map(|host| (name, host)));
    }
    let stages = schema::stages(inputs.objects);
    recreate::plan(&mut hosts, &stages, holds);
    let mut altered = alter::plan(inputs, &mut hosts, holds);
    theirs::plan(inputs, &mut hosts);
    let forgotten = rejoin::plan(inputs, emptied, &mut hosts, holds);
    let mut waves: Vec<(Stage, Wave)> = Vec::new();
    let mut relied_on: BTreeSet<HostName> =
        forgotten.iter().flat_map(|wave| &wave.hosts).map(|host| host.host.clone()).collect();
    for stage in &stages {
        for wave in altered.waves(stage, &hosts) {
            let hosts: Vec<_> = wave.hosts.iter().map(|host| host.host.clone()).collect();
            waves.push((stage.stage, Wave { relies_on: relied_on.clone(), ..wave }));
            relied_on.extend(hosts);
        }
        let made = create::wave(stage, &hosts).map(|wave| Wave { relies_on: relied_on.clone(), ..wave });
        waves.extend(made.map(|wave| (stage.stage, wave)));
    }
    let anew = recreate::waves(&hosts).into_iter().map(|wave| Wave { relies_on: relied_on.clone(), ..wave });
    waves.extend(anew.map(|wave| (Stage::Queue, wave)));
    if let Some(reason) = shard_without_tables(inputs, starting) {
        // Rows must not flow before every shard can take them: they would be refused, and consumers would fall behind.
        let (flows, rest): (Vec<_>, Vec<_>) = waves.into_iter().partition(|(stage, _)| *stage >= Stage::Queue);
        for host in flows.into_iter().flat_map(|(_, wave)| wave.hosts) {
            let what = format!("create {} objects that make rows flow", host.changes.len());
            let hint = Some("bring a replica of that shard up first".to_owned());
            holds.push(Hold { host: host.host, what, reason: reason.clone(), hint });
        }
        waves = rest;
    }
    let noted = create::noted(&hosts);
    let dropped = drop::waves(inputs, &hosts, holds);
    let last = migrate::plan(inputs, starting, holds).before(dropped, holds).into_iter();
    let last = last.map(|wave| Wave { relies_on: relied_on.clone(), ..wave });
    let mut waves: Vec<_> =
        noted.into_iter().chain(forgotten).chain(waves.into_iter().map(|(_, wave)| wave)).chain(last).collect();
    with_record_tables(&mut waves, &hosts);
    with_patience(inputs, &mut waves);
    waves
}

/// Makes the table of records where the first of these waves touches a host that has none.
fn with_record_tables(waves: &mut [Wave], hosts: &BTreeMap<&HostName, HostSchema<'_>>) {
    let mut has: BTreeSet<HostName> = BTreeSet::new();
    for host in waves.iter_mut().flat_map(|wave| &mut wave.hosts) {
        let keeps = hosts.get(&host.host).is_some_and(|found| found.keeps_records);
        if keeps || !has.insert(host.host.clone()) {
            continue;
        }
        let [database, table] = recording::make();
        host.steps.splice(
            0..0,
            [
                execute(recording::OWN_DATABASE.to_owned(), Verb::Create, database),
                execute(recording::own_table().to_string(), Verb::Create, table),
            ],
        );
    }
}

/// A shard of which every replica was asked and none has, or will have, a running server.
fn shard_without_tables(inputs: &Inputs<'_>, starting: &BTreeSet<HostName>) -> Option<String> {
    let mut shards: BTreeMap<(&RoleName, u32), Vec<&HostName>> = BTreeMap::new();
    for host in inputs.fleet.hosts.values() {
        if let Placement::Storage { shard, .. } = host.placement {
            shards.entry((&host.role, shard)).or_default().push(&host.name);
        }
    }
    let found = |host: &&HostName| inputs.observation.hosts.get(*host);
    let runs = |host: &&HostName| {
        let facts = inputs.observation.facts(host);
        starting.contains(*host) || matches!(facts.map(|facts| &facts.clickhouse), Some(ClickHouseFacts::Up { .. }))
    };
    let dead = |hosts: &Vec<&HostName>| hosts.iter().all(|host| found(host).is_some() && !runs(host));
    let (role, shard) = shards.into_iter().find(|(_, hosts)| dead(hosts))?.0;
    Some(format!("no replica of shard {shard} of role {role} runs"))
}

fn execute(object: String, verb: Verb, statement: Statement) -> Step {
    Step::Execute { object, verb, statement, retry: Duration::ZERO }
}

/// What may be sent twice is, for as long as its host's variables say.
fn with_patience(inputs: &Inputs<'_>, waves: &mut [Wave]) {
    for plan in waves.iter_mut().flat_map(|wave| &mut wave.hosts) {
        let Some(limits) = inputs.fleet.hosts.get(&plan.host).map(Limits::of) else { continue };
        let Fallback { written, told, always } = &mut plan.fallback;
        for step in plan.steps.iter_mut().chain(written).chain(told).chain(always) {
            if let Step::Execute { retry, .. } = step {
                *retry = limits.retry;
            }
        }
    }
}

/// How many objects, or which one.
fn counted<'a>(names: impl IntoIterator<Item = &'a ObjectName>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    match names.as_slice() {
        [one] => one.to_string(),
        many => format!("{} objects", many.len()),
    }
}

/// Notes what is about to be made.
fn begin<'a>(objects: impl IntoIterator<Item = &'a Object> + Clone) -> Step {
    let names = counted(objects.clone().into_iter().map(|object| &object.name));
    execute(names, Verb::Note, recording::begin(objects))
}

/// Notes what is there as it is wanted.
fn note<'a>(objects: impl IntoIterator<Item = &'a Object> + Clone) -> Step {
    let names = counted(objects.clone().into_iter().map(|object| &object.name));
    execute(names, Verb::Note, recording::renew(objects))
}

/// Has the server add what it made of what was noted.
fn record<'a>(names: impl IntoIterator<Item = &'a ObjectName> + Clone) -> Step {
    execute(counted(names.clone()), Verb::Record, recording::finish(names))
}

/// Takes out of the record what is there no more.
fn forget<'a>(names: impl IntoIterator<Item = &'a ObjectName> + Clone) -> Step {
    execute(counted(names.clone()), Verb::Forget, recording::forget(names))
}

fn are_there<'a>(names: impl IntoIterator<Item = &'a ObjectName>) -> Step {
    Step::Gate(Gate::Objects { names: names.into_iter().map(ToString::to_string).collect() })
}

/// A host's part in one of these waves.
pub(super) fn part(host: &HostName, changes: Vec<Change>, steps: Vec<Step>) -> HostPlan {
    HostPlan {
        host: host.clone(),
        changes,
        disruption: Disruption::None,
        reasons: Vec::new(),
        steps,
        on_failure: FailurePolicy::StopRun,
        expects: Precondition::default(),
        fallback: Fallback::default(),
    }
}

/// A wave, where it has a host.
pub(super) fn wave(title: String, reason: &str, hosts: Vec<HostPlan>) -> Option<Wave> {
    (!hosts.is_empty()).then(|| Wave {
        title,
        reason: reason.to_owned(),
        away: Vec::new(),
        relies_on: BTreeSet::new(),
        hosts,
    })
}

fn reasons(why: &[Difference]) -> String {
    why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The engine, where it has one, says more than `table`.
fn kind(object: &Object) -> String {
    match (object.kind, object.engine_name()) {
        (ObjectKind::Table, engine) if !engine.is_empty() => engine.to_owned(),
        (kind, _) => kind.to_string(),
    }
}
