//! Who goes before whom: canaries, then zone after zone, the leader of an ensemble last (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::Going;
use super::groups::Groups;
use crate::fleet::{HostName, Placement, RoleName};
use crate::plan::{Canary, Inputs};
use crate::resource::KeeperFacts;

/// Hosts that go before all of the next lane.
pub(super) struct Lane<'h, 'a> {
    pub why: Why,
    pub hosts: Vec<&'h Going<'h, 'a>>,
}

/// Why hosts are in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// What breaks, breaks on one host.
    First,
    /// One of each role.
    Canary,
    /// The others, of one zone or of one number of replica.
    Rest,
}

/// Puts the hosts of one tier and one action into lanes; `first`: nobody went before them in this run.
pub(super) fn lanes<'h, 'a>(
    inputs: &Inputs<'_>,
    groups: &Groups<'a>,
    hosts: &'h [Going<'h, 'a>],
    first: bool,
) -> Vec<Lane<'h, 'a>> {
    if hosts.iter().any(|host| matches!(host.changes.host.placement, Placement::Keeper { .. })) {
        let mut hosts: Vec<_> = hosts.iter().collect();
        hosts.sort_by_key(|host| (leads(inputs, &host.plan.host), &host.plan.host));
        return vec![Lane { why: Why::Rest, hosts }];
    }
    let mut lanes = Vec::new();
    let rounds = canaries(&inputs.budget.canary, groups, hosts);
    let mut gone: BTreeSet<&HostName> = BTreeSet::new();
    for (index, round) in rounds.into_iter().enumerate() {
        gone.extend(round.iter().map(|host| &host.plan.host));
        let mut round = round.into_iter();
        if index == 0 && first {
            lanes.push(Lane { why: Why::First, hosts: round.by_ref().take(1).collect() });
        }
        lanes.push(Lane { why: Why::Canary, hosts: round.collect() });
    }
    let mut rest: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for host in hosts.iter().filter(|host| !gone.contains(&host.plan.host)) {
        let placed = host.changes.host;
        let lane = match (&placed.placement, placed.zone.as_deref()) {
            // A wave that stays in one zone costs no shard more when that zone fails.
            (Placement::Storage { .. }, Some(zone)) => (0, Some(zone)),
            (Placement::Storage { .. }, None) => (1 + groups.turn(&placed.name), None),
            // Each wave moves the consumers of a group once: few waves count more than zones.
            _ => (0, None),
        };
        rest.entry(lane).or_default().push(host);
    }
    for mut hosts in rest.into_values() {
        hosts.sort_by_key(|host| (groups.turn(&host.plan.host), &host.plan.host));
        lanes.push(Lane { why: Why::Rest, hosts });
    }
    lanes.retain(|lane| !lane.hosts.is_empty());
    lanes
}

/// The canaries: in each round one host of each role.
fn canaries<'h, 'a>(canary: &Canary, groups: &Groups<'a>, hosts: &'h [Going<'h, 'a>]) -> Vec<Vec<&'h Going<'h, 'a>>> {
    let mut roles: BTreeMap<&RoleName, Vec<&Going<'h, 'a>>> = BTreeMap::new();
    for host in hosts {
        roles.entry(&host.changes.host.role).or_default().push(host);
    }
    let named = |host: &HostName| matches!(canary, Canary::Named(names) if names.contains(host));
    let mut rounds: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for mut hosts in roles.into_values() {
        hosts.sort_by_key(|host| (!named(&host.plan.host), groups.turn(&host.plan.host), &host.plan.host));
        let count = match canary {
            Canary::Each(count) => *count,
            Canary::Named(_) => hosts.iter().filter(|host| named(&host.plan.host)).count().max(1),
        };
        for (round, host) in hosts.into_iter().take(count).enumerate() {
            rounds.entry(round).or_default().push(host);
        }
    }
    if let Some(round) = rounds.get_mut(&0) {
        // The host that the operator named is the first of all.
        round.sort_by_key(|host| !named(&host.plan.host));
    }
    rounds.into_values().collect()
}

/// Whether a coordination server leads its ensemble: while it is away, the others elect another, once.
pub(in crate::plan) fn leads(inputs: &Inputs<'_>, host: &HostName) -> bool {
    let keeper = inputs.observation.facts(host).map(|facts| &facts.keeper);
    keeper.is_some_and(KeeperFacts::leads)
}
