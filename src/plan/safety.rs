//! Whether a replica may be taken away for a moment: the one place that decides it (pure).

use std::collections::BTreeSet;

use super::{Hold, Inputs};
use crate::fleet::{Host, HostName, Placement};
use crate::resource::{ClickHouseFacts, HostObservation, Observation};
use crate::schema::ObjectName;

/// The other replicas of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replicas {
    /// All of them were asked.
    Known {
        /// Those that answer, take writes and have every replicated table that the host has.
        serving: Vec<HostName>,
        /// How many others there are.
        others: usize,
    },
    /// At least one could not be asked; unknown health blocks, it never passes.
    Unknown {
        /// Which, and why.
        reason: String,
    },
}

/// Looks at the other replicas of a host's shard.
pub(super) fn other_replicas(inputs: &Inputs<'_>, host: &Host) -> Replicas {
    let others: Vec<_> = inputs.fleet.shard_peers(host).into_iter().filter(|peer| peer.name != host.name).collect();
    let tables = replicated(inputs.observation, &host.name);
    let mut serving = Vec::new();
    for peer in &others {
        match inputs.observation.hosts.get(&peer.name) {
            // A replica that was made anew and lacks a table does not stand in for one that has its rows.
            Some(HostObservation::Reached(_))
                if serves(inputs.observation, &peer.name)
                    && tables.is_subset(&replicated(inputs.observation, &peer.name)) =>
            {
                serving.push(peer.name.clone())
            }
            Some(HostObservation::Reached(_)) => {}
            Some(HostObservation::Unreachable { .. }) => {
                return Replicas::Unknown { reason: format!("`{}` is unreachable", peer.name) };
            }
            None => return Replicas::Unknown { reason: format!("`{}` was not asked", peer.name) },
        }
    }
    Replicas::Known { serving, others: others.len() }
}

/// Whether a host's ClickHouse answers and none of its replicas is read-only.
fn serves(observation: &Observation, host: &HostName) -> bool {
    observation
        .facts(host)
        .is_some_and(|facts| matches!(&facts.clickhouse, ClickHouseFacts::Up { server, .. } if server.readonly == 0))
}

/// The replicated tables that live on a host; none where that is not known.
fn replicated<'a>(observation: &'a Observation, host: &HostName) -> BTreeSet<&'a ObjectName> {
    match observation.facts(host).map(|facts| &facts.clickhouse) {
        Some(ClickHouseFacts::Up { objects, .. }) => {
            let replicated = objects.iter().filter(|object| object.engine.starts_with("Replicated"));
            replicated.map(|object| &object.name).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Decides whether a replica that may serve may be restarted; the answer names the peers that must serve meanwhile.
pub(super) fn may_restart(inputs: &Inputs<'_>, host: &Host) -> Result<Vec<HostName>, Hold> {
    let Placement::Storage { shard, .. } = host.placement else { return Ok(Vec::new()) };
    let hold = |reason: String, hint: &str| Hold {
        host: host.name.clone(),
        what: "restart".to_owned(),
        reason,
        hint: Some(hint.to_owned()),
    };
    match other_replicas(inputs, host) {
        Replicas::Known { serving, .. } if !serving.is_empty() => Ok(serving),
        _ if inputs.permissions.shard_outage => Ok(Vec::new()),
        Replicas::Known { others: 0, .. } => Err(hold(
            format!("shard {shard} has no other replica: a restart takes it away"),
            "allow it by name: `--allow shard-outage`",
        )),
        Replicas::Known { others, .. } => Err(hold(
            match serves(inputs.observation, &host.name) {
                true => format!("shard {shard}: 1 of {} replicas serves; a restart needs 2", others + 1),
                false => format!(
                    "shard {shard}: none of {} replicas is known to serve; a restart needs another that does",
                    others + 1
                ),
            },
            "mend the other replicas first: `housewright status`",
        )),
        Replicas::Unknown { reason } => Err(hold(
            format!("shard {shard}: {reason}, so its health is unknown"),
            "bring it back, or take it out of the inventory",
        )),
    }
}
