//! Why a wave stands where it stands and why its hosts go together, with numbers (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::Going;
use super::groups::{Action, Group, Groups};
use super::order::{Why, leads};
use crate::fleet::{Placement, RoleName};
use crate::plan::{Away, Inputs};

/// With more roles than these in a wave, their numbers say less than their sum.
const FEW: usize = 3;

/// One wave of hosts that have been put together.
pub(super) struct Together<'w, 'h, 'a> {
    pub hosts: &'w [(Why, &'h Going<'h, 'a>)],
    pub action: Action,
}

impl<'a> Together<'_, '_, 'a> {
    /// How many of each group are away at once, where there is a limit; shards and ensembles are the reason's.
    pub fn away(&self, groups: &Groups<'a>) -> Vec<Away> {
        let mut taken: BTreeMap<Group<'_>, usize> = BTreeMap::new();
        for (_, host) in self.hosts {
            for group in groups.around(host.changes.host, self.action) {
                *taken.entry(group).or_default() += 1;
            }
        }
        let away = |(group, away): (Group<'a>, usize)| {
            let limit = groups.limit(group);
            let (role, zone, cluster) = match group {
                Group::Run => (None, None, None),
                Group::Shard(_) | Group::Ensemble => return None,
                Group::Copies(cluster) => (None, None, Some(cluster.to_string())),
                Group::Role(role) => (Some(role.to_string()), None, None),
                Group::Zone(role, zone) => (Some(role.to_string()), Some(zone.to_owned()), None),
            };
            Some(Away { role, zone, cluster, away, of: limit.all, at_most: limit.most })
        };
        taken.into_iter().filter_map(away).collect()
    }

    /// The sentence.
    pub fn text(&self, inputs: &Inputs<'_>, groups: &Groups<'a>, consuming: &BTreeSet<&RoleName>) -> String {
        if self.action == Action::Write {
            return "nothing that serves goes away".to_owned();
        }
        let mut parts = Vec::new();
        parts.extend(self.canary());
        parts.extend(self.members(inputs, groups));
        parts.extend(self.shards(groups));
        parts.extend(self.zone());
        if self.action == Action::Restart {
            parts.extend(self.roles(groups));
        }
        let consumes = |host: &Going<'_, '_>| consuming.contains(&host.changes.host.role);
        if self.action == Action::Restart && self.hosts.iter().any(|(_, host)| consumes(host)) {
            parts.push("the consumers move once".to_owned());
        }
        if parts.is_empty() { "after the canaries, all others at once".to_owned() } else { parts.join("; ") }
    }

    fn canary(&self) -> Option<String> {
        let canaries = self.hosts.iter().filter(|(why, _)| *why != Why::Rest).count();
        let first = self.hosts.iter().any(|(why, _)| *why == Why::First);
        match canaries {
            0 => None,
            1 if first => Some("the canary of the run: what breaks, breaks on one host".to_owned()),
            1 => Some("the canary of its role".to_owned()),
            many => Some(format!("the canaries of {many} roles")),
        }
    }

    fn members(&self, inputs: &Inputs<'_>, groups: &Groups<'a>) -> Option<String> {
        let is_member = |host: &Going<'_, '_>| matches!(host.changes.host.placement, Placement::Keeper { .. });
        let (_, host) = self.hosts.iter().find(|(_, host)| is_member(host))?;
        let all = groups.limit(Group::Ensemble).all;
        let who = if leads(inputs, &host.plan.host) { "the leader, after all followers" } else { "one member" };
        Some(match all {
            1 => "the only member: every replicated table is read-only meanwhile".to_owned(),
            all => format!("{who}: 1 of {all} is away, {} are a quorum", all / 2 + 1),
        })
    }

    fn shards(&self, groups: &Groups<'a>) -> Option<String> {
        let shard = |(_, host): &(Why, &Going<'_, '_>)| groups.shards.shards(&host.plan.host).next();
        let shards: BTreeSet<_> = self.hosts.iter().filter_map(shard).collect();
        match (shards.len(), self.hosts.first()) {
            (0, _) | (_, None) => None,
            (1, Some((_, host))) => match host.changes.host.placement {
                Placement::Storage { shard, .. } => Some(format!("one replica of shard {shard}")),
                Placement::Stateless | Placement::Keeper { .. } => None,
            },
            (many, _) => Some(format!("one replica of each of {many} shards")),
        }
    }

    fn zone(&self) -> Option<String> {
        let zones: BTreeSet<_> = self.hosts.iter().map(|(_, host)| host.changes.host.zone.as_deref()).collect();
        match (zones.len(), zones.first()) {
            (1, Some(Some(zone))) => Some(format!("zone {zone}")),
            (many @ 2.., _) => Some(format!("{many} zones")),
            _ => None,
        }
    }

    fn roles(&self, groups: &Groups<'a>) -> Vec<String> {
        let mut roles: BTreeMap<&RoleName, usize> = BTreeMap::new();
        for (_, host) in self.hosts {
            if !matches!(host.changes.host.placement, Placement::Keeper { .. }) {
                *roles.entry(&host.changes.host.role).or_default() += 1;
            }
        }
        if roles.len() > FEW {
            return vec![format!("at most {} of each of {} roles", groups.share(), roles.len())];
        }
        let role = |(role, away): (&'a RoleName, usize)| match groups.limit(Group::Role(role)) {
            limit if limit.all == 1 => format!("the only host of {role}"),
            limit => format!("{away} of {} hosts of {role}, at most {}", limit.all, limit.most),
        };
        roles.into_iter().map(role).collect()
    }
}
