//! Whether a replica may be taken away for a moment: the one place that decides it (pure).

use std::collections::BTreeSet;

use super::ensemble::{self, Standing};
use super::waves::leads;
use super::{Gate, Hold, Inputs};
use crate::fleet::{Host, HostName, Placement, Shards};
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

/// Looks at the other replicas of a host's shards.
pub(super) fn other_replicas(inputs: &Inputs<'_>, shards: &Shards<'_>, host: &Host) -> Replicas {
    let others = shards.peers(&host.name);
    let tables = replicated(inputs.observation, &host.name);
    let mut serving = Vec::new();
    for peer in &others {
        match inputs.observation.hosts.get(*peer) {
            // A replica that was made anew and lacks a table does not stand in for one that has its rows.
            Some(HostObservation::Reached(_))
                if serves(inputs.observation, peer) && tables.is_subset(&replicated(inputs.observation, peer)) =>
            {
                serving.push((*peer).clone());
            }
            Some(HostObservation::Reached(_)) => {}
            Some(HostObservation::Unreachable { .. }) => {
                return Replicas::Unknown { reason: format!("`{peer}` is unreachable") };
            }
            None => return Replicas::Unknown { reason: format!("`{peer}` was not asked") },
        }
    }
    Replicas::Known { serving, others: others.len() }
}

/// Whether a host's ClickHouse answers, takes writes and is up to date.
fn serves(observation: &Observation, host: &HostName) -> bool {
    let clickhouse = observation.facts(host).map(|facts| &facts.clickhouse);
    matches!(clickhouse, Some(ClickHouseFacts::Up { server, .. }) if server.serves().is_ok())
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

/// Who must serve while a host is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peers {
    /// Nobody: the host serves nobody, or the operator allowed it.
    None,
    /// All of these replicas of its shard.
    Replicas { shard: u32, replicas: Vec<HostName> },
    /// So many of these members of its ensemble.
    Members { members: Vec<HostName>, needed: usize, joining: Vec<HostName> },
    /// Nobody: the others are told of it behind its start, and it serves when they have been.
    Joins,
}

impl Peers {
    /// The gate that looks at them right before.
    pub fn gate(&self) -> Option<Gate> {
        match self.clone() {
            Self::None | Self::Joins => None,
            Self::Replicas { shard, replicas } => Some(Gate::PeersServing { shard, peers: replicas }),
            Self::Members { members, needed, .. } => Some(Gate::QuorumServing { members, needed }),
        }
    }
}

/// Who must serve where nothing goes away: a member that joins is waited for by those that are told of it.
pub(super) fn at_start(inputs: &Inputs<'_>, host: &Host) -> Peers {
    if !matches!(host.placement, Placement::Keeper { .. }) {
        return Peers::None;
    }
    match ensemble::standing(inputs) {
        Standing::Changes(change) if change.joining.contains(&host.name) => Peers::Joins,
        _ => Peers::None,
    }
}

/// Decides whether a host that may serve may be restarted; the answer says who must serve meanwhile.
pub(super) fn may_restart(inputs: &Inputs<'_>, shards: &Shards<'_>, host: &Host) -> Result<Peers, Hold> {
    match host.placement {
        Placement::Storage { shard, .. } => may_restart_replica(inputs, shards, host, shard),
        Placement::Keeper { .. } => may_restart_member(inputs, host),
        Placement::Stateless => Ok(Peers::None),
    }
}

fn hold(host: &Host, reason: String, hint: &str) -> Hold {
    Hold { host: host.name.clone(), what: "restart".to_owned(), reason, hint: Some(hint.to_owned()) }
}

