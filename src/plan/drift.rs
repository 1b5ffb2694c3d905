//! Drift: what differs between the hosts and what was written, whoever did it (pure).
//!
//! It is what a plan would remove, and what a plan holds back, without waves and steps.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Change, Hold, Inputs, Unreachable, applied, change, effective, plan};
use crate::clickhouse::config::ServerSettings;
use crate::fleet::HostName;
use crate::remote::RemotePath;
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, FileChangeKind, HostFacts};

/// What differs on all hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FleetDrift {
    /// Hosts where something differs.
    pub hosts: BTreeMap<HostName, Drift>,
    /// Hosts that did not answer.
    pub unreachable: BTreeMap<HostName, Unreachable>,
    /// How many hosts are as they were written.
    pub unchanged: usize,
    /// Files in the servers' directories that are not ours: told, and no difference by themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign: BTreeMap<HostName, BTreeSet<RemotePath>>,
}

/// What differs on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Directories, files, units and objects.
    pub changes: Vec<Change>,
    /// What the running server says otherwise than its files: macros, clusters, settings that only a start takes.
    pub server: Vec<String>,
    /// What differs and is not put right by an apply alone.
    pub held: Vec<Hold>,
    /// When files that differ were last written, where the host says.
    pub written: BTreeMap<RemotePath, String>,
}

impl Drift {
    /// The files that are there and differ.
    pub fn files(&self) -> impl Iterator<Item = &RemotePath> {
        self.changes.iter().filter_map(|change| match change {
            Change::File { path, kind, .. } if *kind != FileChangeKind::Create => Some(path),
            _ => None,
        })
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.server.is_empty() && self.held.is_empty()
    }
}

/// What a server still runs with although the files on its host say otherwise: only a start takes it.
fn not_in_effect(desired: &Desired, facts: &HostFacts, settings: &ServerSettings) -> Vec<String> {
    let line = |(name, written): (String, String)| {
        let running = settings.runs_otherwise(&name, &written)?;
        Some(format!("it runs with `{name}` {running}, its files say {written}: a restart is owed"))
    };
    effective::written_settings(desired, facts).into_iter().filter_map(line).collect()
}

/// Finds all that differs on the chosen hosts.
#[must_use]
pub fn drift(inputs: &Inputs<'_>) -> FleetDrift {
    let mut hosts: BTreeMap<HostName, Drift> = BTreeMap::new();
    // A change that is held back differs all the same.
    for host in change::collect(inputs, &mut Vec::new()) {
        hosts.entry(host.host.name.clone()).or_default().changes.extend(host.shown());
    }
    let plan = plan(inputs);
    for host in plan.waves.into_iter().flat_map(|wave| wave.hosts) {
        let objects = host.changes.into_iter().filter(Change::is_of_schema);
        hosts.entry(host.host).or_default().changes.extend(objects);
    }
    for hold in plan.holds {
        hosts.entry(hold.host.clone()).or_default().held.push(hold);
    }
    for name in inputs.hosts {
        let (Some(desired), Some(facts)) = (inputs.desired.get(name), inputs.observation.facts(name)) else { continue };
        if let ClickHouseFacts::Up { server, .. } = &facts.clickhouse {
            let Some(host) = inputs.fleet.hosts.get(name) else { continue };
            let missing = applied::expected(host, desired, facts).missing_in(server);
            let drift = hosts.entry(name.clone()).or_default();
            drift.server.extend(missing);
            drift.server.extend(not_in_effect(desired, facts, &server.settings));
        }
    }
    hosts.retain(|_, drift| !drift.is_empty());
    let unchanged =
        inputs.hosts.iter().filter(|host| !hosts.contains_key(*host) && !plan.unreachable.contains_key(*host));
    FleetDrift { unchanged: unchanged.count(), hosts, unreachable: plan.unreachable, foreign: plan.foreign }
}
