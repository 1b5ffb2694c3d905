//! Proofs: what is so on a host, and what should be but is not, each by its name (pure).
//!
//! Unknown is never a proof: a host that did not answer has none.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Inputs, applied, over_http};
use crate::fleet::{Host, HostName};
use crate::render::Desired;
use crate::resource::{
    ClickHouseFacts, HostFacts, HostObservation, KeeperFacts, ServerFacts, diff_directories, diff_files, diff_units,
    ownership,
};
use crate::schema::{self, Object, ObjectChange, consumers};

/// How many things that differ are named.
const NAMED: usize = 3;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// What, in a word.
    pub what: &'static str,
    /// Whether it is as it should be.
    pub holds: bool,
    /// What was seen, or what is wrong.
    pub seen: String,
}

impl Proof {
    pub(super) fn new(what: &'static str, verdict: Result<String, String>) -> Self {
        let holds = verdict.is_ok();
        Self { what, holds, seen: verdict.unwrap_or_else(|why| why) }
    }
}

/// What a role's own questions were answered with; no proof where there are none.
#[must_use]
pub fn of_questions(answers: &[(String, Result<(), String>)]) -> Option<Proof> {
    let wrong: Vec<String> =
        answers.iter().filter_map(|(name, answer)| Some(format!("{name}: {}", answer.as_ref().err()?))).collect();
    let verdict = if wrong.is_empty() { Ok(answers.len().to_string()) } else { Err(few(&wrong)) };
    (!answers.is_empty()).then(|| Proof::new("gates", verdict))
}

/// Proves all that can be proven on every chosen host.
#[must_use]
pub fn proofs(inputs: &Inputs<'_>) -> BTreeMap<HostName, Vec<Proof>> {
    inputs.hosts.iter().map(|name| (name.clone(), of_host(inputs, name))).collect()
}

fn of_host(inputs: &Inputs<'_>, name: &HostName) -> Vec<Proof> {
    let facts = match inputs.observation.hosts.get(name) {
        Some(HostObservation::Reached(facts)) => facts,
        Some(HostObservation::Unreachable { reason, .. }) => {
            return vec![Proof::new("reached", Err(reason.clone()))];
        }
        None => return vec![Proof::new("reached", Err("it was not asked".to_owned()))],
    };
    let Some(host) = inputs.fleet.hosts.get(name) else { return of_unknown() };
    let desired = inputs.desired.get(name);
    let mut proofs = match desired {
        Some(desired) => vec![
            Proof::new("files", files(desired, facts)),
            Proof::new("units", units(desired, facts)),
            Proof::new("finished", finished(facts)),
        ],
        None if over_http::is_one(host) => Vec::new(),
        None => return of_unknown(),
    };
    let objects = inputs.objects.get(&host.role).map(Vec::as_slice).unwrap_or_default();
    match &facts.clickhouse {
        ClickHouseFacts::NotAsked => {}
        ClickHouseFacts::Down { reason } => proofs.push(Proof::new("clickhouse", Err(reason.clone()))),
        ClickHouseFacts::Up { server, objects: live } => {
            proofs.push(Proof::new("clickhouse", Ok(format!("{}, up {} s", server.version, server.uptime))));
            let taken = match desired {
                Some(desired) => applied::expected(host, desired, facts),
                None => over_http::expected(inputs.fleet, host),
            };
            let seen = format!("{} macros, {} clusters", taken.macros.len(), taken.clusters.len());
            let taken = taken.without_generation();
            proofs.push(Proof::new("configuration", taken.missing_in(server).map_or(Ok(seen), Err)));
            proofs.extend(desired.and_then(|desired| generation(desired, server)));
            proofs.push(Proof::new("replicas", replicas(server)));
            proofs.push(Proof::new("objects", are_there(objects, &schema::diff(objects, live, &facts.recorded()))));
            proofs.extend(draining(objects, server));
        }
    }
    proofs.extend(keeper(host, facts));
    proofs
}

fn of_unknown() -> Vec<Proof> {
    vec![Proof::new("reached", Err("nothing is known of what it should be".to_owned()))]
}