fn may_restart_replica(inputs: &Inputs<'_>, shards: &Shards<'_>, host: &Host, shard: u32) -> Result<Peers, Hold> {
    match other_replicas(inputs, shards, host) {
        Replicas::Known { serving, .. } if !serving.is_empty() => Ok(Peers::Replicas { shard, replicas: serving }),
        _ if inputs.permissions.shard_outage => Ok(Peers::None),
        Replicas::Known { others: 0, .. } => Err(hold(
            host,
            format!("shard {shard} has no other replica: a restart takes it away"),
            "allow it by name: `--allow shard-outage`",
        )),
        Replicas::Known { others, .. } => {
            let all = others + 1;
            let reason = if serves(inputs.observation, &host.name) {
                format!("shard {shard}: 1 of {all} replicas serves; a restart needs 2")
            } else {
                format!("shard {shard}: none of {all} replicas is known to serve; a restart needs another that does")
            };
            Err(hold(host, reason, "mend the other replicas first: `housewright status`"))
        }
        Replicas::Unknown { reason } => Err(hold(
            host,
            format!("shard {shard}: {reason}, so its health is unknown"),
            "bring it back, or take it out of the inventory",
        )),
    }
}

/// A member may go when the others that surely serve are a quorum of the whole ensemble without it, and when it is known who
/// leads: the leader goes last, so that the others elect once.
fn may_restart_member(inputs: &Inputs<'_>, host: &Host) -> Result<Peers, Hold> {
    let mut ensemble = inputs.fleet.peers(host);
    let (mut size, mut joining, mut leaves) = (ensemble.len(), Vec::new(), false);
    if let Standing::Changes(change) = ensemble::standing(inputs) {
        ensemble.retain(|member| !change.joining.contains(&member.name));
        size = change.old.0.len();
        leaves = change.joining.is_empty();
        let unknown = |name: &&HostName| inputs.observation.facts(name).is_none();
        if let Some(name) = change.joining.iter().find(unknown) {
            let reason = format!("`{name}`, which joins the ensemble, does not answer");
            return Err(hold(host, reason, "bring it up first: it must run before the others are told of it"));
        }
        // It follows once the last of the others, which leads, is told of it.
        joining.extend(change.joining.into_iter().filter(|_| leads(inputs, &host.name)));
    }
    // Where a member goes, the majority of those that were; where one comes, that many, and it is one more then.
    let needed = size / 2 + 1;
    let others = ensemble.iter().filter(|member| member.name != host.name);
    let serves =
        |member: &&&Host| inputs.observation.facts(&member.name).is_some_and(|facts| facts.keeper.serves().is_ok());
    let members: Vec<_> = others.filter(serves).map(|member| member.name.clone()).collect();
    let facts = |member: &&Host| inputs.observation.facts(&member.name).map(|facts| &facts.keeper);
    let leaders = ensemble.iter().filter_map(facts).filter(|keeper| keeper.leads()).count();
    if members.len() >= needed && leaders == 1 {
        return Ok(Peers::Members { members, needed, joining });
    }
    if inputs.permissions.quorum_outage {
        return Ok(Peers::None);
    }
    if members.len() >= needed {
        let reason =
            format!("ensemble of {size}: {leaders} members say that they lead, so it is not known who goes last");
        let hint = if leaves && leaders == 0 {
            "the member that leaves may lead: stop it, so that the others elect one of them"
        } else {
            "look at its members: `housewright status`"
        };
        return Err(hold(host, reason, hint));
    }
    let reason = format!(
        "ensemble of {size}: {} others serve; while this one is away, {needed} must, or every table is read-only",
        members.len()
    );
    Err(hold(host, reason, "mend the other members first, or allow it by name: `--allow quorum-outage`"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::fleet::{Fleet, Reach, RoleName};
    use crate::plan::{Budget, Permissions};
    use crate::resource::{HostFacts, ServerFacts};
    use crate::schema::ObservedObject;

    fn name(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    fn host(host: &str, shard: u32) -> Host {
        Host {
            name: name(host),
            role: RoleName::new("data").unwrap(),
            placement: Placement::Storage { shard, replica: host.to_owned() },
            fqdn: host.to_owned(),
            zone: None,
            reach: Reach::Member,
            vars: crate::fleet::Vars::default(),
        }
    }

    fn up(readonly: u64, tables: &[&str]) -> HostObservation {
        let table = |table: &&str| ObservedObject {
            name: ObjectName::relation(None, table),
            engine: "ReplicatedMergeTree".to_owned(),
            create_query: String::new(),
        };
        let server = Box::new(ServerFacts { readonly, ..ServerFacts::default() });
        let clickhouse = ClickHouseFacts::Up { server, objects: tables.iter().map(table).collect() };
        HostObservation::Reached(Box::new(HostFacts { clickhouse, ..HostFacts::default() }))
    }

    fn down() -> HostObservation {
        let clickhouse = ClickHouseFacts::Down { reason: "connection refused".to_owned() };
        HostObservation::Reached(Box::new(HostFacts { clickhouse, ..HostFacts::default() }))
    }

    fn gone() -> HostObservation {
        HostObservation::Unreachable { reason: "no route".to_owned(), hint: None }
    }

    /// Decides about `a`, with these hosts in its shard.
    fn decide(hosts: Vec<(&str, Option<HostObservation>)>, shard_outage: bool) -> Result<Vec<String>, String> {
        let mut fleet = Fleet::default();
        fleet.hosts.insert(name("of-another-shard"), host("of-another-shard", 2));
        let mut observation = Observation::default();
        observation.hosts.insert(name("of-another-shard"), up(0, &["t"]));
        for (host, found) in hosts {
            fleet.hosts.insert(name(host), self::host(host, 1));
            observation.hosts.extend(found.map(|found| (name(host), found)));
        }
        let inputs = Inputs {
            fleet: &fleet,
            desired: &BTreeMap::new(),
            objects: &BTreeMap::new(),
            migrations: &BTreeMap::new(),
            observation: &observation,
            hosts: &BTreeSet::new(),
            permissions: Permissions { shard_outage, ..Permissions::default() },
            allow_destroy: &[],
            go_on: &[],
            budget: &Budget::default(),
            only: None,
            restart: None,
        };
        let names = |peers| match peers {
            Peers::None | Peers::Joins => Vec::new(),
            Peers::Replicas { replicas: hosts, .. } | Peers::Members { members: hosts, .. } => {
                hosts.iter().map(ToString::to_string).collect()
            }
        };
        may_restart(&inputs, &Shards::of(&fleet), &fleet.hosts[&name("a")]).map(names).map_err(|hold| hold.reason)
    }

    #[test]
    fn every_serving_replica_of_the_same_shard_must_go_on_serving() {
        let all = || vec![("a", Some(up(0, &["t"]))), ("b", Some(up(0, &["t"]))), ("c", Some(up(0, &["t", "u"])))];
        assert_eq!(decide(all(), false), Ok(vec!["b".to_owned(), "c".to_owned()]));
        let mut one = all();
        one[2].1 = Some(down());
        assert_eq!(decide(one, false), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn whoever_takes_no_writes_or_lacks_a_table_does_not_stand_in() {
        let held = Err("shard 1: 1 of 2 replicas serves; a restart needs 2".to_owned());
        for other in [down(), up(1, &["t"]), up(0, &[]), up(0, &["another"])] {
            assert_eq!(decide(vec![("a", Some(up(0, &["t"]))), ("b", Some(other.clone()))], false), held);
            assert_eq!(decide(vec![("a", Some(up(0, &["t"]))), ("b", Some(other))], true), Ok(Vec::new()));
        }
    }

    #[test]
    fn unknown_health_blocks_also_where_another_replica_serves() {
        let hosts = |found| vec![("a", Some(up(0, &[]))), ("b", Some(up(0, &[]))), ("c", found)];
        let unreachable = Err("shard 1: `c` is unreachable, so its health is unknown".to_owned());
        assert_eq!(decide(hosts(Some(gone())), false), unreachable);
        assert_eq!(decide(hosts(None), false), Err("shard 1: `c` was not asked, so its health is unknown".to_owned()));
    }

    #[test]
    fn a_shard_of_one_goes_away_by_name_only() {
        let alone = || vec![("a", Some(up(0, &["t"])))];
        assert_eq!(decide(alone(), false), Err("shard 1 has no other replica: a restart takes it away".to_owned()));
        assert_eq!(decide(alone(), true), Ok(Vec::new()));
    }

    #[test]
    fn a_server_that_does_not_answer_us_is_not_counted_as_serving() {
        let hosts = vec![("a", Some(down())), ("b", Some(down()))];
        let held = "shard 1: none of 2 replicas is known to serve; a restart needs another that does";
        assert_eq!(decide(hosts, false), Err(held.to_owned()));
    }
}
