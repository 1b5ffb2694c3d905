//! The schema's waves: one global order over all roles (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, FailurePolicy, Fallback, Gate, Hold, HostPlan, Inputs, Precondition, Step, Wave, queues};
use crate::clickhouse::config::Disruption;
use crate::fleet::{HostName, Placement, RoleName};
use crate::resource::SERVER_LOG;
use crate::resource::{ClickHouseFacts, HostFacts};
use crate::schema::{self, Difference, Object, ObjectChange, ObjectKind, ObjectName, Records, SchemaStage, Stage};

const BY_HAND: &str = "change it by hand: this version only creates";

/// Makes one wave per creation stage, each with the hosts where something of it is missing.
///
/// `starting`: hosts whose ClickHouse the plan starts first.
pub(super) fn waves(inputs: &Inputs<'_>, starting: &BTreeSet<HostName>, holds: &mut Vec<Hold>) -> Vec<Wave> {
    let mut missing: BTreeMap<&HostName, (&RoleName, BTreeSet<&ObjectName>)> = BTreeMap::new();
    for host in inputs.hosts {
        let (Some(fleet_host), Some(facts)) = (inputs.fleet.hosts.get(host), inputs.observation.facts(host)) else {
            continue;
        };
        let objects = inputs.objects.get(&fleet_host.role).map(Vec::as_slice).unwrap_or_default();
        if !objects.is_empty() {
            let names = missing_on(host, facts, objects, starting, holds);
            missing.insert(host, (&fleet_host.role, names));
        }
    }
    let stages = schema::stages(inputs.objects);
    let mut waves: Vec<_> = stages.iter().filter_map(|stage| Some((stage.stage, wave(stage, &missing)?))).collect();
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
    waves.into_iter().map(|(_, wave)| wave).collect()
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

fn missing_on<'a>(
    host: &HostName,
    facts: &HostFacts,
    objects: &'a [Object],
    starting: &BTreeSet<HostName>,
    holds: &mut Vec<Hold>,
) -> BTreeSet<&'a ObjectName> {
    let mut hold = |what: String, reason: String, hint: Option<String>| {
        holds.push(Hold { host: host.clone(), what, reason, hint });
    };
    let is_detached = |name: &ObjectName| facts.flow.detached.as_ref().is_some_and(|tables| tables.contains(name));
    match &facts.clickhouse {
        ClickHouseFacts::Up { objects: live, .. } => {
            let mut missing = BTreeSet::new();
            for change in schema::diff(objects, live, &Records::new()) {
                match change {
                    // It would say that all is well and make nothing: <https://clickhouse.com/docs/sql-reference/statements/detach>.
                    ObjectChange::Create(object) if is_detached(&object.name) => {
                        if queues::detached_by_others(facts).any(|name| *name == object.name) {
                            let hint = format!("attach it when that is over: `ATTACH TABLE {}`", object.name);
                            let reason = "somebody detached it".to_owned();
                            hold(format!("create `{}`", object.name), reason, Some(hint));
                        }
                    }
                    ObjectChange::Create(object) => {
                        missing.extend(objects.iter().map(|ours| &ours.name).find(|name| **name == object.name));
                    }
                    ObjectChange::Alter { object, why, .. } | ObjectChange::Recreate { object, why } => {
                        hold(format!("change `{}`", object.name), reasons(&why), Some(BY_HAND.to_owned()));
                    }
                    ObjectChange::Held { object, why, hint } => {
                        hold(format!("change `{}`", object.name), reasons(&why), Some(hint));
                    }
                }
            }
            missing
        }
        ClickHouseFacts::Down { .. } if starting.contains(host) => objects.iter().map(|object| &object.name).collect(),
        ClickHouseFacts::Down { reason } => {
            hold(
                format!("apply the schema ({} objects)", objects.len()),
                reason.clone(),
                Some(format!("look at its log on `{host}`: `sudo tail -n 50 {SERVER_LOG}`")),
            );
            BTreeSet::new()
        }
        ClickHouseFacts::NotAsked => BTreeSet::new(),
    }
}

fn reasons(why: &[Difference]) -> String {
    why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// One stage's wave: each host gets what it lacks of it, in the stage's order.
fn wave(stage: &SchemaStage, missing: &BTreeMap<&HostName, (&RoleName, BTreeSet<&ObjectName>)>) -> Option<Wave> {
    let mut hosts = Vec::new();
    for (host, (role, names)) in missing {
        let staged = stage.roles.get(*role).map(Vec::as_slice).unwrap_or_default();
        let objects: Vec<_> = staged.iter().filter(|object| names.contains(&object.name)).collect();
        if objects.is_empty() {
            continue;
        }
        let names = objects.iter().map(|object| object.name.to_string()).collect();
        let execute =
            |object: &&Object| Step::Execute { object: object.name.to_string(), statement: object.statement.clone() };
        let mut steps: Vec<_> = objects.iter().map(execute).collect();
        steps.push(Step::Gate(Gate::Objects { names }));
        let change = |object: &&Object| Change::Object {
            name: object.name.to_string(),
            kind: kind(object),
            role: object.role.to_string(),
        };
        hosts.push(HostPlan {
            host: (*host).clone(),
            changes: objects.iter().map(change).collect(),
            disruption: Disruption::None,
            reasons: Vec::new(),
            steps,
            on_failure: FailurePolicy::StopRun,
            expects: Precondition::default(),
            fallback: Fallback::default(),
        });
    }
    let title = format!("schema: {}", stage.stage);
    (!hosts.is_empty()).then(|| Wave {
        title,
        reason: "after all that it needs, on every host whose role has it".to_owned(),
        away: Vec::new(),
        hosts,
    })
}

/// The engine, where it has one, says more than `table`.
fn kind(object: &Object) -> String {
    match (object.kind, object.engine_name()) {
        (ObjectKind::Table, engine) if !engine.is_empty() => engine.to_owned(),
        (kind, _) => kind.to_string(),
    }
}
