//! Facts and status of the hosts, as a table or as JSON; never a file's content (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::fleet::{Fleet, HostName, Placement};
use crate::resource::{ClickHouseFacts, HostFacts, HostObservation, KeeperFacts, Observation};
use crate::schema::{ObjectName, ObservedObject};

/// One line per host: role, place, version, replicas, consumers.
#[must_use]
pub fn status(fleet: &Fleet, observation: &Observation) -> String {
    let width = observation.hosts.keys().map(|host| host.as_str().len()).max().unwrap_or_default().max(4);
    let mut out = format!(
        "{}\n",
        paint(
            HEAD,
            format!("{:width$}  {:18} {:12} {:12} {:>9}  state", "host", "role", "place", "clickhouse", "objects")
        )
    );
    for (name, found) in &observation.hosts {
        let Some(host) = fleet.hosts.get(name) else { continue };
        let place = match &host.placement {
            Placement::Storage { shard, replica } => format!("s{shard} r{replica}"),
            Placement::Stateless => "stateless".to_owned(),
            Placement::Keeper { id } => format!("keeper {id}"),
        };
        let (version, objects, state) = match found {
            HostObservation::Unreachable { reason, .. } => (String::new(), String::new(), paint(BAD, reason)),
            HostObservation::Reached(facts) => server(facts),
        };
        let _ = writeln!(out, "{name:width$}  {:18} {place:12} {version:12} {objects:>9}  {state}", host.role);
    }
    out
}

fn server(facts: &HostFacts) -> (String, String, String) {
    match &facts.clickhouse {
        ClickHouseFacts::NotAsked => {
            let down: Vec<_> =
                facts.units.iter().filter(|(_, unit)| !unit.is_running()).map(|(name, _)| name).collect();
            let state = match down.first() {
                None => keeper(&facts.keeper),
                Some(unit) => paint(BAD, format!("{unit} does not run")),
            };
            (String::new(), String::new(), state)
        }
        ClickHouseFacts::Down { reason } => (String::new(), String::new(), paint(BAD, reason)),
        ClickHouseFacts::Up { server, objects } => {
            let mut state = paint(GOOD, "serving");
            if let Err(why) = server.serves() {
                state = paint(WARN, why);
            } else if server.replicas > 0 {
                let _ = write!(
                    state,
                    "{}",
                    paint(QUIET, format!(", {}", count(tables(server.replicas), "replicated table")))
                );
            }
            if server.consumers > 0 {
                let _ = write!(
                    state,
                    "{}",
                    paint(QUIET, format!(", {}", count(tables(server.consumers), "Kafka consumer")))
                );
            }
            (server.version.clone(), objects.iter().filter(|object| is_relation(object)).count().to_string(), state)
        }
    }
}

fn tables(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Tables, views and dictionaries; databases and collections of the configuration are nobody's doing.
fn is_relation(object: &ObservedObject) -> bool {
    matches!(object.name, ObjectName::Relation { .. })
}

fn keeper(facts: &KeeperFacts) -> String {
    match facts {
        KeeperFacts::NotAsked => paint(GOOD, "up"),
        KeeperFacts::Up { mode } => format!("{}{}", paint(GOOD, "serving"), paint(QUIET, format!(", {mode}"))),
        KeeperFacts::Down { reason } => paint(BAD, reason),
    }
}

/// All facts as JSON: metadata of files, never their content.
#[must_use]
pub fn facts(observation: &Observation) -> Value {
    let hosts: BTreeMap<&HostName, Value> = observation.hosts.iter().map(|(name, found)| (name, host(found))).collect();
    json!(hosts)
}

fn host(found: &HostObservation) -> Value {
    let facts = match found {
        HostObservation::Unreachable { reason, hint } => {
            return json!({ "reachable": false, "reason": reason, "hint": hint });
        }
        HostObservation::Reached(facts) => facts,
    };
    let metadata =
        |owner: &str, group: &str, mode: u32| json!({ "owner": owner, "group": group, "mode": format!("{mode:04o}") });
    let files: BTreeMap<_, _> =
        facts.files.iter().map(|(path, file)| (path.as_str(), metadata(&file.owner, &file.group, file.mode))).collect();
    let directories: BTreeMap<_, _> =
        facts.directories.iter().map(|(path, is)| (path.as_str(), metadata(&is.owner, &is.group, is.mode))).collect();
    let units: BTreeMap<_, _> = facts
        .units
        .iter()
        .map(|(name, unit)| {
            (name.as_str(), json!({ "load": unit.load, "active": unit.active, "file": unit.file_state }))
        })
        .collect();
    let clickhouse = match &facts.clickhouse {
        ClickHouseFacts::NotAsked => Value::Null,
        ClickHouseFacts::Down { reason } => json!({ "up": false, "reason": reason }),
        ClickHouseFacts::Up { server, objects } => json!({
            "up": true,
            "version": server.version,
            "uptime": server.uptime,
            "macros": server.shown_macros(),
            "clusters": server.clusters,
            "replicas": server.replicas,
            "readonly_replicas": server.readonly,
            "delay": server.delay,
            "kafka_consumers": server.consumers,
            "objects": objects.iter().map(|object| json!({ "name": object.name.to_string(), "engine": object.engine })).collect::<Vec<_>>(),
        }),
    };
    json!({
        "reachable": true,
        "os": facts.identity.os,
        "hostname": facts.identity.hostname,
        "directories": directories,
        "files": files,
        "units": units,
        "clickhouse": clickhouse,
    })
}