fn files(desired: &Desired, facts: &HostFacts) -> Result<String, String> {
    let directories = diff_directories(desired, facts).into_iter().map(|change| change.path.to_string());
    let files = diff_files(desired, facts).into_iter().map(|change| change.path.to_string());
    let own = ownership(desired, facts);
    let left = own.removals.iter().map(|file| &file.path).chain(own.kept.keys()).map(ToString::to_string);
    let differ: Vec<String> = directories.chain(files).chain(left).collect();
    if differ.is_empty() {
        // Told, and no fault: whether it should be there is its owner's to say.
        let foreign: Vec<String> = own.foreign.iter().map(ToString::to_string).collect();
        let foreign = if foreign.is_empty() { String::new() } else { format!(" (not ours: {})", few(&foreign)) };
        Ok(format!("{}{foreign}", desired.files.len()))
    } else {
        Err(format!("not as desired: {}", few(&differ)))
    }
}

fn units(desired: &Desired, facts: &HostFacts) -> Result<String, String> {
    let stale = |unit: &&crate::remote::UnitName| facts.units.get(*unit).is_some_and(|unit| unit.is_stale);
    let wrong = diff_units(desired, facts).into_iter().map(|change| format!("{} is {}", change.unit, change.is));
    let stale = desired.units.keys().filter(stale).map(|unit| format!("systemd has not read the files of {unit}"));
    let wrong: Vec<String> = wrong.chain(stale).collect();
    if wrong.is_empty() { Ok(desired.units.len().to_string()) } else { Err(few(&wrong)) }
}

/// What an earlier run wrote and did not finish.
fn finished(facts: &HostFacts) -> Result<String, String> {
    let owed: Vec<String> = facts.owed.iter().map(ToString::to_string).collect();
    if owed.is_empty() { Ok("no run is open".to_owned()) } else { Err(format!("an earlier run owes: {}", few(&owed))) }
}

/// What the server has read is what the host should have.
fn generation(desired: &Desired, server: &ServerFacts) -> Option<Proof> {
    let wanted = desired.generation.as_ref()?;
    let verdict = match server.generation() {
        Some(told) if told == wanted => Ok(told.to_owned()),
        Some(told) => Err(format!("the server has read {told}, not {wanted}")),
        None => Err(format!("the server tells none, not {wanted}")),
    };
    Some(Proof::new("generation", verdict))
}

fn replicas(server: &ServerFacts) -> Result<String, String> {
    server.serves().map(|()| format!("{}, {} s behind at most", server.replicas, server.delay))
}

fn are_there(objects: &[Object], changes: &[ObjectChange]) -> Result<String, String> {
    let named = |change: &ObjectChange| match change {
        ObjectChange::Create(object) => format!("`{}` is missing", object.name),
        ObjectChange::Alter { object, .. }
        | ObjectChange::Recreate { object, .. }
        | ObjectChange::Held { object, .. } => format!("`{}` differs", object.name),
    };
    let wrong: Vec<String> = changes.iter().map(named).collect();
    if wrong.is_empty() { Ok(objects.len().to_string()) } else { Err(few(&wrong)) }
}

/// A Kafka table that was left detached has no consumer.
fn draining(objects: &[Object], server: &ServerFacts) -> Option<Proof> {
    let wanted = consumers(objects);
    let verdict = if server.consumers >= wanted {
        Ok(server.consumers.to_string())
    } else {
        Err(format!("{} of {wanted} Kafka consumers are there", server.consumers))
    };
    (wanted > 0).then(|| Proof::new("consumers", verdict))
}

fn keeper(host: &Host, facts: &HostFacts) -> Option<Proof> {
    host.keeper_port()?;
    let verdict = match &facts.keeper {
        KeeperFacts::Up { mode } => facts.keeper.serves().map(|()| mode.clone()),
        KeeperFacts::Down { reason } => Err(reason.clone()),
        KeeperFacts::NotAsked => Err("it was not asked".to_owned()),
    };
    Some(Proof::new("keeper", verdict))
}

/// The first few of a list, and how many more there are.
fn few(all: &[String]) -> String {
    let more = all.len().saturating_sub(NAMED);
    let named = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}
