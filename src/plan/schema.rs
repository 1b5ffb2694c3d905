//! The schema's waves: one global order over all roles (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, FailurePolicy, Gate, Hold, HostPlan, Inputs, Step, Wave};
use crate::clickhouse::config::Disruption;
use crate::fleet::HostName;
use crate::resource::{ClickHouseFacts, HostFacts};
use crate::schema::{self, Object, ObjectChange, ObjectKind, SchemaStage};

/// Makes one wave per creation stage, each with the hosts where something of it is missing.
///
/// `starting`: hosts whose ClickHouse the plan starts first.
pub(super) fn waves(inputs: &Inputs<'_>, starting: &BTreeSet<HostName>, holds: &mut Vec<Hold>) -> Vec<Wave> {
    let mut missing: BTreeMap<&HostName, Vec<&Object>> = BTreeMap::new();
    for host in inputs.hosts {
        let (Some(fleet_host), Some(facts)) = (inputs.fleet.hosts.get(host), inputs.observation.facts(host)) else {
            continue;
        };
        let objects = inputs.objects.get(&fleet_host.role).map(Vec::as_slice).unwrap_or_default();
        if !objects.is_empty() {
            missing.insert(host, missing_on(host, facts, objects, starting, holds));
        }
    }
    let stages = schema::stages(inputs.objects);
    stages.iter().filter_map(|stage| wave(stage, &missing)).collect()
}

fn missing_on<'a>(
    host: &HostName,
    facts: &HostFacts,
    objects: &'a [Object],
    starting: &BTreeSet<HostName>,
    holds: &mut Vec<Hold>,
) -> Vec<&'a Object> {
    let mut hold = |what: String, reason: String, hint: Option<String>| {
        holds.push(Hold { host: host.clone(), what, reason, hint });
    };
    match &facts.clickhouse {
        ClickHouseFacts::Up { objects: live, .. } => {
            let mut missing = Vec::new();
            for change in schema::diff(objects, live) {
                match change {
                    ObjectChange::Create(object) => {
                        missing.extend(objects.iter().find(|ours| ours.name == object.name))
                    }
                    ObjectChange::Differs { object, why } => {
                        let why: Vec<_> = why.iter().map(ToString::to_string).collect();
                        let hint = "change it by hand: this version only creates".to_owned();
                        hold(format!("change `{}`", object.name), why.join("; "), Some(hint));
                    }
                }
            }
            missing
        }
        ClickHouseFacts::Down { .. } if starting.contains(host) => objects.iter().collect(),
        ClickHouseFacts::Down { reason } => {
            hold(
                format!("apply the schema ({} objects)", objects.len()),
                reason.clone(),
                Some(format!("look at its log: `ssh {host} journalctl -u clickhouse-server -n 50`")),
            );
            Vec::new()
        }
        ClickHouseFacts::NotAsked => Vec::new(),
    }
}

fn wave(stage: &SchemaStage, missing: &BTreeMap<&HostName, Vec<&Object>>) -> Option<Wave> {
    let mut hosts = Vec::new();
    for (host, objects) in missing {
        let objects: Vec<_> = objects.iter().filter(|object| holds(stage, object)).collect();
        if objects.is_empty() {
            continue;
        }
        let names = objects.iter().map(|object| object.name.to_string()).collect();
        let execute =
            |object: &&&Object| Step::Execute { object: object.name.to_string(), statement: object.statement.clone() };
        let mut steps: Vec<_> = objects.iter().map(execute).collect();
        steps.push(Step::Gate(Gate::Objects { names }));
        let change = |object: &&&Object| Change::Object {
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
        });
    }
    let title = format!("schema: {}", stage.stage);
    (!hosts.is_empty()).then(|| Wave {
        title,
        reason: "after all that it needs, on every host whose role has it".to_owned(),
        hosts,
    })
}

/// Whether a stage creates this very object of this object's role.
fn holds(stage: &SchemaStage, object: &Object) -> bool {
    stage.roles.values().flatten().any(|staged| staged == object)
}

/// The engine, where it has one, says more than `table`.
fn kind(object: &Object) -> String {
    match (object.kind, object.engine_name()) {
        (ObjectKind::Table, engine) if !engine.is_empty() => engine.to_owned(),
        (kind, _) => kind.to_string(),
    }
}
